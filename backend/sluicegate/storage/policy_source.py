"""The rows that policy is compiled from, read with plain statements: no object of the mapper is made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.policy import Budget, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Group, User
from sluicegate.ports.policy import CatalogRows, UserRows
from sluicegate.storage.repositories.catalog import (
    BACKENDS,
    MODELS,
    PROVIDER_MODELS,
    PROVIDERS,
    backends_by_model,
    model_value,
    provider_model_value,
    provider_value,
)
from sluicegate.storage.repositories.policy import BUDGETS, GRANTS, RATE_LIMITS, budget_value, grant_value, limits_value
from sluicegate.storage.repositories.rows import table_of, to_value
from sluicegate.storage.snapshot import snapshot
from sluicegate.storage.tables.credentials import ApiKeyRow
from sluicegate.storage.tables.identity import GroupRow, MembershipRow, UserRow

_KEYS = table_of(ApiKeyRow)
_USERS = table_of(UserRow)
_GROUPS = table_of(GroupRow)
_MEMBERSHIPS = table_of(MembershipRow)
# `subject_id` comes from the outer-joined tables and tells whether the subject has such a row at all.
_LIMIT_COLUMNS = (
    RATE_LIMITS.c.subject_id.label("limited"),
    *(c for c in RATE_LIMITS.c if not c.primary_key),
)
_BUDGET_COLUMNS = (
    BUDGETS.c.subject_id.label("budgeted"),
    *(c for c in BUDGETS.c if not c.primary_key),
)


class SqlPolicySource:
    """Implements ports.policy.PolicySource; each answer comes from one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def user(self, user_id: str) -> UserRows | None:
        async with snapshot(self._engine) as connection:
            user_row = (await connection.execute(_user_statement(user_id))).first()
            if user_row is None:
                return None
            group_rows = (await connection.execute(_groups_statement(user_id))).all()
            grant_rows = (await connection.execute(_grants_statement(user_id))).all()
        subjects = [(Subject(SubjectKind.USER, user_id), user_row)]
        subjects += [(Subject(SubjectKind.GROUP, row.id), row) for row in group_rows]
        limits, budgets = _values_of(subjects)
        return UserRows(
            user=to_value(User, user_row),
            groups=[to_value(Group, row) for row in group_rows],
            grants=[grant_value(row) for row in grant_rows],
            limits=limits,
            budgets=budgets,
        )

    async def key(self, public_id: str) -> ApiKey | None:
        async with snapshot(self._engine) as connection:
            row = (await connection.execute(select(_KEYS).where(_KEYS.c.public_id == public_id))).first()
        return to_value(ApiKey, row) if row else None

    async def catalog(self) -> CatalogRows:
        async with snapshot(self._engine) as connection:
            models = (await connection.execute(select(MODELS).order_by(MODELS.c.slug))).all()
            backends = backends_by_model((await connection.execute(select(BACKENDS))).all())
            provider_models = (await connection.execute(select(PROVIDER_MODELS))).all()
            providers = (await connection.execute(select(PROVIDERS))).all()
        return CatalogRows(
            models=[model_value(row, backends.get(row.id, [])) for row in models],
            provider_models={row.id: provider_model_value(row) for row in provider_models},
            providers={row.id: provider_value(row) for row in providers},
            credentials={row.id: row.sealed_credential for row in providers if row.sealed_credential is not None},
        )


def _is(table: Table, kind: SubjectKind, subject_id: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(table.c.subject_kind == kind, table.c.subject_id == subject_id)


def _user_statement(user_id: str) -> Select[Any]:
    return (
        select(_USERS, *_LIMIT_COLUMNS, *_BUDGET_COLUMNS)
        .outerjoin(RATE_LIMITS, _is(RATE_LIMITS, SubjectKind.USER, _USERS.c.id))
        .outerjoin(BUDGETS, _is(BUDGETS, SubjectKind.USER, _USERS.c.id))
        .where(_USERS.c.id == user_id)
    )


def _groups_statement(user_id: str) -> Select[Any]:
    return (
        select(_GROUPS, *_LIMIT_COLUMNS, *_BUDGET_COLUMNS)
        .join(_MEMBERSHIPS, _MEMBERSHIPS.c.group_id == _GROUPS.c.id)
        .outerjoin(RATE_LIMITS, _is(RATE_LIMITS, SubjectKind.GROUP, _GROUPS.c.id))
        .outerjoin(BUDGETS, _is(BUDGETS, SubjectKind.GROUP, _GROUPS.c.id))
        .where(_MEMBERSHIPS.c.user_id == user_id)
    )


def _grants_statement(user_id: str) -> Select[Any]:
    groups = select(_MEMBERSHIPS.c.group_id).where(_MEMBERSHIPS.c.user_id == user_id)
    return select(GRANTS).where(
        or_(
            and_(GRANTS.c.subject_kind == SubjectKind.USER, GRANTS.c.subject_id == user_id),
            and_(GRANTS.c.subject_kind == SubjectKind.GROUP, GRANTS.c.subject_id.in_(groups)),
        )
    )


def _values_of(subjects: list[tuple[Subject, Row[Any]]]) -> tuple[dict[Subject, RateLimits], dict[Subject, Budget]]:
    limits = {subject: limits_value(row) for subject, row in subjects if row.limited is not None}
    budgets = {subject: budget_value(row) for subject, row in subjects if row.budgeted is not None}
    return limits, budgets
