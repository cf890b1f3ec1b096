"""The policy service over rows that a test may change, with counters that start empty."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluicegate.adapters.memory import MemoryAdmission
from sluicegate.domain.apikey import ApiKey, new_credential
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderKind, ProviderModel
from sluicegate.domain.policy import Budget, Grant, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.secret_rule import SecretRule
from sluicegate.domain.usage import Prices, TokenUsage
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.clock import ManualClock
from sluicegate.kit.crypto import hash_key_secret
from sluicegate.kit.money import Nanos
from sluicegate.kit.secret import Secret
from sluicegate.policy.refusals import Refusal
from sluicegate.policy.service import PolicyService
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import CatalogRows, KeyRows, PastUse, UserRows

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ADA = Subject(SubjectKind.USER, "ada")
TEAM = Subject(SubjectKind.GROUP, "team")
POOL = Subject(SubjectKind.POOL, "team")
CREDENTIAL = new_credential()
HASH = hash_key_secret(CREDENTIAL.secret)


class Rows:
    """A policy source whose rows a test may change; each read takes a turn of the loop, as a database would."""

    def __init__(self) -> None:
        self.user_rows: UserRows | None = UserRows(
            User("ada", "ada@example.com", "Ada", Role.MEMBER, UserStatus.ACTIVE, NOW),
            [Group("team", "Team", "", NOW)],
            [Grant("g1", TEAM, "m1", NOW)],
            {TEAM: RateLimits(requests=1000)},
            {},
        )
        self.rules: list[SecretRule] = []
        self.api_key: ApiKey | None = ApiKey("k1", CREDENTIAL.public_id, "ada", "laptop", CREDENTIAL.prefix, HASH, NOW)
        prices = Prices(input=1_000_000_000, output=2_000_000_000)
        target = ProviderModel("pm1", "p1", "demo-fast", ModelKind.CHAT, None, None, NOW)
        target = target.costing(prices, list_id="pl1")
        self.catalog_rows = CatalogRows(
            [Model("m1", "fast", "Fast", ModelKind.CHAT, ModelStatus.ACTIVE, (Backend("b1", "pm1", 0, 1),), NOW)],
            {"pm1": target},
            {"p1": Provider("p1", "Demo", ProviderKind.DEMO, None, None, None, True, None, None, NOW)},
            {},
        )
        self.key_limits, self.key_budget = RateLimits(), Budget()
        self.others: dict[str, UserRows] = {}
        self.other_keys: dict[str, KeyRows] = {}
        self.key_reads = 0

    async def users(self, ids: Sequence[str]) -> dict[str, UserRows]:
        every = {**self.others, **({self.user_rows.user.id: self.user_rows} if self.user_rows else {})}
        await asyncio.sleep(0)
        return {user_id: every[user_id] for user_id in ids if user_id in every}

    async def key(self, public_id: str) -> KeyRows | None:
        self.key_reads += 1
        rows = KeyRows(self.api_key, self.key_limits, self.key_budget) if self.api_key else None
        if rows is None or rows.key.public_id != public_id:
            rows = self.other_keys.get(public_id)
        await asyncio.sleep(0)
        return rows

    async def catalog(self, at: datetime) -> CatalogRows:
        rows = self.catalog_rows
        await asyncio.sleep(0)
        return rows

    async def secret_rules(self) -> list[SecretRule]:
        rules = list(self.rules)
        await asyncio.sleep(0)
        return rules

    def add_colleague(self, user_id: str) -> str:
        """Somebody with Ada's groups, grants and limits; gives the key."""
        assert self.user_rows
        user = replace(self.user_rows.user, id=user_id, email=f"{user_id}@example.com", name=user_id.title())
        made = new_credential()
        self.others[user_id] = replace(self.user_rows, user=user)
        key = ApiKey(f"k-{user_id}", made.public_id, user_id, "desk", made.prefix, hash_key_secret(made.secret), NOW)
        self.other_keys[made.public_id] = KeyRows(key)
        return made.text

    def set_policy(self, **values: object) -> None:
        """Replaces fields of everybody's rows."""
        assert self.user_rows
        self.user_rows = replace(self.user_rows, **values)  # type: ignore[arg-type]
        self.others = {i: replace(rows, **values) for i, rows in self.others.items()}  # type: ignore[arg-type]

    def set_user(self, **values: object) -> None:
        assert self.user_rows
        self.user_rows = replace(self.user_rows, user=replace(self.user_rows.user, **values))  # type: ignore[arg-type]


class NoSpend:
    async def load(self, subject: Subject, periods: dict[Window, str], install: Callable[[PastUse], None]) -> None:
        install(PastUse({}))


class PlainVault:
    def seal(self, secret: Secret, context: str) -> str:
        return secret.reveal()

    def unseal(self, sealed: str, context: str) -> Secret:
        return Secret(sealed)


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.rows = Rows()
        periods = PeriodClock(UTC)
        self.admission = MemoryAdmission(NoSpend(), self.clock, periods)
        self.policy = PolicyService(self.rows, PlainVault(), self.admission, self.clock, periods)

    async def call(self, slug: str = "fast", credential: str = CREDENTIAL.text) -> None:
        admitted = await self.policy.admit(credential, "10.0.0.1", slug, 100, 50)
        self.policy.settle(admitted, TokenUsage(input=100, output=20), Nanos(140_000))

    async def refusal(self, slug: str = "fast", credential: str = CREDENTIAL.text) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.policy.admit(credential, "10.0.0.1", slug, 100, 50)
        return caught.value
