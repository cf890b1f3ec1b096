"""Rows of the ledger as call records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from sluicegate.domain.usage import CallRecord
from sluicegate.storage.usage_batch import LEDGER_COLUMNS


def call_of(row: Row[Any]) -> CallRecord:
    values: dict[str, Any] = {name: getattr(row, name) for name in LEDGER_COLUMNS}
    values["group_ids"] = tuple(row.group_ids)
    return CallRecord(**values)
