"""Versions of what is edited, and what is not told of the statements that keep them."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sluicegate.domain.version import Editable, Edited
from sluicegate.storage.engine import SqlStore, make_engine
from sluicegate.storage.engine import database_url as async_url


async def test_what_no_id_could_be_is_held_like_anything_that_is_not_there(store: SqlStore) -> None:
    nobody, nothing = Edited(Editable.PROVIDER, "a" * 300), Edited(Editable.PROVIDER, "none")
    async with store.write() as tx:
        assert await tx.versions.hold(nobody) == 0
        assert await tx.versions.hold_all([nobody, nothing]) == {nobody: 0, nothing: 0}


async def test_an_error_of_the_database_repeats_no_values(database_url: str) -> None:
    engine = make_engine(async_url(database_url))
    with pytest.raises(DBAPIError) as failed:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT * FROM nowhere WHERE id = :id"), {"id": "ada@example.com"})
    await engine.dispose()
    assert "ada@example.com" not in str(failed.value)
