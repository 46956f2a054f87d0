"""The whole API against its own description, with input that fits it and input that does not.

Real ticket numbers, teams and codes are mixed in, or no request would ever come past the first look-up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
import time_machine
from apiflask import APIFlask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status as Outcome
from schemathesis.engine import events
from schemathesis.engine.core import Engine

from dispatch.domain.states import Status
from dispatch.services import health
from dispatch.services.escalation import Sweep
from tests.support.cast import TEAM_A, TEAM_B, ticket_at
from tests.support.store import NOW
from tests.web.conftest import desk_of, open_app, token_of

OFTEN = 0.7
PARTS = 10  # of the API, each a test of its own: so that they share the processors
USES = {
    "number": "numbers", "attach_to": "numbers", "into": "numbers", "subject": "numbers",
    "team_id": "teams", "category": "categories", "reason": "reasons",
}  # fmt: skip


def config_for(app: APIFlask, examples: int, seed: int) -> dict[str, Any]:
    """Let the administrator try everything on tickets in every state."""
    desk = desk_of(app)
    health.beat(desk, "scheduler", NOW, Sweep())
    words = {
        "numbers": [ticket_at(desk, status, NOW) for status in Status],
        "teams": [TEAM_A, TEAM_B],
        "categories": ["burst", "no_water", "complaint", "inquiry"],
        "reasons": ["not_ours", "wait_material", "by_caller"],
    }
    return {
        "seed": seed,
        # Nothing unpacks what comes from an application in the same process.
        "headers": {"Authorization": f"Bearer {token_of(app, 'admin', NOW)}", "Accept-Encoding": "identity"},
        "dictionaries": {name: {"values": values} for name, values in words.items()},
        "parameters": {name: {"dictionary": of, "probability": OFTEN} for name, of in USES.items()},
        "checks": {
            # What fits the description may still break a rule: a time in the past, a team that has the ticket already.
            "positive_data_acceptance": {"enabled": False},
            # Cannot send its request to an application in the same process; test_permissions tries every route.
            "ignored_auth": {"enabled": False},
        },
        "generation": {"deterministic": True, "max-examples": examples, "no-shrink": True},
        "suppress-health-check": ["all"],
        "phases": {"stateful": {"enabled": False}},
        "cache": {"enabled": False},
        "continue-on-failure": True,
    }


@dataclass
class Report:
    """What a run found."""

    operations: int
    requests: int = 0
    successful: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def add(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.ScenarioFinished):
            for case_id, interaction in event.recorder.interactions.items():
                self.requests += 1
                if interaction.response is not None and interaction.response.status_code < 300:
                    self.successful.add(event.recorder.cases[case_id].value.operation.label)
            for checks in event.recorder.checks.values():
                self.problems += [
                    f"{event.recorder.label}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
                    for check in checks
                    if check.status is Outcome.FAILURE and check.failure_info
                ]
        elif isinstance(event, events.NonFatalError):
            self.problems.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            self.problems.append(repr(event.exception))


@time_machine.travel(NOW, tick=False)
def run(url: str, examples: int, part: int, seed: int = 1) -> Report:
    """Try every operation of one part of the API."""
    app = open_app(url)
    config = SchemathesisConfig.from_dict(config_for(app, examples, seed))
    whole = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)
    paths = sorted(set(whole.raw_schema["paths"]) - {"/api/v1/stream"})  # that one never ends
    schema = whole.include(path=paths[part::PARTS])
    report = Report(operations=sum(1 for _ in schema.get_all_operations()))
    for event in Engine(schema).execute():
        report.add(event)
    app.extensions["stop_live"]()
    desk_of(app).store.close()
    return report


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"], indirect=True)
def test_every_answer_is_as_described(url: str, dialect: str, part: int) -> None:
    report = run(url, 8 if dialect == "sqlite" else 2, part)
    assert report.problems == []
    assert report.requests > 20 * report.operations
    assert len(report.successful) > 0.8 * report.operations  # or it would be the errors alone that are checked
