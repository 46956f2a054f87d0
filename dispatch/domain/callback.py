"""Call-backs (回访): one for every caller of a finished ticket, and what becomes of each.

The callback clock of a ticket is one promise to all its callers: it is met when the last of them is settled, if at
least one was spoken to or has answered. Where nobody was, though rung often enough, it ends void: ringing is no
call-back. A ticket none of whose callers left a number has no such clock, for nobody could keep it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain.call import check_text
from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.times import shanghai_text

# After so many tries that nobody answered, a caller counts as not to be reached, unless the settings say otherwise.
TRIES = 3
# Whoever did not answer is not rung again before that; the same.
PAUSE = timedelta(minutes=30)
# Whoever takes a caller has so long before somebody else may.
CLAIM = timedelta(minutes=10)
NO_NUMBER = "no_number"


class State(StrEnum):
    """Where a call-back stands; only a waiting one can still change."""

    WAITING = "waiting"
    REACHED = "reached"
    UNREACHED = "unreached"
    ANSWERED_BY_LINK = "answered_by_link"
    VOID = "void"


STATE_LABELS = {
    State.WAITING: "待回访",
    State.REACHED: "已接通",
    State.UNREACHED: "未接通",
    State.ANSWERED_BY_LINK: "用户已自助答复",
    State.VOID: "已作废",
}
# Why somebody is not content; the last ones are no caller's words.
REASONS = {
    "not_fixed": "问题没有解决",
    "came_back": "修后又出现",
    "too_slow": "处理太慢",
    "manner": "服务态度",
    "mess": "现场没有恢复",
    "charge": "收费有疑问",
    "other": "其他",
}
_SYSTEM_REASONS = {NO_NUMBER: "来电未留号码, 无法回访"}


class CallbackSettled(DispatchError):
    """Somebody was first: the call-back is settled, or void."""

    code = "callback-settled"
    status = 409


class CallbackTaken(DispatchError):
    """Another agent is about to ring this caller."""

    code = "callback-taken"
    status = 409


class CallbackTooSoon(DispatchError):
    """The caller did not answer a moment ago."""

    code = "callback-too-soon"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a caller says of the work.

    Attributes:
        is_solved: Whether the problem is gone.
        is_satisfied: Whether content, or None where not asked.
        reason: Code of REASONS, needed where either is no.
        note: In words.
        wants_rework: Whether somebody is to come again; None: exactly where it is not solved.
    """

    is_solved: bool
    is_satisfied: bool | None = None
    reason: str | None = None
    note: str = ""
    wants_rework: bool | None = None

    @property
    def is_rework(self) -> bool:
        """Whether somebody comes again."""
        return not self.is_solved if self.wants_rework is None else self.wants_rework

    @property
    def words(self) -> str:
        """Reason and note as the timeline shows them."""
        return "; ".join(part for part in (reason_label(self.reason), self.note) if part)


def check_answer(answer: Answer) -> None:
    """Raise InvalidInput for an answer that contradicts itself or says no without a reason."""
    check_text(answer.note, "note")
    if answer.reason is not None and answer.reason not in REASONS:
        raise InvalidInput(f"没有原因代码“{answer.reason[:40]}”: 可选 {', '.join(REASONS)}", field="reason")
    if answer.reason is None and (not answer.is_solved or answer.is_satisfied is False):
        raise InvalidInput("未解决或不满意, 请选择原因", field="reason")
    if answer.reason == "other" and not answer.note.strip():
        raise InvalidInput("原因为其他时, 请写明情况", field="note")


def reason_label(code: str | None) -> str:
    """Return a reason in words; empty for none."""
    return {**REASONS, **_SYSTEM_REASONS}.get(code or "", "")


def check_waiting(state: State, settled_by: str | None, settled_at: datetime | None) -> None:
    """Raise CallbackSettled unless a call-back can still be settled; says by whom and when it was.

    Args:
        state: Where it stands.
        settled_by: By whom it was settled.
        settled_at: And when.
    """
    if state is State.WAITING:
        return
    if state is State.VOID:
        raise CallbackSettled("该回访已作废: 工单已返工或结束, 完工后会重新回访", state=state.value)
    when = f", {shanghai_text(settled_at)}" if settled_at else ""
    raise CallbackSettled(
        f"该来电人{STATE_LABELS[state]} ({settled_by or '系统'}{when}), 不能重复记录", state=state.value
    )


def check_free(claimed_by: int | None, claimed_until: datetime | None, user_id: int, now: datetime) -> None:
    """Raise CallbackTaken where another agent has the caller at this moment."""
    if claimed_by not in (None, user_id) and claimed_until is not None and claimed_until > now:
        raise CallbackTaken(f"另一位坐席正在回访该来电人, 保留到 {shanghai_text(claimed_until)}")


def check_pause(next_try_at: datetime | None, now: datetime) -> None:
    """Raise CallbackTooSoon where the caller did not answer a moment ago and is left in peace."""
    if next_try_at is not None and next_try_at > now:
        raise CallbackTooSoon(f"刚才未接通, 请在 {shanghai_text(next_try_at)} 之后再拨")


def after_try(tries: int, most: int) -> State:
    """Return where a call-back stands after so many of at most so many tries that nobody answered."""
    return State.UNREACHED if tries >= most else State.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """The callers of a round of work, as a decision about its ticket needs to know them.

    Attributes:
        can_ring: How many of them left a number.
        waiting: How many will wait for a call-back when this is done.
        is_heard: Another one was spoken to, or has answered.
        solved: What the others said in all, whoever has a ticket of their own left out.
        satisfied: And whether content.
        follow_up: What comes of a no, in words.
        has_own_ticket: The one who speaks gets a ticket of their own, and stands no more in this one's way.
    """

    can_ring: int = 1
    waiting: int = 0
    is_heard: bool = False
    solved: bool | None = None
    satisfied: bool | None = None
    follow_up: str = ""
    has_own_ticket: bool = False

    def in_all(self, is_solved: bool, is_satisfied: bool | None) -> dict[str, bool | None]:
        """Return what the ticket keeps when one more has spoken."""
        here = None if self.has_own_ticket else is_solved
        return {
            "is_solved": together((here, self.solved)),
            "is_satisfied": together((is_satisfied, self.satisfied)),
        }


ONE_CALLER = Callers()


def said(is_solved: bool, is_satisfied: bool | None) -> str:
    """Return a caller's word for the timeline."""
    text = "已解决" if is_solved else "未解决"
    if is_satisfied is None:
        return text
    return text + (", 满意" if is_satisfied else ", 不满意")


def together(words: Iterable[bool | None]) -> bool | None:
    """Return what several callers say in all: no where one says no, None where nobody said anything."""
    said = [word for word in words if word is not None]
    return all(said) if said else None
