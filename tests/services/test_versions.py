"""Of two who edit the same from the same state, one is refused: nobody's edit is overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.policy import Budget, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Role
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.errors import StaleVersion
from sluicegate.kit.money import Nanos
from sluicegate.services.budgets import BudgetService
from sluicegate.services.caller import Caller
from sluicegate.services.groups import GroupService
from sluicegate.services.keys import KeyService
from sluicegate.services.limits import LimitService
from sluicegate.services.models import ModelChange, ModelService, NewModel
from sluicegate.services.narrowing import KeyChange
from sluicegate.services.provider_models import NewProviderModel, ProviderModelChange, ProviderModelService
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService
from sluicegate.services.users import UserService
from sluicegate.services.versions import VersionService

Edit = Callable[[int, int | None], Awaitable[Any]]


class Stage:
    """One of each thing that can be edited."""

    def __init__(self, site: Site, admin: Caller) -> None:
        self.site, self.admin = site, admin
        self.versions = VersionService(site.store)

    async def edits(self) -> dict[str, tuple[Edited, Edit]]:
        """By kind: the thing, and an edit that takes a number to set and the expected version."""
        site, admin, store, clock = self.site, self.admin, self.site.store, self.site.clock
        users, groups, keys = UserService(store), GroupService(store, clock), KeyService(store, clock)
        limits, budgets = LimitService(store), BudgetService(store)
        providers = ProviderService(store, EnvelopeVault(b"k" * 32), clock, allow_private=False)
        offers, models = ProviderModelService(store, clock), ModelService(store, clock)
        mia = (await site.person("mia@example.com")).user.id
        group = (await groups.create(admin, "Team")).id
        key = (await keys.create(admin, "Laptop", None))[0].id
        provider = (await providers.create(admin, NewProvider(ProviderKind.DEMO, "Demo"))).id
        offer = (await offers.create(admin, NewProviderModel(provider, "demo-fast"))).id
        model = (await models.create(admin, NewModel("fast"))).id
        user, pool = Subject(SubjectKind.USER, mia), Subject(SubjectKind.POOL, group)
        return {
            "user": (
                Edited(Editable.USER, mia),
                lambda n, v: users.update(admin, mia, name=f"Mia {n}", expected_version=v),
            ),
            "group": (
                Edited(Editable.GROUP, group),
                lambda n, v: groups.update(admin, group, description=f"{n}", expected_version=v),
            ),
            "api_key": (Edited(Editable.KEY, key), lambda n, v: keys.update(admin, key, KeyChange(name=f"{n}"), v)),
            "provider": (
                Edited(Editable.PROVIDER, provider),
                lambda n, v: providers.update(admin, provider, ProviderChange(name=f"Demo {n}"), v),
            ),
            "provider_model": (
                Edited(Editable.PROVIDER_MODEL, offer),
                lambda n, v: offers.update(admin, offer, ProviderModelChange(context_window=n + 1), v),
            ),
            "model": (
                Edited(Editable.MODEL, model),
                lambda n, v: models.update(admin, model, ModelChange(display_name=f"Fast {n}"), v),
            ),
            "rate_limit": (
                Edited.limits_of(user),
                lambda n, v: limits.set(admin, user, RateLimits(requests=n), v),
            ),
            "budget": (Edited.budget_of(pool), lambda n, v: budgets.set(admin, pool, Budget(day=Nanos(n)), v)),
        }


KINDS = ["user", "group", "api_key", "provider", "provider_model", "model", "rate_limit", "budget"]


@pytest.fixture
async def stage(site: Site) -> Stage:
    return Stage(site, await site.person("root@example.com", Role.ADMIN))


@pytest.mark.parametrize("kind", KINDS)
async def test_of_many_edits_from_the_same_state_one_is_taken(stage: Stage, kind: str) -> None:
    thing, edit = (await stage.edits())[kind]
    for start in (0, 1):
        number = 100 * (start + 1)
        outcomes = await asyncio.gather(*(edit(number + n, start) for n in range(6)), return_exceptions=True)
        taken = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        assert len(taken) == 1, outcomes
        refused = [outcome for outcome in outcomes if isinstance(outcome, StaleVersion)]
        assert len(refused) == 5
        assert {(error.code, error.status, error.field) for error in refused} == {
            ("stale_version", 409, "expectedVersion")
        }
        assert (await stage.versions.of(stage.admin, [thing]))[thing] == start + 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stale_edit_changes_nothing_and_hears_who_was_quicker(stage: Stage, kind: str) -> None:
    thing, edit = (await stage.edits())[kind]
    first = await edit(7, 0)
    published = len(stage.site.feed.published)
    with pytest.raises(StaleVersion, match=r"at version 1 now, and your edit began at 0\. Root .* changed .* at 2026"):
        await edit(8, 0)
    assert len(stage.site.feed.published) == published
    # The same again is no edit, and whoever names no version edits whatever is there.
    assert await edit(7, 1) == first
    assert (await stage.versions.of(stage.admin, [thing]))[thing] == 1
    assert await edit(9, None) != first
    assert (await stage.versions.of(stage.admin, [thing]))[thing] == 2
    with pytest.raises(StaleVersion):
        await edit(10, 5)


async def test_edits_without_a_version_all_count(stage: Stage) -> None:
    thing, edit = (await stage.edits())["rate_limit"]
    await asyncio.gather(*(edit(n, None) for n in range(1, 9)))
    assert await stage.versions.of(stage.admin, [thing]) == {thing: 8}
    await edit(0, 8)
    # Clearing a value and setting it again does not start from the beginning.
    subject = Subject(SubjectKind.USER, thing.id.partition(":")[2])
    await LimitService(stage.site.store).set(stage.admin, subject, RateLimits(), 9)
    with pytest.raises(StaleVersion):
        await edit(5, 0)
