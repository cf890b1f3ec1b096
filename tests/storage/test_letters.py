"""Letters beyond ASCII in names, which SQLite's own functions do not know in both cases."""

from __future__ import annotations

import pytest

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.audit import SYSTEM
from sluicegate.domain.catalog import Model, ModelKind, ModelStatus, Provider, ProviderKind
from sluicegate.domain.policy import RateLimits, Subject, SubjectKind
from sluicegate.domain.scim import GroupKey
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.ports.overview import OwnerFilter
from sluicegate.ports.pages import AuditFilter, KeyFilter, Page, PageRequest, UserFilter
from sluicegate.storage.engine import SqlStore
from sluicegate.storage.repositories import search
from storage.records import NOW

NAME = "ÖKO [ÄMTER] ^*?Жук"
TEXTS = [NAME, NAME.lower(), "Öko", "öKO [ä", "ämter]", "Ж", "^*?жУК"]
OTHERS = ["Öko.", "ÖÄ", "^*?*Ж", "[Ä]", "Ö*Ж"]
EVERYTHING = PageRequest()


async def furnish(store: SqlStore) -> None:
    async with store.write() as tx:
        await tx.users.add(User("ada", "ada@example.com", NAME, Role.MEMBER, UserStatus.ACTIVE, NOW))
        await tx.groups.add(Group("team", NAME, "", NOW))
        await tx.policy.set_rate_limits(Subject(SubjectKind.GROUP, "team"), RateLimits(requests=1))
        await tx.catalog.add_provider(Provider("p", NAME, ProviderKind.DEMO, None, None, None, True, None, None, NOW))
        await tx.catalog.add_model(Model("m", "fast", NAME, ModelKind.CHAT, ModelStatus.DRAFT, (), NOW))
        await tx.keys.add(ApiKey("k", "public", "ada", NAME, "sg_k", "-", NOW))
        await tx.audit.record(SYSTEM, "group.create", "group", "team", NAME)


async def found(store: SqlStore, text: str) -> dict[str, int]:
    async with store.read() as tx:
        pages: dict[str, Page[object]] = {
            "users": await tx.users.page(UserFilter(text), "name_asc", EVERYTHING),
            "groups": await tx.groups.page(text, EVERYTHING),
            "providers": await tx.catalog.page_providers(text, EVERYTHING),
            "models": await tx.catalog.page_models(text, None, None, EVERYTHING),
            "keys": await tx.keys.page(KeyFilter(NOW, NOW, text), EVERYTHING),
            "audit": await tx.audit.page(AuditFilter(search=text), EVERYTHING),
            "limits": await tx.overview.page_limits(OwnerFilter(search=text), NOW, EVERYTHING),
        }
    return {name: len(page.items) for name, page in pages.items()}


@pytest.mark.parametrize("few", [True, False], ids=["few", "many"])
async def test_names_are_found_in_either_case(store: SqlStore, monkeypatch: pytest.MonkeyPatch, few: bool) -> None:
    if not few:
        monkeypatch.setattr(search, "FEW", 1)
    await furnish(store)
    for text in TEXTS:
        assert set((await found(store, text)).values()) == {1}, text
    for text in OTHERS:
        assert set((await found(store, text)).values()) == {0}, text


async def test_names_that_differ_in_case_alone_are_the_same(store: SqlStore) -> None:
    await furnish(store)
    async with store.read() as tx:
        for name in (NAME, NAME.lower(), NAME.swapcase()):
            assert await tx.groups.by_name(name) is not None
            assert await tx.catalog.provider_by_name(name) is not None
            assert await tx.scim.count_groups([(GroupKey.DISPLAY_NAME, name)]) == 1
        for name in ("Öko", NAME + "x", "*"):
            assert await tx.groups.by_name(name) is None
            assert await tx.catalog.provider_by_name(name) is None
