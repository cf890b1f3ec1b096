"""The ledger of an installation, read past all of its servers."""

from __future__ import annotations

from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url

from sluicegate.domain.usage import CallRecord
from sluicegate.storage.tables.usage import LEDGER
from sluicegate.storage.usage_batch import LEDGER_COLUMNS


def ledger_of(database: str) -> list[CallRecord]:
    engine = create_engine(driven(database))
    with engine.connect() as connection:
        rows = connection.execute(select(*(LEDGER.c[name] for name in LEDGER_COLUMNS))).all()
    engine.dispose()
    return [CallRecord(*row) for row in rows]


def driven(url: str) -> str:
    """The URL of a database with the driver that reads it here."""
    return (
        make_url(url)
        .set(drivername="postgresql+psycopg" if url.startswith("postgresql") else "sqlite")
        .render_as_string(hide_password=False)
    )
