"""Road graphs and isochrones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import bindparam, delete, func, insert, select

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.travel_tables import IsochroneRow, RoadGraphRow

GRAPHS, ISOCHRONES = table_of(RoadGraphRow), table_of(IsochroneRow)
_KEY = ("graph_id", "place", "minutes")
# The one that holds, and the one before it, which a process may be about to read.
_KEPT = 2
_NEWEST = select(func.max(GRAPHS.c.id))
_GRAPH = select(GRAPHS.c.npz, GRAPHS.c.travel).where(GRAPHS.c.id == bindparam("graph_id"))
_ABOUT = select(*(column for column in GRAPHS.c if column.name not in ("npz", "travel")))
_ISOCHRONE = select(ISOCHRONES.c.wkb).where(*(ISOCHRONES.c[name] == bindparam(name) for name in _KEY))


def newest(tx: Tx) -> int | None:
    """Return the id of the graph that holds, or None."""
    return cast("int | None", tx.conn.execute(_NEWEST).scalar())


def graph(tx: Tx, graph_id: int) -> tuple[bytes, dict[str, Any]]:
    """Return the arrays of a graph, and what it was made with."""
    row = tx.conn.execute(_GRAPH, {"graph_id": graph_id}).one()
    return row.npz, row.travel


def about(tx: Tx, graph_id: int) -> dict[str, Any]:
    """Return what is told of a graph, without its arrays."""
    return dict(tx.conn.execute(_ABOUT.where(GRAPHS.c.id == graph_id)).mappings().one())


def add_graph(tx: Tx, values: Mapping[str, Any]) -> int:
    """Store a new version and return its id.

    Isochrones of the others, which nobody asks for again, go; so do the others but the last: a graph has many MB.
    """
    graph_id = int(tx.conn.execute(insert(GRAPHS).returning(GRAPHS.c.id), values).scalar_one())
    tx.conn.execute(delete(ISOCHRONES))
    kept = select(GRAPHS.c.id).order_by(GRAPHS.c.id.desc()).limit(_KEPT)
    tx.conn.execute(delete(GRAPHS).where(GRAPHS.c.id.not_in(kept)))
    return graph_id


def isochrone(tx: Tx, key: Mapping[str, Any]) -> tuple[bytes | None] | None:
    """Return what is kept of a `graph_id`, `place` and `minutes`, or None where nothing is."""
    row = tx.conn.execute(_ISOCHRONE, key).first()
    return (row.wkb,) if row else None


def keep_isochrone(tx: Tx, values: Mapping[str, Any]) -> None:
    """Keep an isochrone; where another was quicker, it is the same."""
    put = upsert(tx.dialect, ISOCHRONES).values(**values)
    tx.conn.execute(put.on_conflict_do_nothing(index_elements=_KEY))
