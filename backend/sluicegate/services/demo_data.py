"""A small company to look at: people, groups, policy, models, and a fortnight of past calls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluicegate.domain.apikey import TOKEN_PREFIX, ApiKey, AutomationToken, NewCredential, TokenScope, new_credential
from sluicegate.domain.audit import SYSTEM
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderKind, ProviderModel
from sluicegate.domain.policy import Budget, ChangeKind, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.domain.usage import CallRecord, Prices, TokenUsage, cost_of
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import hash_key_secret, hash_password, random_token, token_digest
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import NANOS_PER_USD, Nanos
from sluicegate.ports.store import Store, Transaction

ADMIN_EMAIL = "admin@demo.example"
MEMBER_EMAIL = "mia.member@demo.example"
_USD = NANOS_PER_USD
_HISTORY_DAYS = 14


@dataclass(frozen=True, slots=True)
class DemoFacts:
    """What a newcomer needs; shown once and kept in `demo.json`."""

    admin_email: str
    admin_password: str
    admin_token: str
    member_email: str
    member_password: str
    member_key: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Offer:
    slug: str
    display_name: str
    upstream: str
    prices: Prices
    context_window: int
    kind: ModelKind = ModelKind.CHAT


_OFFERS = (
    _Offer("demo-fast", "Demo Fast", "demo-fast", Prices(250_000_000, 25_000_000, None, None, 1_250_000_000), 128_000),
    _Offer(
        "demo-smart",
        "Demo Smart",
        "demo-smart",
        Prices(3_000_000_000, 300_000_000, 3_750_000_000, 6_000_000_000, 15_000_000_000),
        200_000,
    ),
    _Offer(
        "claude-demo",
        "Demo for Claude Code",
        "demo-smart",
        Prices(3_000_000_000, 300_000_000, 3_750_000_000, 6_000_000_000, 15_000_000_000),
        200_000,
    ),
    _Offer("demo-embed", "Demo Embed", "demo-embed", Prices(20_000_000), 8_192, ModelKind.EMBEDDING),
)


async def seed_demo(store: Store, clock: Clock, write_past: Callable[[Sequence[CallRecord]], None]) -> DemoFacts:
    """Fills an empty installation in one transaction; raises Conflict-like storage errors when it is not empty."""
    now = clock.now()
    admin_password, member_password = random_token(12), random_token(12)
    key, token = new_credential(), new_credential(TOKEN_PREFIX)
    key_hash = await asyncio.to_thread(hash_key_secret, key.secret)
    hashes = [await asyncio.to_thread(hash_password, word) for word in (admin_password, member_password)]
    admin = User(new_id(), ADMIN_EMAIL, "Ada Admin", Role.ADMIN, UserStatus.ACTIVE, now)
    member = User(new_id(), MEMBER_EMAIL, "Mia Member", Role.MEMBER, UserStatus.ACTIVE, now)
    others = [
        User(new_id(), f"{name.split()[0].lower()}@demo.example", name, Role.MEMBER, status, now)
        for name, status in (("Noor Haddad", UserStatus.ACTIVE), ("Kenji Sato", UserStatus.SUSPENDED))
    ]
    api_key = ApiKey(new_id(), key.public_id, member.id, "Laptop", key.prefix, key_hash, now)
    async with store.write() as tx:
        for user in (admin, member, *others):
            await tx.users.add(user)
        for user, hashed in zip((admin, member), hashes, strict=True):
            await tx.users.set_password_hash(user.id, hashed)
        models = await _add_catalog(tx, now)
        await _add_groups(tx, now, [admin, member, *others], models)
        await tx.keys.add(api_key)
        await tx.tokens.add(_token(token, admin, now))
        await tx.audit.record(SYSTEM, "demo.seed", "deployment", "demo", "Demo data")
        tx.changed(PolicyChange(ChangeKind.EVERYTHING))
    chatting = [(model, target) for model, target in models if model.kind is ModelKind.CHAT]
    past = list(_past_calls(now, [member, *others], api_key, chatting))
    await asyncio.to_thread(write_past, past)
    slugs = tuple(model.slug for model, _ in models)
    return DemoFacts(ADMIN_EMAIL, admin_password, token.text, MEMBER_EMAIL, member_password, key.text, slugs)


def _token(credential: NewCredential, admin: User, now: datetime) -> AutomationToken:
    digest = token_digest(credential.text)
    return AutomationToken(new_id(), admin.id, "Demo automation", credential.prefix, digest, tuple(TokenScope), now)


async def _add_catalog(tx: Transaction, now: datetime) -> list[tuple[Model, ProviderModel]]:
    provider = Provider(new_id(), "Demo", ProviderKind.DEMO, None, None, None, True, None, None, now)
    await tx.catalog.add_provider(provider)
    targets: dict[str, ProviderModel] = {}
    found: list[tuple[Model, ProviderModel]] = []
    for offer in _OFFERS:
        target = targets.get(offer.upstream)
        if target is None:
            target = targets[offer.upstream] = ProviderModel(
                new_id(),
                provider.id,
                offer.upstream,
                offer.kind,
                offer.context_window,
                8_192 if offer.kind is ModelKind.CHAT else None,
                now - timedelta(days=_HISTORY_DAYS + 1),
            ).costing(offer.prices, list_id=new_id())
            await tx.catalog.add_provider_model(target)
        backends = (Backend(new_id(), target.id, 0, 1),)
        model = Model(new_id(), offer.slug, offer.display_name, offer.kind, ModelStatus.ACTIVE, backends, now)
        await tx.catalog.add_model(model)
        found.append((model, target))
    return found


async def _add_groups(
    tx: Transaction, now: datetime, users: list[User], models: list[tuple[Model, ProviderModel]]
) -> None:
    engineering = Group(new_id(), "Engineering", "Everybody who writes code", now)
    contractors = Group(new_id(), "Contractors", "People who stay for a project", now)
    for group in (engineering, contractors):
        await tx.groups.add(group)
    await tx.groups.add_members(engineering.id, [user.id for user in users])
    await tx.groups.add_members(contractors.id, [users[-2].id, users[-1].id])
    subject = Subject(SubjectKind.GROUP, engineering.id)
    await tx.policy.add_grants(subject, [model.id for model, _ in models], now)
    await tx.policy.set_rate_limits(subject, RateLimits(requests=120, input_tokens=2_000_000, concurrent_requests=16))
    await tx.policy.set_budget(subject, Budget(day=Nanos(25 * _USD), month=Nanos(200 * _USD)))
    guests = Subject(SubjectKind.GROUP, contractors.id)
    await tx.policy.set_rate_limits(guests, RateLimits(requests=30))
    await tx.policy.set_budget(guests, Budget(week=Nanos(20 * _USD)))


def _past_calls(
    now: datetime, users: list[User], key: ApiKey, models: list[tuple[Model, ProviderModel]]
) -> Iterator[CallRecord]:
    """Believable calls on working hours of past days; the same at every seeding but for their ids and dates."""
    chance = random.Random(7)  # noqa: S311
    for back in range(_HISTORY_DAYS, 0, -1):
        day = (now - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
        busy = 12 if day.weekday() < 5 else 2
        for user in users[:2]:
            for _ in range(chance.randint(busy // 2, busy)):
                started = day + timedelta(seconds=chance.randint(8 * 3600, 18 * 3600))
                yield _past_call(chance, started, user, key, *chance.choice(models))


def _past_call(
    chance: random.Random, started: datetime, user: User, key: ApiKey, model: Model, target: ProviderModel
) -> CallRecord:
    usage = TokenUsage(
        input=chance.randint(400, 9_000),
        cache_read=chance.randint(0, 60_000),
        cache_write_5m=chance.randint(0, 4_000),
        output=chance.randint(80, 2_400),
    )
    ms, took = int(started.timestamp() * 1000), chance.randint(900, 14_000)
    return CallRecord(
        call_id=new_id(),
        started_ms=ms,
        finished_ms=ms + took,
        user_id=user.id,
        user_label=user.label,
        key_id=key.id if key.user_id == user.id else "",
        key_label=f"{key.name} ({key.prefix}…)" if key.user_id == user.id else "Workstation",
        group_ids=(),
        model_slug=model.slug,
        provider_id=target.provider_id,
        provider_name="Demo",
        provider_model=target.name,
        endpoint="messages" if model.slug.startswith("claude") else "chat.completions",
        stream=True,
        status=200,
        outcome="ok",
        input_tokens=usage.input,
        cache_read_tokens=usage.cache_read,
        cache_write_5m_tokens=usage.cache_write_5m,
        cache_write_1h_tokens=0,
        output_tokens=usage.output,
        reasoning_tokens=0,
        cost_nanos=cost_of(usage, target.prices),
        estimated=False,
        first_byte_ms=chance.randint(200, 1_500),
        client_app="claude-code" if model.slug.startswith("claude") else chance.choice(("codex", "aider", "curl")),
        project=chance.choice(("website", "billing", None)),
        session_id=None,
        price_list_id=target.current.id if target.current else None,
    )
