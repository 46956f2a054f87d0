"""What the tables are made of: types that mean the same on both databases, and the one metadata."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped
from sqlalchemy.types import TypeDecorator, TypeEngine


class _SqliteUtc(sqlite.DATETIME):
    """Text such as `2026-11-24 02:00:00.000000`: its order is the order of time. By C functions: times are hot."""

    def bind_processor(self, _dialect: Dialect) -> Callable[[Any], Any]:
        """Write UTC without its offset."""
        return lambda value: value and value.isoformat(" ", "microseconds")[:26]

    def result_processor(self, _dialect: Dialect, _coltype: object) -> Callable[[Any], Any]:
        """Read it back."""
        return lambda value: value and datetime.fromisoformat(f"{value}+00:00")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python on both databases; a naive value is a bug and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type."""
        utc = _SqliteUtc() if dialect.name == "sqlite" else DateTime(timezone=True)  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(utc)

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive times."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value if value.tzinfo is UTC else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Tell it in UTC, whatever zone the server speaks."""
        return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


class Base(DeclarativeBase):
    """One metadata for Flask-SQLAlchemy, alembic and Core."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it so
        datetime: UtcDateTime,
        dict[str, Any]: JSON().with_variant(JSONB(), "postgresql"),
        list[Any]: JSON().with_variant(JSONB(), "postgresql"),
        int: BigInteger().with_variant(Integer(), "sqlite"),
        str: Text,
    }


# Flask-SQLAlchemy owns the engine and its pool; the tables are plain declarative classes, queried by Core.
db = SQLAlchemy(metadata=Base.metadata, disable_autonaming=True)

Id = Mapped[int]


def table_of(model: type[Base]) -> Table:
    """Return the Core table of a declarative class."""
    return cast(Table, model.__table__)


def only(condition: str) -> dict[str, Any]:
    """Return what makes an index partial on both databases."""
    return {"sqlite_where": sql(condition), "postgresql_where": sql(condition)}
