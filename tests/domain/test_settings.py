"""What follows from the settings of an installation."""

import pytest

from dispatch.domain.settings import Settings


@pytest.mark.parametrize(
    ("url", "is_sqlite"),
    [("sqlite:///dispatch.db", True), ("sqlite+pysqlite://", True), ("postgresql+psycopg://db/dispatch", False)],
)
def test_the_embedded_database_is_known_by_its_address(url: str, is_sqlite: bool) -> None:
    assert Settings(database_url=url).is_sqlite is is_sqlite


def test_the_webhook_is_a_channel_where_it_has_an_address() -> None:
    assert Settings(database_url="sqlite://").channels == ("console",)
    hooked = Settings(database_url="sqlite://", webhook_url="https://example.invalid/hook")
    assert hooked.channels == ("console", "webhook")


def test_people_reach_the_pages_where_the_installation_says() -> None:
    assert Settings(database_url="sqlite://").address == "http://127.0.0.1:8653"
    assert (
        Settings(database_url="sqlite://", public_url="https://96533.example.cn/").address == "https://96533.example.cn"
    )
