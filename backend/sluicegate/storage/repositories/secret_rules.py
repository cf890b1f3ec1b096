"""Secret rules, and what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update

from sluicegate.domain.secret_rule import SecretFinding, SecretRule
from sluicegate.ports.pages import FindingFilter, Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.instants import from_micros, to_micros
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.tables.secret_rules import FINDINGS, SECRET_RULES


def rule_value(row: Row[Any]) -> SecretRule:
    return to_value(SecretRule, row, check=row.checked_by)


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    return {"checked_by" if name == "check" else name: value for name, value in values.items()}


class SqlSecretRuleRepository:
    """Implements ports.store.SecretRuleRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[SecretRule]:
        ordered = select(SECRET_RULES).order_by(func.lower(SECRET_RULES.c.name), SECRET_RULES.c.id)
        return [rule_value(row) for row in await self._connection.execute(ordered)]

    async def get(self, rule_id: str) -> SecretRule | None:
        row = (await self._connection.execute(select(SECRET_RULES).where(SECRET_RULES.c.id == rule_id))).first()
        return rule_value(row) if row else None

    async def add(self, rule: SecretRule) -> None:
        await self._connection.execute(insert(SECRET_RULES).values(_stored(asdict(rule))))

    async def update(self, rule_id: str, **values: Any) -> None:
        await self._connection.execute(update(SECRET_RULES).where(SECRET_RULES.c.id == rule_id).values(_stored(values)))

    async def delete(self, rule_id: str) -> None:
        await self._connection.execute(delete(SECRET_RULES).where(SECRET_RULES.c.id == rule_id))

    async def add_findings(self, findings: Sequence[SecretFinding]) -> None:
        if findings:
            await self._connection.execute(insert(FINDINGS), [msgspec.structs.asdict(finding) for finding in findings])

    async def page_findings(self, where: FindingFilter, page: PageRequest) -> Page[SecretFinding]:
        chosen = select(FINDINGS).where(*_matches(where))
        keys = (FINDINGS.c.at, FINDINGS.c.id)
        statement = paged(chosen, page, *keys, descending=True, read=(from_micros, None))
        rows = (await self._connection.execute(statement)).all()
        return to_page(rows, page, _finding, lambda row: [to_micros(row.at), row.id])

    async def count_findings(self, where: FindingFilter) -> int:
        return await self._connection.scalar(select(func.count(FINDINGS.c.id)).where(*_matches(where))) or 0

    async def matched_calls(self, rule_ids: Sequence[str], since: datetime) -> dict[str, int]:
        statement = (
            select(FINDINGS.c.rule_id, func.count().label("calls"))
            .where(FINDINGS.c.rule_id.in_(rule_ids), FINDINGS.c.at >= since)
            .group_by(FINDINGS.c.rule_id)
        )
        counts = {row.rule_id: row.calls for row in await self._connection.execute(statement)}
        return {rule_id: counts.get(rule_id, 0) for rule_id in rule_ids}

    async def remove_findings(self, before: datetime, most: int) -> int:
        old = select(FINDINGS.c.id).where(FINDINGS.c.at < before).order_by(FINDINGS.c.at, FINDINGS.c.id).limit(most)
        ids = list(await self._connection.scalars(old))
        if ids:
            await self._connection.execute(delete(FINDINGS).where(FINDINGS.c.id.in_(ids)))
        return len(ids)


def _finding(row: Row[Any]) -> SecretFinding:
    return SecretFinding(**{name: getattr(row, name) for name in SecretFinding.__struct_fields__})


def _matches(where: FindingFilter) -> list[ColumnElement[bool]]:
    exact = {
        FINDINGS.c.rule_id: where.rule_id,
        FINDINGS.c.action: where.action,
        FINDINGS.c.user_id: where.user_id,
    }
    conditions = [column == value for column, value in exact.items() if value is not None]
    if where.since is not None:
        conditions.append(FINDINGS.c.at >= where.since)
    if where.until is not None:
        conditions.append(FINDINGS.c.at < where.until)
    return conditions
