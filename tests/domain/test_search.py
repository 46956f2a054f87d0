"""Search terms: what is asked for is found if, and only if, all its terms are indexed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.search import index_terms, query_terms


def finds(query: str, text: str) -> bool:
    return set(query_terms(query)) <= set(index_terms(text))


ADDRESS = "GD20261124-000123 天心区芙蓉南路１２８号 Block B, 3栋2单元 水管爆裂"


@pytest.mark.parametrize(
    "query",
    [
        "芙蓉",  # two characters
        "水",  # one
        "芙蓉南路",
        "天心区芙蓉南路",
        "128",  # indexed full-width
        "１２８号",  # asked full-width
        "128号",
        "block b",
        "ＢＬＯＣＫ",
        "3栋",
        "栋2单元",
        "爆裂 芙蓉",  # any order
        "gd20261124",
        "GD20261124-000123",
        "000123",
        "",
        "…, 。!",
    ],
)
def test_found(query: str) -> None:
    assert finds(query, ADDRESS)


@pytest.mark.parametrize("query", ["路芙", "岳麓", "管水", "12", "bloc", "芙蓉北路", "𠮷"])
def test_not_found(query: str) -> None:
    assert not finds(query, ADDRESS)


def test_terms_to_index() -> None:
    assert index_terms("水管 Ab1水水") == ["水", "管", "水管", "ab1", "水水"]


def test_terms_to_ask_for() -> None:
    assert query_terms("水管爆 A１ 水 水管") == ["水管", "管爆", "a1", "水"]


def test_rare_characters_are_words_too() -> None:
    assert finds("𠮷野", "𠮷野家")
    assert finds("㵪", "㵪水村")


def test_separators_split_words() -> None:
    assert not finds("水管", "水-管")
    assert finds("水 管", "水-管")


texts = st.text(st.sampled_from("水管爆裂芙蓉路ABab12１２ -,。😀"), max_size=30)


@given(texts)
def test_a_text_finds_itself(text: str) -> None:
    assert finds(text, text)


@given(texts, texts)
def test_no_term_is_empty_or_doubled(text: str, more: str) -> None:
    for terms in (index_terms(text + more), query_terms(text + more)):
        assert all(terms)
        assert len(set(terms)) == len(terms)


@given(st.text("水管爆裂芙蓉路", min_size=1, max_size=12), st.data())
def test_every_part_of_a_chinese_text_finds_it(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    assert finds(text[begin:end], text)
