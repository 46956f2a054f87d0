"""What crews do: accept, depart, arrive, isolate, work, done, return, resume."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import to_wgs84
from dispatch.domain.roles import Actor
from dispatch.domain.states import Verb
from dispatch.domain.ticket import Command
from dispatch.geocode.geodesic import distance_m
from dispatch.services.actions import Action, Prepare, Scene, perform, unchanged, with_detail
from dispatch.services.desk import Desk
from dispatch.services.learning import learn
from dispatch.services.temporary import with_rest
from dispatch.storage import board, places

VERBS = (
    Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.ISOLATE, Verb.WORK, Verb.DONE, Verb.RETURN, Verb.RESUME,
)  # fmt: skip

# Farther from the place than this, an arrival needs a word why: a wrong pin, a valve down the road.
FAR_M = 300


def act(desk: Desk, actor: Actor, number: str, action: Action, now: datetime) -> dict[str, Any]:
    """Do a verb of the field; see actions.perform for what it raises. To arrive far away or unlocated needs a note."""
    return perform(desk, actor, number, action, now, _PREPARE.get(action.verb, unchanged))


def _arrive(scene: Scene, command: Command) -> Command:
    """Say how far from the place the phone was; to be far, or not to know, must be explained, it is not forbidden."""
    action = scene.action
    there = board.point_of(scene.tx, scene.ticket.id)
    if there is None:
        return command
    if action.point is None:
        if not command.note.strip():
            raise InvalidInput("手机没有报出位置; 请写明原因后再到场", field="note")
        return with_detail(command, "未定位")
    away = distance_m(to_wgs84(action.point), there)
    if away > FAR_M and not command.note.strip():
        raise InvalidInput(f"距报修点 {away:.0f} m, 超过 {FAR_M} m; 请写明原因后再到场", field="note")
    if away > FAR_M:
        places.doubt(scene.tx, scene.ticket.id)
    accuracy = f" (精度 {action.accuracy_m:.0f} m)" if action.accuracy_m is not None else ""
    return with_detail(command, f"距报修点 {away:.0f} m{accuracy}")


def _done(scene: Scene, command: Command) -> Command:
    """What a person pinned and the crew has worked at is where the address is; what is left to do is an order."""
    learn(scene.tx, scene.desk, scene.actor, scene.ticket.id, command.at)
    told = scene.action.temporary
    return command if told is None else with_rest(scene, command, told)


_PREPARE: dict[Verb, Prepare] = {Verb.ARRIVE: _arrive, Verb.DONE: _done}
