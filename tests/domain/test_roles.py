"""Who may do what, and whose tickets exist for whom."""

import pytest

from dispatch.domain.errors import NotFound, NotPermitted
from dispatch.domain.roles import (
    ASSISTING,
    PERMISSIONS,
    ROLE_LABELS,
    SYSTEM,
    TEAM_BOUND,
    Actor,
    Permission,
    Role,
    can_see,
    check_owns,
    check_permitted,
    check_sees,
)
from dispatch.domain.states import RULES, Verb

CREW_A = Actor(11, "A班 水管家", Role.CREW, "tianxin-01")
CREW_B = Actor(12, "B班 水管家", Role.CREW, "tianxin-02")


def test_every_role_has_a_label_and_an_entry_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert set(ROLE_LABELS) == set(Role)
    assert len(set(ROLE_LABELS.values())) == len(Role)


def test_every_verb_is_a_permission_of_the_same_name() -> None:
    for verb in Verb:
        assert Permission(verb.value).value == verb.value


def test_every_permission_but_that_of_the_policy_is_held_by_someone_besides_the_administrator() -> None:
    held = frozenset().union(*(PERMISSIONS[role] for role in Role if role is not Role.ADMIN))
    assert set(Permission) - held == {Permission.POLICY}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_the_table_decides(role: Role, permission: Permission) -> None:
    actor = Actor(1, "某人", role)
    if permission in PERMISSIONS[role]:
        check_permitted(actor, permission)
        return
    with pytest.raises(NotPermitted, match=f"{ROLE_LABELS[role]}没有此项权限") as caught:
        check_permitted(actor, permission)
    assert caught.value.status == 403


def test_what_must_never_be_given() -> None:
    assert Permission.HOLD not in PERMISSIONS[Role.CREW]  # a hold needs somebody else's approval
    assert Permission.EXTEND not in PERMISSIONS[Role.CREW] | PERMISSIONS[Role.LEAD]
    assert Permission.CLOSE not in PERMISSIONS[Role.CREW] | PERMISSIONS[Role.LEAD]
    assert Permission.RELEVEL not in PERMISSIONS[Role.CREW] | PERMISSIONS[Role.LEAD]
    assert PERMISSIONS[Role.AUDITOR] == {Permission.READ, Permission.AUDIT}
    assert PERMISSIONS[Role.INTEGRATION] == {Permission.CALL, Permission.CTI, Permission.READ}
    # The scheduler, and the imports of customers, places, articles and rosters.
    imports = {Permission.CUSTOMER, Permission.PLACES, Permission.ARTICLE, Permission.ROSTER}
    assert PERMISSIONS[Role.SYSTEM] == {Permission.RESUME} | imports
    seers = {role for role in Role if Permission.AUDIT in PERMISSIONS[role]}
    assert seers == {Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR}


def test_an_actor_is_shown_with_the_role() -> None:
    assert CREW_A.label == "A班 水管家 (水管家)"
    assert SYSTEM.label == "调度系统 (系统)"


def test_a_crew_sees_its_own_work_and_what_it_assists_with() -> None:
    assert can_see(CREW_A, "tianxin-01", ())
    assert can_see(CREW_B, "tianxin-01", ("tianxin-02",))
    assert not can_see(CREW_B, "tianxin-01", ())
    assert not can_see(CREW_B, None, ())


@pytest.mark.parametrize("role", sorted(TEAM_BOUND))
def test_without_a_team_nothing_is_seen(role: Role) -> None:
    nobody = Actor(13, "新人", role)
    assert not can_see(nobody, None, ())
    assert not can_see(nobody, "tianxin-01", ())


@pytest.mark.parametrize("role", sorted(set(Role) - TEAM_BOUND))
def test_the_others_see_every_ticket(role: Role) -> None:
    assert can_see(Actor(1, "某人", role), "tianxin-01", ())
    assert can_see(Actor(1, "某人", role), None, ())


def test_a_foreign_ticket_looks_like_none() -> None:
    check_sees(CREW_A, "GD20261124-000001", "tianxin-01", ())
    with pytest.raises(NotFound, match="没有工单 GD20261124-000001") as caught:
        check_sees(CREW_B, "GD20261124-000001", "tianxin-01", ())
    assert caught.value.status == 404


@pytest.mark.parametrize("permission", Permission)
def test_who_assists_does_not_act_for_the_owner(permission: Permission) -> None:
    check_owns(CREW_A, permission, "tianxin-01")
    if permission in ASSISTING:
        check_owns(CREW_B, permission, "tianxin-01")
        return
    with pytest.raises(NotPermitted, match="协办") as caught:
        check_owns(CREW_B, permission, "tianxin-01")
    assert caught.value.status == 403


def test_who_assists_moves_no_ticket() -> None:
    moving = {Permission(verb) for verb in Verb if RULES[verb].target}
    assert not ASSISTING & moving
    assert Permission.ISOLATE in ASSISTING


@pytest.mark.parametrize("role", sorted(set(Role) - TEAM_BOUND))
def test_the_others_act_on_the_tickets_of_every_team(role: Role) -> None:
    for permission in Permission:
        check_owns(Actor(1, "某人", role), permission, "tianxin-01")
