"""Fills an empty data folder with one user whose calls meet every kind of rule, and prints the user's gateway key.

The user is in three groups; user and groups have all four rate limits and all three budgets, too high to refuse; the
model is granted through one of the groups, and has another name at its provider, which asks for a credential.
"""

from __future__ import annotations

import argparse
import asyncio

from sluicegate.container import Container
from sluicegate.domain.apikey import ApiKey, new_credential
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderKind, ProviderModel
from sluicegate.domain.policy import Budget, ChangeKind, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.domain.usage import Prices
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.crypto import hash_key_secret
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import NANOS_PER_USD, Nanos
from sluicegate.kit.secret import Secret
from sluicegate.ports.store import Transaction
from sluicegate.premises import prepare_database
from sluicegate.settings import load

SLUG = "bench-model"
_MANY = 2_000_000_000
_PRICES = Prices(
    input=3_000_000_000,
    cache_read=300_000_000,
    cache_write_5m=3_750_000_000,
    cache_write_1h=6_000_000_000,
    output=15_000_000_000,
)


async def seed(container: Container, provider_port: int) -> str:
    now = container.clock.now()
    user = User(new_id(), "bench@example.com", "Bea Bench", Role.MEMBER, UserStatus.ACTIVE, now)
    made = new_credential()
    async with container.store.write() as tx:
        model_id = await add_model(tx, container, provider_port)
        await tx.users.add(user)
        await limit(tx, Subject(SubjectKind.USER, user.id), 3)
        for number, name in enumerate(("Engineering", "Research", "Everybody")):
            group = Group(new_id(), name, "", now)
            subject = Subject(SubjectKind.GROUP, group.id)
            await tx.groups.add(group)
            await tx.groups.add_members(group.id, [user.id])
            await limit(tx, subject, number)
            if not number:
                await tx.policy.add_grants(subject, [model_id], now)
        hashed = hash_key_secret(made.secret)
        await tx.keys.add(ApiKey(new_id(), made.public_id, user.id, "bench", made.prefix, hashed, now))
        tx.changed(PolicyChange(ChangeKind.EVERYTHING))
    return made.text


async def limit(tx: Transaction, subject: Subject, less: int) -> None:
    """All rates and budgets; `less` makes those of different subjects differ, as they do in life."""
    await tx.policy.set_rate_limits(subject, RateLimits(_MANY - less, _MANY - less, _MANY - less, 1_000_000 - less))
    day, week, month = (Nanos((amount - less) * NANOS_PER_USD) for amount in (100_000_000, 200_000_000, 300_000_000))
    await tx.policy.set_budget(subject, Budget(day, week, month))


async def add_model(tx: Transaction, container: Container, port: int) -> str:
    now = container.clock.now()
    url = f"http://127.0.0.1:{port}/v1"
    provider = Provider(new_id(), "Bench", ProviderKind.CUSTOM_OPENAI, url, None, None, True, None, None, now)
    target = ProviderModel(new_id(), provider.id, "bench-upstream", ModelKind.CHAT, 200_000, 8_192, now)
    target = target.costing(_PRICES, list_id=new_id())
    model = Model(
        new_id(), SLUG, "Bench", ModelKind.CHAT, ModelStatus.ACTIVE, (Backend(new_id(), target.id, 0, 1),), now
    )
    await tx.catalog.add_provider(provider)
    sealed = container.vault.seal(Secret("sk-bench"), f"provider:{provider.id}")
    await tx.catalog.set_sealed_credential(provider.id, sealed, "sk-", now)
    await tx.catalog.add_provider_model(target)
    await tx.catalog.add_model(model)
    return model.id


async def _main(provider_port: int) -> str:
    settings = load()
    prepare_database(settings)
    container = Container(settings, settings.url_at(settings.port))
    try:
        return await seed(container, provider_port)
    finally:
        await container.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream-port", type=int, required=True)
    print(asyncio.run(_main(parser.parse_args().upstream_port)))
