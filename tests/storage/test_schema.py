"""The schema comes up, agrees with the code, and goes down again."""

import pytest
from alembic import command
from sqlalchemy import inspect, text

from dispatch.storage import schema
from dispatch.storage.db import Store
from tests.support.store import in_parallel, open_store


def downgrade(store: Store) -> None:
    config = schema.alembic_config()
    with store.write() as tx:
        config.attributes["connection"] = tx.conn
        command.downgrade(config, "base")


def test_an_empty_database_has_no_version(bare_store: Store) -> None:
    assert schema.current(bare_store.engine) is None


def test_up_down_and_up_again(bare_store: Store) -> None:
    schema.upgrade(bare_store)
    assert schema.current(bare_store.engine) == schema.newest()
    downgrade(bare_store)
    assert schema.current(bare_store.engine) is None
    assert inspect(bare_store.engine).get_table_names() == ["alembic_version"]
    schema.upgrade(bare_store)
    assert schema.current(bare_store.engine) == schema.newest()


def test_the_database_agrees_with_the_tables(bare_store: Store) -> None:
    assert schema.drift(bare_store.engine) != []
    schema.upgrade(bare_store)
    assert schema.drift(bare_store.engine) == []


def test_a_second_upgrade_changes_nothing(store: Store) -> None:
    with store.read() as tx:
        before = tx.conn.execute(text("SELECT count(*) FROM zones")).scalar_one()
    schema.upgrade(store)
    with store.read() as tx:
        assert tx.conn.execute(text("SELECT count(*) FROM zones")).scalar_one() == before > 100


def test_two_may_upgrade_at_once(empty_url: str) -> None:
    stores = [open_store(empty_url) for _ in range(2)]
    results = in_parallel([lambda store=store: schema.upgrade(store) for store in stores])  # type: ignore[misc]
    assert results == [None, None]
    assert schema.current(stores[0].engine) == schema.newest()
    assert schema.drift(stores[0].engine) == []
    for store in stores:
        store.close()


@pytest.mark.parametrize("place", ["100% new", "plain"])
def test_the_configuration_needs_no_file(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_HERE", schema._HERE / place)
    assert schema.alembic_config().get_main_option("script_location") == str(schema._HERE / "migrations")
