"""Who is told of a step of the ladder: people on the roster, one after the other, until somebody answers.

The first are told with the step, in its transaction; each further one in the transaction that moves `ask_at`. However
many schedulers look, whatever is killed: each person is told of each step once. Without a published roster a step
tells its audiences, and no person. In a surge the message of a step is kept as always; what is sent of it may come with
others, see services/digests.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain import alerting
from dispatch.domain.ladder import Step, step_text
from dispatch.domain.on_duty import Answer
from dispatch.domain.roles import SYSTEM
from dispatch.domain.roster import Roster
from dispatch.domain.settings import PEOPLE
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge import Gathering
from dispatch.services.desk import Desk
from dispatch.services.digests import open_surge
from dispatch.services.links import new_token, sha256_of
from dispatch.storage import clocks, escalations, messages, outbox, tickets
from dispatch.storage import digests as digest_items
from dispatch.storage.db import Tx
from dispatch.storage.digests import USER
from dispatch.storage.messages import User

BATCH = 100


@dataclass(slots=True)
class Told:
    """What is written for people: kept for them, and queued for their ways, at once or with their next digest."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    gathered: list[dict[str, Any]] = field(default_factory=list)

    def add(self, more: Told) -> None:
        """Take over what was told of another step."""
        self.messages += more.messages
        self.notices += more.notices
        self.gathered += more.gathered

    def write(self, tx: Tx) -> None:
        """Write it down."""
        messages.add(tx, self.messages)
        outbox.put(tx, self.notices)
        digest_items.add(tx, self.gathered)


@dataclass(frozen=True, slots=True)
class Matter:
    """What people are told of: a step, as its row has it, and the number and level of its ticket."""

    step: Mapping[str, Any]
    number: str
    level: str


@dataclass(slots=True)
class Call:
    """The people of one moment, as the roster names them; users are looked up once.

    Attributes:
        roster: The roster of the moment.
        now: The moment.
        surge: The one that gathers notices, kept open by the transaction, or None.
    """

    desk: Desk
    tx: Tx
    roster: Roster
    now: datetime
    surge: Gathering | None
    _users: dict[str, User | None] = field(default_factory=dict)

    def user(self, answer: Answer) -> User | None:
        """Return the account of whom an answer names, or None where there is none."""
        if answer.person is None:
            return None
        login = answer.person.person_id
        if login not in self._users:
            self._users[login] = messages.users(self.tx, (login,)).get(login)
        return self._users[login]

    def gathers(self, answer: Answer, matter: Matter) -> bool:
        """Tell whether what an answer's person is told waits for his digest."""
        audience = alerting.audience_of(answer.unit_id)
        return self.surge is not None and self.surge.gathers_person(audience, matter.level)

    def first(self, matter: Matter, recipients: Sequence[str], told: Told) -> list[Answer]:
        """Tell whom the recipients of a fired step mean; return them, holes and those without an account too."""
        named, nth = alerting.named(self.roster, recipients, self.now), 0
        # Who is told at once for one reason is not told later for another.
        answers, seen = sorted(named, key=lambda answer: self.gathers(answer, matter)), set[int]()
        for answer in answers:
            user = self.user(answer)
            if user is not None and user.user_id not in seen:
                seen.add(user.user_id)
                self.tell(matter, nth, user, answer, told)
                nth += 1
        return answers

    def tell(self, matter: Matter, nth: int, user: User, answer: Answer, told: Told) -> None:
        """Write what a person is told of a step, with a link of his own where it is sent and links lead anywhere."""
        step = matter.step
        text = f"{matter.number} {step_text(ClockKind(step['clock']), step['ratio'], step['label'])}"
        names = ("ticket_id", "clock", "round", "step")
        key = ":".join(["alert", *(str(step[name]) for name in names), str(nth)])
        settings = self.desk.settings
        waits = self.gathers(answer, matter)
        token = new_token() if settings.public_url and not waits else None
        told.messages.append(
            {
                **{name: step[name] for name in names},
                "user_id": user.user_id, "at": self.now, "text": text, "key": key, "nth": nth,
                "why": alerting.why(self.roster, answer),
                "token_sha256": sha256_of(token) if token else None,
            }
        )  # fmt: skip
        if self.surge is not None and waits:
            fired = {**step, "fired_at": self.now}
            told.gathered.append(
                digest_items.item(self.surge.surge_id, f"{USER}{user.login}", matter.number, matter.level, fired)
            )
        elif PEOPLE in self.desk.channels:
            how = f"应答: {settings.address}/m/{token}" if token else "请登录后在“我的消息”中应答"
            to = [f"{USER}{user.login}"]
            told.notices.append(
                outbox.row(step["ticket_id"], PEOPLE, to, f"{text}。{how}", f"{key}:{PEOPLE}", self.now)
            )

    def words(self, answers: Sequence[Answer], matter: Matter) -> str:
        """Say in a timeline who is told, and where nobody is."""
        return "、".join(self._word(answer, matter) for answer in answers)

    def _word(self, answer: Answer, matter: Matter) -> str:
        if answer.person is None:
            return f"空缺 ({alerting.why(self.roster, answer)})"
        how = ", 随汇总" if self.gathers(answer, matter) else ""
        return f"{answer.person.name} ({answer.reason}{how if self.user(answer) else ', 无账号'})"

    def ask_at(self, step: Step, told: Told) -> datetime | None:
        """Return when the next one is told of a fired step: at once where nobody was; None where nobody else is."""
        if step.answer_within is None:
            return None
        return self.next_at(step.answer_within, told) if told.messages else self.now

    def next_at(self, within: timedelta, told: Told) -> datetime:
        """Return when the time to answer is over; where all who were told wait for a digest, it begins with that."""
        waits = self.surge is not None and len(told.gathered) == len(told.messages)
        return self.now + within + (self.surge.every if self.surge and waits else timedelta(0))


def call_at(desk: Desk, tx: Tx, now: datetime, surge: Gathering | None) -> Call | None:
    """Return the people of a moment, or None before a roster is published; see `open_surge` for the surge."""
    roster = desk.roster(tx, now)
    return None if roster is None else Call(desk, tx, roster, now, surge)


def chase(desk: Desk, clock: Callable[[], datetime]) -> int:
    """Tell the next one of each step that nobody has answered in time; return how many steps were looked at."""
    done = 0
    with desk.store.read() as tx:
        next_at = escalations.next_ask(tx)
    while next_at is not None and next_at <= clock():
        with desk.store.write() as tx:
            now = clock()
            call = call_at(desk, tx, now, open_surge(tx, desk))
            rows = escalations.lock_silent(tx, now, BATCH)
            for row in rows:
                _go_on(tx, call, row)
            next_at = escalations.next_ask(tx)
        done += len(rows)
        if not rows:  # another process holds what is left
            break
    return done


def _go_on(tx: Tx, call: Call | None, row: dict[str, Any]) -> None:
    """Tell the next one of a step; nobody where its clock stands still or ended, or where a later step has fired."""
    is_over = row["met_at"] or row["is_void"] or row["paused_at"] or row["next_step"] > row["step"] + 1
    if is_over or call is None:
        escalations.ask_again(tx, row["id"], None)
        return
    later = _later(call, row)
    told = messages.told(tx, row)
    line = alerting.line(call.roster, row["recipients"], later, call.now)
    left = [(user, answer) for answer in line if (user := call.user(answer)) and user.user_id not in told]
    within = timedelta(seconds=row["answer_s"])
    silence = f"{row['answer_s'] / 60:.0f} 分钟内无人应答" if told else "没有人可通知"
    label = step_text(ClockKind(row["clock"]), row["ratio"], row["label"])
    if not left:
        text = f"“{label}”{silence}, {'以后由下一级通知' if later else '已无下一位可通知'}"
        escalations.ask_again(tx, row["id"], None)
    else:
        user, answer = left[0]
        writing, matter = Told(), Matter(row, row["number"], row["level"])
        call.tell(matter, len(told), user, answer, writing)
        writing.write(tx)
        text = f"“{label}”{silence}, 通知下一位: {call.words([answer], matter)}"
        escalations.ask_again(tx, row["id"], call.next_at(within, writing))
    _note(call, row, text)


def _later(call: Call, row: Mapping[str, Any]) -> set[str]:
    """Return the audiences of all steps of the ticket that are still to come, of whatever clock."""
    policy = call.desk.policy(call.tx, row["policy_version"])
    running = (clock for clock in clocks.of_ticket(call.tx, row["ticket_id"]) if clock.is_running)
    steps = (
        step
        for clock in running
        for step in policy.steps(row["level"], clock.kind)[clock.next_step - clock.ladder_from :]
    )
    return {audience for step in steps for audience in step.to}


def _note(call: Call, row: Mapping[str, Any], text: str) -> None:
    event = {
        "ticket_id": row["ticket_id"], "at": call.now, "effective_at": row["ask_at"], "time_source": "server",
        "kind": "alert", "from_status": row["status"], "to_status": row["status"], "actor_id": SYSTEM.user_id,
        "text": text,
    }  # fmt: skip
    tickets.add_events(call.tx, [event])
    call.tx.audit(call.now, SYSTEM, "alert", row["number"], text=text)
