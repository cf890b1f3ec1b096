"""Prices that start later, and those that have started: what may be planned, taken back, and never altered."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.catalog import ModelKind, ProviderKind, ProviderModel
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.price_list import PlannedMultiplier
from sluicegate.domain.usage import Prices
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Forbidden, InvalidInput, NotFound, StaleVersion
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.caller import Caller
from sluicegate.services.price_lists import MAX_COMING, ComingPrices, PriceListService
from sluicegate.services.provider_models import NewProviderModel, ProviderModelChange, ProviderModelService
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService

OLD, NEW = Prices(input=1_000, output=2_000), Prices(input=500, output=1_000)


class Stage:
    def __init__(self, site: Site, admin: Caller, provider_id: str) -> None:
        self.site, self.admin, self.provider_id = site, admin, provider_id
        self.providers = ProviderService(site.store, EnvelopeVault(b"k" * 32), site.clock, allow_private=False)
        self.offers = ProviderModelService(site.store, site.clock)
        self.lists = PriceListService(site.store, site.clock)

    def later(self, hours: float) -> datetime:
        return self.site.clock.now() + timedelta(hours=hours)

    async def offer(self, kind: ModelKind = ModelKind.CHAT) -> ProviderModel:
        return await self.offers.create(self.admin, NewProviderModel(self.provider_id, "gpt-5", kind, OLD))

    async def read(self, model: ProviderModel) -> ProviderModel:
        return (await self.offers.get_many(self.admin, [model.id]))[model.id]

    async def schedule(self, model: ProviderModel, at: datetime, prices: Prices = NEW) -> ProviderModel:
        return await self.lists.schedule(self.admin, ComingPrices(model.id, at, prices))


@pytest.fixture
async def stage(site: Site) -> Stage:
    admin = await site.person("ada@example.com", Role.ADMIN)
    stage = Stage(site, admin, "")
    stage.provider_id = (await stage.providers.create(admin, NewProvider(ProviderKind.DEMO, "Demo"))).id
    return stage


async def test_planned_prices_start_by_themselves(stage: Stage) -> None:
    offer = await stage.offer()
    stage.site.feed.published.clear()
    planned = await stage.schedule(offer, stage.later(2))
    assert planned.prices == OLD
    assert stage.site.feed.published == [PolicyChange(ChangeKind.CATALOG)]
    stage.site.clock.advance(2 * 3600 - 1)
    assert (await stage.read(offer)).prices == OLD
    stage.site.clock.advance(1)
    assert (await stage.read(offer)).prices == NEW


async def test_a_change_leaves_what_was_and_what_is_planned(stage: Stage) -> None:
    offer = await stage.offer()
    await stage.schedule(offer, stage.later(9))
    stage.site.clock.advance(3600)
    middle = Prices(input=800, output=1_600)
    await stage.offers.update(stage.admin, offer.id, ProviderModelChange(prices=middle))
    found = await stage.read(offer)
    assert [made.prices for made in found.price_lists] == [OLD, middle, NEW]
    assert found.price_lists[0] == offer.price_lists[0]
    assert found.current is not None
    assert found.current == found.price_lists[1]
    assert found.current.starts_at == stage.site.clock.now()


async def test_saving_the_same_prices_starts_no_list(stage: Stage) -> None:
    offer = await stage.offer()
    await stage.offers.update(stage.admin, offer.id, ProviderModelChange(prices=OLD, free=False, context_window=7))
    assert (await stage.read(offer)).price_lists == offer.price_lists


async def test_what_is_planned_for_an_instant_is_replaced(stage: Stage) -> None:
    offer, at = await stage.offer(), stage.later(5)
    await stage.schedule(offer, at)
    other = Prices(input=1, output=1)
    found = await stage.schedule(offer, at, other)
    assert [made.prices for made in found.price_lists] == [OLD, other]


async def test_what_has_not_started_can_be_taken_back(stage: Stage) -> None:
    offer = await stage.offer()
    planned = await stage.schedule(offer, stage.later(1))
    kept = await stage.lists.withdraw(stage.admin, planned.price_lists[1].id)
    assert kept.price_lists == offer.price_lists
    with pytest.raises(NotFound):
        await stage.lists.withdraw(stage.admin, planned.price_lists[1].id)


async def test_what_has_started_stays(stage: Stage) -> None:
    offer = await stage.offer()
    planned = await stage.schedule(offer, stage.later(1))
    stage.site.clock.advance(3600)
    for made in planned.price_lists:
        with pytest.raises(InvalidInput, match="has started") as caught:
            await stage.lists.withdraw(stage.admin, made.id)
        assert caught.value.field == "id"
    assert (await stage.read(offer)).price_lists == planned.price_lists


@pytest.mark.parametrize(
    ("hours", "prices", "field"),
    [
        (0, NEW, "startsAt"),
        (-1, NEW, "startsAt"),
        (24 * 1200, NEW, "startsAt"),
        (1, Prices(), "prices"),
        (1, Prices(input=1), "prices"),
        (1, Prices(input=1, output=-1), "prices.output"),
    ],
)
async def test_faulty_plans_are_refused_by_field(stage: Stage, hours: float, prices: Prices, field: str) -> None:
    offer = await stage.offer()
    with pytest.raises(InvalidInput) as caught:
        await stage.schedule(offer, stage.later(hours), prices)
    assert caught.value.field == field
    assert (await stage.read(offer)).price_lists == offer.price_lists


async def test_embeddings_need_the_price_of_input_alone(stage: Stage) -> None:
    offer = await stage.offer(ModelKind.EMBEDDING)
    found = await stage.schedule(offer, stage.later(1), Prices(input=1))
    assert found.price_lists[1].prices == Prices(input=1)


async def test_plans_are_few(stage: Stage) -> None:
    offer = await stage.offer()
    for hours in range(MAX_COMING):
        await stage.schedule(offer, stage.later(hours + 1))
    with pytest.raises(InvalidInput, match="20 changes are planned"):
        await stage.schedule(offer, stage.later(50))
    await stage.schedule(offer, stage.later(1))


async def test_a_plan_from_an_older_state_is_refused(stage: Stage) -> None:
    offer = await stage.offer()
    await stage.lists.schedule(stage.admin, ComingPrices(offer.id, stage.later(1), NEW), 0)
    with pytest.raises(StaleVersion, match=r"changed free, own, prices, starts_at"):
        await stage.lists.schedule(stage.admin, ComingPrices(offer.id, stage.later(2), NEW), 0)


async def test_plans_are_in_the_audit_log(stage: Stage) -> None:
    offer, at = await stage.offer(), stage.later(1)
    planned = await stage.schedule(offer, at)
    await stage.lists.withdraw(stage.admin, planned.price_lists[1].id)
    async with stage.site.store.read() as tx:
        page = await tx.audit.page(AuditFilter(target_id=offer.id), PageRequest())
    withdrawn, scheduled = [event for event, _ in page.items][:2]
    assert (scheduled.action, withdrawn.action) == ("provider_model.schedule_prices", "provider_model.withdraw_prices")
    assert scheduled.after == withdrawn.before
    assert scheduled.after["starts_at"] == at.isoformat()
    assert scheduled.after["prices"]["input"] == "0.0000005"


async def test_only_administrators_plan_prices(stage: Stage) -> None:
    offer = await stage.offer()
    planned = await stage.schedule(offer, stage.later(1))
    member = await stage.site.person("mia@example.com")
    with pytest.raises(Forbidden):
        await stage.lists.schedule(member, ComingPrices(offer.id, stage.later(2), NEW))
    with pytest.raises(Forbidden):
        await stage.lists.withdraw(member, planned.price_lists[1].id)


async def test_a_multiplier_counts_from_now_on_and_for_what_is_planned(stage: Stage) -> None:
    offer = await stage.offer()
    planned = await stage.schedule(offer, stage.later(5))
    stage.site.clock.advance(3600)
    await stage.providers.update(stage.admin, stage.provider_id, ProviderChange(price_multiplier=850_000))
    found = await stage.read(offer)
    charged = [(made.starts_at, made.prices, made.charged.input) for made in found.price_lists]
    assert charged == [
        (offer.created_at, OLD, 1_000),
        (stage.site.clock.now(), OLD, 850),
        (planned.price_lists[1].starts_at, NEW, 425),
    ]
    assert found.price_lists[0] == offer.price_lists[0]


async def test_own_prices_and_free_models_know_no_multiplier(stage: Stage) -> None:
    own = await stage.offers.create(
        stage.admin, NewProviderModel(stage.provider_id, "own", prices=OLD, own=True, context_window=5)
    )
    free = await stage.offers.create(stage.admin, NewProviderModel(stage.provider_id, "free", prices=OLD, free=True))
    await stage.providers.update(stage.admin, stage.provider_id, ProviderChange(price_multiplier=2_000_000))
    for model, cost in ((own, 1_000), (free, 0)):
        found = await stage.read(model)
        assert found.price_lists == model.price_lists
        assert found.current is not None
        assert found.current.charged.input == cost
    listed = await stage.offers.update(stage.admin, own.id, ProviderModelChange(own=False))
    assert listed.current is not None
    assert listed.current.charged == Prices(input=2_000, output=4_000)


async def test_new_prices_go_by_the_multiplier_of_their_provider(stage: Stage) -> None:
    await stage.providers.update(stage.admin, stage.provider_id, ProviderChange(price_multiplier=500_000))
    offer = await stage.offer()
    await stage.offers.update(stage.admin, offer.id, ProviderModelChange(prices=Prices(input=9, output=7)))
    found = await stage.schedule(offer, stage.later(1))
    # Halves go to the even side.
    assert [made.charged for made in found.price_lists] == [
        Prices(input=500, output=1_000),
        Prices(input=4, output=4),
        Prices(input=250, output=500),
    ]


async def test_the_same_multiplier_again_starts_no_list(stage: Stage) -> None:
    offer = await stage.offer()
    await stage.providers.update(stage.admin, stage.provider_id, ProviderChange(price_multiplier=1_000_000, name="D"))
    assert (await stage.read(offer)).price_lists == offer.price_lists


async def _announce(stage: Stage, *plans: tuple[float, int]) -> None:
    planned = tuple(PlannedMultiplier(stage.later(hours), factor) for hours, factor in plans)
    await stage.providers.update(stage.admin, stage.provider_id, ProviderChange(planned_multipliers=planned))


async def _charged_now(stage: Stage, offer: ProviderModel) -> int | None:
    current = (await stage.read(offer)).current
    assert current is not None
    return current.charged.input


async def test_an_announced_multiplier_starts_by_itself_and_history_stays(stage: Stage) -> None:
    offer = await stage.offer()
    await _announce(stage, (10, 500_000), (2, 850_000))
    provider = await stage.providers.get(stage.admin, stage.provider_id)
    assert provider is not None
    assert (provider.price_multiplier, [p.multiplier for p in provider.planned_multipliers]) == (
        1_000_000,
        [850_000, 500_000],
    )
    assert await _charged_now(stage, offer) == 1_000
    stage.site.clock.advance(2 * 3600)
    assert await _charged_now(stage, offer) == 850
    provider = await stage.providers.get(stage.admin, stage.provider_id)
    assert provider is not None
    assert (provider.price_multiplier, [p.multiplier for p in provider.planned_multipliers]) == (850_000, [500_000])
    before = (await stage.read(offer)).price_lists
    # Whatever comes now, what has started stays.
    await stage.providers.update(
        stage.admin, stage.provider_id, ProviderChange(price_multiplier=900_000, planned_multipliers=())
    )
    after = (await stage.read(offer)).price_lists
    assert after[:2] == before[:2]
    assert [made.charged.input for made in after] == [1_000, 850, 900]
    stage.site.clock.advance(20 * 3600)
    assert await _charged_now(stage, offer) == 900


async def test_plans_for_a_model_and_for_its_provider_meet(stage: Stage) -> None:
    offer = await stage.offer()
    await _announce(stage, (2, 500_000))
    await stage.schedule(offer, stage.later(1))
    await stage.schedule(offer, stage.later(3), Prices(input=4_000, output=4_000))
    found = await stage.read(offer)
    assert [(made.charged.input, made.derived) for made in found.price_lists] == [
        (1_000, False),
        (500, False),
        (250, True),
        (2_000, False),
    ]
    with pytest.raises(InvalidInput, match="planned for the provider"):
        await stage.lists.withdraw(stage.admin, found.price_lists[2].id)
    withdrawn = await stage.lists.withdraw(stage.admin, found.price_lists[1].id)
    assert [made.charged.input for made in withdrawn.price_lists] == [1_000, 500, 2_000]
    await stage.offers.update(stage.admin, offer.id, ProviderModelChange(prices=Prices(input=600, output=600)))
    assert [made.charged.input for made in (await stage.read(offer)).price_lists] == [1_000, 600, 300, 2_000]
    late = await stage.offers.create(stage.admin, NewProviderModel(stage.provider_id, "late", prices=OLD))
    assert [made.charged.input for made in late.price_lists] == [1_000, 500]
    await _announce(stage)
    assert [made.charged.input for made in (await stage.read(offer)).price_lists] == [1_000, 600, 4_000]
    assert (await stage.read(late)).price_lists == late.price_lists[:1]


async def test_own_prices_and_free_models_know_no_announced_multiplier(stage: Stage) -> None:
    own = await stage.offers.create(stage.admin, NewProviderModel(stage.provider_id, "own", prices=OLD, own=True))
    free = await stage.offers.create(stage.admin, NewProviderModel(stage.provider_id, "free", prices=OLD, free=True))
    await _announce(stage, (1, 2_000_000))
    for model in (own, free):
        assert (await stage.read(model)).price_lists == model.price_lists


@pytest.mark.parametrize(
    ("plans", "field"),
    [
        (((0, 500_000),), "plannedMultipliers.0.startsAt"),
        (((1, 500_000), (24 * 1200, 500_000)), "plannedMultipliers.1.startsAt"),
        (((1, 500_000), (1, 600_000)), "plannedMultipliers.1.startsAt"),
        (tuple((hours + 1, 500_000) for hours in range(21)), "plannedMultipliers"),
    ],
)
async def test_faulty_announcements_are_refused_by_field(
    stage: Stage, plans: tuple[tuple[float, int], ...], field: str
) -> None:
    offer = await stage.offer()
    with pytest.raises(InvalidInput) as caught:
        await _announce(stage, *plans)
    assert caught.value.field == field
    assert (await stage.read(offer)).price_lists == offer.price_lists


async def test_announcements_are_in_the_audit_log(stage: Stage) -> None:
    await _announce(stage, (1, 500_000))
    async with stage.site.store.read() as tx:
        page = await tx.audit.page(AuditFilter(target_id=stage.provider_id), PageRequest())
    event = page.items[0][0]
    assert event.action == "provider.update"
    assert event.after["planned_multipliers"] == [{"starts_at": stage.later(1).isoformat(), "multiplier": "0.5"}]
