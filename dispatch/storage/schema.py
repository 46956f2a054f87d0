"""The schema's version: bring a database to the newest one, and tell where it stands."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from dispatch.storage import (
    account_tables,
    arrival_tables,
    article_tables,
    callback_tables,
    case_tables,
    contact_tables,
    figures_tables,
    geocode_tables,
    incident_tables,
    message_tables,
    outage_tables,
    place_tables,
    roster_tables,
    screen_tables,
    similar_tables,
    surge_tables,
    tables,
    travel_tables,
    zoning_tables,
)
from dispatch.storage.db import Store

_HERE = Path(__file__).parent
# The metadata knows the tables once their modules are read.
_MODELS = (
    tables.TicketRow,
    account_tables.SessionRow,
    arrival_tables.DepotRow,
    callback_tables.CallbackRow,
    case_tables.CaseRow,
    contact_tables.ContactRow,
    figures_tables.FiguresDayRow,
    article_tables.ArticleRow,
    geocode_tables.SuggestionRow,
    incident_tables.IncidentRow,
    message_tables.MessageRow,
    outage_tables.OutageRow,
    place_tables.PlaceRow,
    roster_tables.RosterRow,
    screen_tables.PhotoRow,
    similar_tables.NotSameRow,
    surge_tables.SurgeRow,
    travel_tables.RoadGraphRow,
    zoning_tables.ZoneDraftRow,
)
TABLES = _MODELS[0].metadata
# The indexes of words are of each database's own kind; on SQLite each brings tables of its own.
_TERMS = ("call_terms", "article_terms")


def alembic_config() -> Config:
    """Return alembic's configuration without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations").replace("%", "%%"))
    return config


def upgrade(store: Store) -> None:
    """Bring the database to the newest version; nothing happens where it is there. Several may try at once."""
    config = alembic_config()
    with store.write() as tx:
        if not store.is_sqlite:
            tx.conn.execute(text("SELECT pg_advisory_xact_lock(96533)"))
        config.attributes["connection"] = tx.conn
        command.upgrade(config, "head")


def newest() -> str | None:
    """Return the newest version that the code knows."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def current(engine: Engine) -> str | None:
    """Return the version of the database, or None where it is empty."""
    with engine.connect() as conn:
        if not inspect(conn).has_table("alembic_version"):
            return None
        return MigrationContext.configure(conn).get_current_revision()


def drift(engine: Engine) -> list[object]:
    """Return the differences between the database and the tables of the code; empty where they agree."""
    with engine.connect() as conn:
        options = {"include_name": lambda name, kind, _p: kind != "table" or not str(name).startswith(_TERMS)}
        return list(compare_metadata(MigrationContext.configure(conn, opts=options), TABLES))
