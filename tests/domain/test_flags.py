"""Customer flags: the most urgent level wins, none is lowered, and it is said in words."""

from dispatch.domain.flags import Care, CustomerFlag, FlagRaise, care_for

ORDER = ["P1", "P2", "P3"].index
HOSPITAL = CustomerFlag("hospital", "医院", "key_account", (FlagRaise(("no_water",), "P1"),), ("branch_duty",), "样例")
FRAIL = CustomerFlag(
    "frail", "老弱病残", "vulnerable", (FlagRaise(("noise",), "P2"),), ("area_lead", "branch_duty"), "样例"
)


def test_a_flag_raises_and_says_so() -> None:
    care = care_for([HOSPITAL], "no_water", "P2", ORDER)
    assert care == Care("P1", ("医院",), ("branch_duty",), "医院: 由 P2 提为 P1")


def test_two_flags_tell_everybody_once_and_never_lower() -> None:
    care = care_for([HOSPITAL, FRAIL], "noise", "P3", ORDER)
    assert care == Care(
        "P2", ("医院", "老弱病残"), ("branch_duty", "area_lead"), "医院: 等级 P3 不变; 老弱病残: 由 P3 提为 P2"
    )
    assert care_for([FRAIL], "noise", "P1", ORDER).level == "P1"


def test_without_a_flag_nothing_changes() -> None:
    assert care_for([], "noise", "P3", ORDER) == Care("P3")
