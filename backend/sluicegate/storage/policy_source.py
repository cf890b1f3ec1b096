"""The rows that policy is compiled from, read with plain statements: no object of the mapper is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, and_, or_, select

from sluicegate.domain.policy import NO_BUDGET, NO_LIMITS, Budget, Grant, RateLimits, Subject, SubjectKind
from sluicegate.domain.secret_rule import SecretRule
from sluicegate.domain.user import Group, User
from sluicegate.ports.policy import CatalogRows, KeyRows, UserRows
from sluicegate.storage.connections import AsyncEngine
from sluicegate.storage.repositories.catalog import backends_by_model, model_value, provider_model_value, provider_value
from sluicegate.storage.repositories.credentials import key_value
from sluicegate.storage.repositories.overrides import override_value
from sluicegate.storage.repositories.policy import budget_value, grant_value, limits_value, subject_of
from sluicegate.storage.repositories.price_lists import current_and_coming, lists_by_model
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.secret_rules import rule_value
from sluicegate.storage.snapshot import snapshot
from sluicegate.storage.tables.catalog import BACKENDS, MODELS, PROVIDER_MODELS, PROVIDERS
from sluicegate.storage.tables.credentials import KEYS
from sluicegate.storage.tables.identity import GROUPS, MEMBERSHIPS, USERS
from sluicegate.storage.tables.policy import BUDGETS, GRANTS, OVERRIDES, RATE_LIMITS
from sluicegate.storage.tables.secret_rules import SECRET_RULES

# A subject's values, or a group's and its pool's, come in the same row under names of their own.
_POOL_LIMITS = RATE_LIMITS.alias("pool_rate_limits")
_POOL_BUDGETS = BUDGETS.alias("pool_budgets")


def _prefixed(prefix: str, table: FromClause) -> list[ColumnElement[Any]]:
    return [column.label(prefix + column.name) for column in table.c]


_OWN_COLUMNS = (*_prefixed("limit_", RATE_LIMITS), *_prefixed("budget_", BUDGETS))
_OVERRIDE_COLUMNS = _prefixed("override_", OVERRIDES)
_POOL_COLUMNS = (*_prefixed("pool_limit_", _POOL_LIMITS), *_prefixed("pool_budget_", _POOL_BUDGETS))


class SqlPolicySource:
    """Implements ports.policy.PolicySource; each answer comes from one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def users(self, ids: Sequence[str]) -> dict[str, UserRows]:
        async with snapshot(self._engine) as connection:
            user_rows = (await connection.execute(_users_statement(ids))).all()
            if not user_rows:
                return {}
            group_rows = (await connection.execute(_groups_statement(ids))).all()
            grant_rows = (await connection.execute(_grants_statement(ids))).all()
        people, groups, grants = dict[str, list[Row[Any]]](), dict[str, list[Row[Any]]](), dict[Subject, list[Grant]]()
        for row in user_rows:
            people.setdefault(row.id, []).append(row)
        for row in group_rows:
            groups.setdefault(row.member_id, []).append(row)
        for row in grant_rows:
            grants.setdefault(subject_of(row), []).append(grant_value(row))
        return {user_id: _user_rows(rows, groups.get(user_id, []), grants) for user_id, rows in people.items()}

    async def key(self, public_id: str) -> KeyRows | None:
        return await self._key(or_(KEYS.c.public_id == public_id, KEYS.c.previous_public_id == public_id))

    async def key_by_id(self, key_id: str) -> KeyRows | None:
        return await self._key(KEYS.c.id == key_id)

    async def _key(self, condition: ColumnElement[bool]) -> KeyRows | None:
        async with snapshot(self._engine) as connection:
            row = (await connection.execute(_key_statement(condition))).first()
        if row is None:
            return None
        key = key_value(row)
        subject = Subject(SubjectKind.KEY, key.id)
        limits, budgets = _values([(subject, row, "")])
        return KeyRows(key, limits.get(subject, NO_LIMITS), budgets.get(subject, NO_BUDGET))

    async def catalog(self, at: datetime) -> CatalogRows:
        async with snapshot(self._engine) as connection:
            models = (await connection.execute(select(MODELS).order_by(MODELS.c.slug))).all()
            backends = backends_by_model((await connection.execute(select(BACKENDS))).all())
            provider_models = (await connection.execute(select(PROVIDER_MODELS))).all()
            lists = lists_by_model((await connection.execute(current_and_coming(at))).all())
            providers = (await connection.execute(select(PROVIDERS))).all()
        return CatalogRows(
            models=[model_value(row, backends.get(row.id, [])) for row in models],
            provider_models={row.id: provider_model_value(row, lists.get(row.id, ()), at) for row in provider_models},
            providers={row.id: provider_value(row, at) for row in providers},
            credentials={row.id: row.sealed_credential for row in providers if row.sealed_credential is not None},
            headers={row.id: row.sealed_headers for row in providers if row.sealed_headers is not None},
        )

    async def secret_rules(self) -> list[SecretRule]:
        async with snapshot(self._engine) as connection:
            rows = await connection.execute(select(SECRET_RULES).where(SECRET_RULES.c.enabled.is_(True)))
            return [rule_value(row) for row in rows]


def _is(table: FromClause, kind: SubjectKind, subject_id: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(table.c.subject_kind == kind, table.c.subject_id == subject_id)


def _user_rows(
    user_rows: list[Row[Any]], group_rows: list[Row[Any]], grants: Mapping[Subject, list[Grant]]
) -> UserRows:
    own = Subject(SubjectKind.USER, user_rows[0].id)
    holders = [own, *(Subject(SubjectKind.GROUP, row.id) for row in group_rows)]
    limits, budgets = _values(
        [(own, user_rows[0], "")]
        + [(Subject(SubjectKind.GROUP, row.id), row, "") for row in group_rows]
        + [(Subject(SubjectKind.POOL, row.id), row, "pool_") for row in group_rows]
    )
    return UserRows(
        user=to_value(User, user_rows[0]),
        groups=[to_value(Group, row) for row in group_rows],
        grants=[grant for holder in holders for grant in grants.get(holder, ())],
        limits=limits,
        budgets=budgets,
        overrides=[override_value(row, "override_") for row in user_rows if row.override_id is not None],
    )


def _users_statement(ids: Sequence[str]) -> Select[Any]:
    """Of each user one row per override that nobody ended, at least one."""
    return (
        select(USERS, *_OWN_COLUMNS, *_OVERRIDE_COLUMNS)
        .outerjoin(RATE_LIMITS, _is(RATE_LIMITS, SubjectKind.USER, USERS.c.id))
        .outerjoin(BUDGETS, _is(BUDGETS, SubjectKind.USER, USERS.c.id))
        .outerjoin(OVERRIDES, and_(OVERRIDES.c.user_id == USERS.c.id, OVERRIDES.c.ended_at.is_(None)))
        .where(USERS.c.id.in_(ids))
    )


def _groups_statement(ids: Sequence[str]) -> Select[Any]:
    return (
        select(GROUPS, MEMBERSHIPS.c.user_id.label("member_id"), *_OWN_COLUMNS, *_POOL_COLUMNS)
        .join(MEMBERSHIPS, MEMBERSHIPS.c.group_id == GROUPS.c.id)
        .outerjoin(RATE_LIMITS, _is(RATE_LIMITS, SubjectKind.GROUP, GROUPS.c.id))
        .outerjoin(BUDGETS, _is(BUDGETS, SubjectKind.GROUP, GROUPS.c.id))
        .outerjoin(_POOL_LIMITS, _is(_POOL_LIMITS, SubjectKind.POOL, GROUPS.c.id))
        .outerjoin(_POOL_BUDGETS, _is(_POOL_BUDGETS, SubjectKind.POOL, GROUPS.c.id))
        .where(MEMBERSHIPS.c.user_id.in_(ids))
    )


def _key_statement(condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(KEYS, *_OWN_COLUMNS)
        .outerjoin(RATE_LIMITS, _is(RATE_LIMITS, SubjectKind.KEY, KEYS.c.id))
        .outerjoin(BUDGETS, _is(BUDGETS, SubjectKind.KEY, KEYS.c.id))
        .where(condition)
    )


def _grants_statement(ids: Sequence[str]) -> Select[Any]:
    groups = select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.user_id.in_(ids))
    return select(GRANTS).where(
        or_(
            and_(GRANTS.c.subject_kind == SubjectKind.USER, GRANTS.c.subject_id.in_(ids)),
            and_(GRANTS.c.subject_kind == SubjectKind.GROUP, GRANTS.c.subject_id.in_(groups)),
        )
    )


def _values(
    subjects: list[tuple[Subject, Row[Any], str]],
) -> tuple[dict[Subject, RateLimits], dict[Subject, Budget]]:
    """What the subjects set; a subject without a row of its own has null in the outer-joined columns."""
    limits, budgets = dict[Subject, RateLimits](), dict[Subject, Budget]()
    for subject, row, prefix in subjects:
        if getattr(row, f"{prefix}limit_subject_id") is not None:
            limits[subject] = limits_value(row, f"{prefix}limit_")
        if getattr(row, f"{prefix}budget_subject_id") is not None:
            budgets[subject] = budget_value(row, f"{prefix}budget_")
    return limits, budgets
