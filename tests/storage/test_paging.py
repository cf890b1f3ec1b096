"""Cursors come back from outside, so nothing about them may be believed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sluicegate.kit.cursor import encode_cursor
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import PageRequest
from sluicegate.storage.engine import SqlStore
from sluicegate.storage.repositories.paging import paged
from sluicegate.storage.tables.catalog import MODELS
from sluicegate.storage.tables.usage import LEDGER


@pytest.mark.parametrize("value", [5, None, "nul\0", True])
def test_a_text_key_takes_only_clean_text(value: str | int | None) -> None:
    with pytest.raises(InvalidInput, match="not a cursor of this list"):
        paged(select(MODELS), PageRequest(after=encode_cursor([value])), MODELS.c.slug)


@pytest.mark.parametrize("value", ["5", None, 2**63, -(2**63)])
def test_a_number_key_takes_only_numbers_that_fit(value: str | int | None) -> None:
    cursor = encode_cursor([value, "id"])
    with pytest.raises(InvalidInput, match="not a cursor of this list"):
        paged(select(LEDGER), PageRequest(after=cursor), LEDGER.c.started_ms, LEDGER.c.call_id)


@pytest.mark.parametrize("text", ["", "x", "!!!", "bnVsbA", encode_cursor(["a", "b"])])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a cursor of this list"):
        paged(select(MODELS), PageRequest(after=text), MODELS.c.slug)


async def test_a_list_in_the_order_of_names_takes_no_number_from_a_cursor(store: SqlStore) -> None:
    page = PageRequest(after=encode_cursor([5, "id"]))
    async with store.read() as tx:
        for ask in (tx.groups.page(None, page), tx.catalog.page_providers(None, page)):
            with pytest.raises(InvalidInput, match="not a cursor of this list"):
                await ask
