"""How alike two texts of callers are."""

from dispatch.geocode.likeness import likeness, sound_alike


def test_the_same_words_in_another_order_are_alike_and_other_words_are_not() -> None:
    same = likeness("马路中间水管爆了, 水很大", "水管爆了, 马路中间好大的水")
    other = likeness("马路中间水管爆了, 水很大", "请帮我查一下上个月的账单")
    assert same is not None
    assert other is not None
    assert same > 0.5 > 0.2 > other
    assert likeness("没水了", "没水了!") == 1.0


def test_of_silence_nothing_is_known() -> None:
    assert likeness("", "没水了") is None
    assert likeness("没水了", "水") is None


def test_names_that_sound_the_same() -> None:
    assert sound_alike("德政园", "德正园")
    assert not sound_alike("德政园", "德政苑里")
    assert not sound_alike("华润", "华闰")  # two signs are too few
    assert not sound_alike(None, "德政园")
