"""Who may do what. The table here is the only one: services ask it, the docs and tests are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatch.domain.errors import NotFound, NotPermitted


class Role(StrEnum):
    """The roles of DESIGN §1 and the two that are no persons at a desk."""

    AGENT = "agent"
    CREW = "crew"
    LEAD = "lead"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"
    INTEGRATION = "integration"
    SYSTEM = "system"


ROLE_LABELS = {
    Role.AGENT: "坐席",
    Role.CREW: "水管家",
    Role.LEAD: "班组长",
    Role.DISPATCHER: "调度员",
    Role.SUPERVISOR: "值班长",
    Role.ADMIN: "管理员",
    Role.AUDITOR: "审计员",
    Role.INTEGRATION: "接口",
    Role.SYSTEM: "系统",
}


class Permission(StrEnum):
    """What can be permitted: every verb of a ticket by its own name, and what is no verb."""

    CALL = "call"
    CTI = "cti"
    READ = "read"
    REVEAL = "reveal"
    ACKNOWLEDGE = "acknowledge"
    AUDIT = "audit"
    ASK = "ask"
    DECIDE = "decide"
    CREW = "crew"
    PHOTO = "photo"
    OUTAGE = "outage"
    ZONES = "zones"
    CIRCLE = "circle"
    PLACES = "places"
    INCIDENT = "incident"
    CASE = "case"
    CASEWORK = "casework"
    CUSTOMER = "customer"
    SURGE = "surge"
    ARTICLE = "article"
    ROSTER = "roster"
    POLICY = "policy"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    DEPART = "depart"
    ARRIVE = "arrive"
    ISOLATE = "isolate"
    WORK = "work"
    DONE = "done"
    CALLBACK = "callback"
    CLOSE = "close"
    RETURN = "return"
    REASSIGN = "reassign"
    HOLD = "hold"
    RESUME = "resume"
    EXTEND = "extend"
    URGE = "urge"
    SUPERVISE = "supervise"
    ASSIST = "assist"
    MERGE = "merge"
    CANCEL = "cancel"
    REWORK = "rework"
    RELEVEL = "relevel"


P = Permission
_FIELD = frozenset({P.ACCEPT, P.DEPART, P.ARRIVE, P.ISOLATE, P.WORK, P.DONE, P.RETURN, P.RESUME, P.PHOTO})
_DESK = frozenset({P.CALL, P.CALLBACK, P.CLOSE, P.URGE, P.REWORK, P.MERGE, P.CANCEL, P.REVEAL})
_STEERING = frozenset(
    {P.DISPATCH, P.REASSIGN, P.HOLD, P.RESUME, P.EXTEND, P.SUPERVISE, P.ASSIST, P.ACKNOWLEDGE, P.DECIDE, P.RELEVEL}
)
_CASES = frozenset({P.CASE, P.CASEWORK})
_LEADING = frozenset(
    {P.READ, P.OUTAGE, P.INCIDENT, P.PLACES, P.AUDIT, P.ZONES, P.CIRCLE, P.CUSTOMER, P.SURGE, P.ARTICLE, P.ROSTER}
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: _DESK | {P.READ, P.DISPATCH, P.CASE},
    Role.CREW: _FIELD | {P.CREW, P.ASK, P.READ, P.REVEAL, P.ACKNOWLEDGE},
    Role.LEAD: _FIELD | {P.CREW, P.ASK, P.READ, P.REVEAL, P.ACKNOWLEDGE, P.HOLD, P.ASSIST},
    Role.DISPATCHER: _FIELD | _DESK | _STEERING | _CASES | {P.READ, P.OUTAGE, P.INCIDENT},
    Role.SUPERVISOR: _FIELD | _DESK | _STEERING | _CASES | _LEADING,
    Role.ADMIN: frozenset(Permission),
    Role.AUDITOR: frozenset({P.READ, P.AUDIT}),
    Role.INTEGRATION: frozenset({P.CALL, P.CTI, P.READ}),
    Role.SYSTEM: frozenset({P.RESUME, P.CUSTOMER, P.PLACES, P.ARTICLE, P.ROSTER}),
}

# Whose pin is a person's word for where an address is: not that of the public page or of another system.
DESK_ROLES = frozenset({Role.AGENT, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN})
# These see only the work of their own team and what it assists with.
TEAM_BOUND = frozenset({Role.CREW, Role.LEAD})
# What they may do where their team only assists (协办): it is called to close a valve, and its owner moves the ticket.
ASSISTING = frozenset({P.READ, P.REVEAL, P.ACKNOWLEDGE, P.ISOLATE, P.CREW, P.PHOTO})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with a token, an integration, or the system itself."""

    user_id: int
    name: str
    role: Role
    team_id: str | None = None

    @property
    def label(self) -> str:
        """Name with role, as the timeline shows it."""
        return f"{self.name} ({ROLE_LABELS[self.role]})"


SYSTEM = Actor(user_id=0, name="调度系统", role=Role.SYSTEM)
# Whoever reports on the public page. Nobody signs in as it: only services/public.py and tracking.py act in its name.
PUBLIC = Actor(user_id=-1, name="公众网页", role=Role.INTEGRATION)


def check_permitted(actor: Actor, permission: Permission) -> None:
    """Raise NotPermitted unless the role of `actor` holds `permission`."""
    if permission not in PERMISSIONS[actor.role]:
        raise NotPermitted(f"{ROLE_LABELS[actor.role]}没有此项权限 ({permission}), 请联系值班长")


def can_see(actor: Actor, team_id: str | None, assisting: tuple[str, ...]) -> bool:
    """Tell whether a ticket of `team_id`, assisted by `assisting`, is for the eyes of `actor`."""
    if actor.role not in TEAM_BOUND:
        return True
    return actor.team_id is not None and (actor.team_id == team_id or actor.team_id in assisting)


def team_seen(actor: Actor) -> str | None:
    """Return the team whose tickets alone `actor` sees, or None for all."""
    return (actor.team_id or "") if actor.role in TEAM_BOUND else None


def check_sees(actor: Actor, number: str, team_id: str | None, assisting: tuple[str, ...]) -> None:
    """Raise NotFound where `actor` may not know of the ticket: a foreign one looks like none."""
    if not can_see(actor, team_id, assisting):
        raise NotFound(f"没有工单 {number}")


def check_owns(actor: Actor, permission: Permission, team_id: str | None) -> None:
    """Raise NotPermitted where the ticket is of another team than the actor's, which assists, and only the owner may.

    Args:
        actor: Who acts; sees the ticket.
        permission: What is wanted; the role holds it.
        team_id: The ticket's team.
    """
    if actor.role in TEAM_BOUND and actor.team_id != team_id and permission not in ASSISTING:
        raise NotPermitted(f"工单属于主办班组, 本班组只是协办, 不能代为操作 ({permission}); 请联系主办班组或调度员")
