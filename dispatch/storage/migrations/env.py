"""Alembic's entry: the connection is handed over by storage/schema.py."""

from __future__ import annotations

from alembic import context

from dispatch.storage import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.TicketRow.metadata,
    render_as_batch=True,
    # Made by raw SQL, since FTS5 and text[] have no common form.
    include_name=lambda name, type_, _parents: type_ != "table" or not str(name).startswith("call_terms"),
)
with context.begin_transaction():
    context.run_migrations()
