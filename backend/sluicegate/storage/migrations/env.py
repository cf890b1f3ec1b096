"""Run by alembic. The connection, its lock and its transaction belong to `storage.migrate`."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from sluicegate.storage.tables.every import METADATA

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,
    # SQLite can take back schema changes too, once transactions are begun by hand.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
