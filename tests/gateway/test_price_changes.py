"""Prices that change while calls go through: each call is charged by one list, and the ledger says by which."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fakes.provider import Connection, Exchange, Provider
from fakes.wire import completion, whole
from gateway.bench import CHAT, PRICES, chat
from gateway.office import Office
from sluicegate.domain.price_list import PlannedMultiplier, PriceList, scaled
from sluicegate.domain.usage import LongContext, Prices, cost_of
from sluicegate.kit.money import ONE
from sluicegate.services.price_lists import ComingPrices
from sluicegate.services.provider_models import ProviderModelChange
from sluicegate.services.providers import ProviderChange

CALLERS = 16
CHANGES = 12


async def offer_of(office: Office) -> str:
    """The provider model behind team-gpt."""
    async with office.bench.container.store.read() as tx:
        model = await tx.catalog.model_by_slug("team-gpt")
    assert model is not None
    return model.backends[0].provider_model_id


async def lists_of(office: Office, offer: str) -> tuple[PriceList, ...]:
    async with office.bench.container.store.read() as tx:
        model = await tx.catalog.provider_model(offer)
    assert model is not None
    return model.price_lists


async def test_whatever_changes_every_call_costs_what_its_list_says(office: Office) -> None:
    offers, offer = office.bench.container.services.provider_models, await offer_of(office)
    after: list[tuple[datetime, Prices]] = []
    done = asyncio.Event()

    async def call_on() -> list[tuple[datetime, str]]:
        """Call ids, with when each was sent."""
        made: list[tuple[datetime, str]] = []
        while not done.is_set():
            sent = datetime.now(UTC)
            answer = await office.bench.client.post(CHAT, json=chat())
            assert answer.status_code == 200, answer.text
            made.append((sent, answer.headers["x-request-id"]))
        return made

    callers = [asyncio.create_task(call_on()) for _ in range(CALLERS)]
    for step in range(CHANGES):
        prices = replace(PRICES, input=(PRICES.input or 0) + step, output=1_000_000 * (step + 1))
        await offers.update(office.admin, offer, ProviderModelChange(prices=prices))
        # From here on, no call is charged by what was before.
        after.append((datetime.now(UTC), prices))
    done.set()
    sent = {call_id: at for made in await asyncio.gather(*callers) for at, call_id in made}

    await office.bench.container.journal.flush()
    lists = {found.id: found for found in await lists_of(office, offer)}
    assert len(lists) == CHANGES + 1
    records = [record for record in await office.bench.ledger() if record.call_id in sent]
    assert len(records) == len(sent)
    for record in records:
        charged_by = lists[record.price_list_id or ""]
        assert record.cost_nanos == cost_of(record.usage, charged_by.prices)
        in_force = [prices for at, prices in after if at < sent[record.call_id]]
        assert not in_force or charged_by.starts_at >= _start_of(lists, in_force[-1])


def _start_of(lists: dict[str, PriceList], prices: Prices) -> datetime:
    return next(found.starts_at for found in lists.values() if found.prices == prices)


async def test_planned_prices_come_into_force_without_any_news(office: Office) -> None:
    services, offer = office.bench.container.services, await offer_of(office)
    start = datetime.now(UTC) + timedelta(seconds=1)
    doubled = Prices(*(2 * (price or 0) for price in (PRICES.input, PRICES.cache_read, 0, 0, PRICES.output)))
    await services.price_lists.schedule(office.admin, ComingPrices(offer, start, doubled))
    before = await office.bench.client.post(CHAT, json=chat())
    assert datetime.now(UTC) < start, "too slow to tell"
    async with asyncio.timeout(5):
        while datetime.now(UTC) < start:  # noqa: ASYNC110 - the clock signals nobody
            await asyncio.sleep(0.02)
    later = await office.bench.client.post(CHAT, json=chat())
    charged = {record.call_id: record for record in await office.bench.ledger()}
    first, second = charged[before.headers["x-request-id"]], charged[later.headers["x-request-id"]]
    assert [first.price_list_id, second.price_list_id] == [made.id for made in await lists_of(office, offer)]
    assert first.cost_nanos == cost_of(first.usage, PRICES)
    assert second.cost_nanos == cost_of(second.usage, doubled)


async def test_a_call_in_flight_is_charged_by_the_prices_at_its_start(office: Office) -> None:
    offer, release = await offer_of(office), asyncio.Event()
    answer = whole(completion())

    async def answer_late(connection: Connection, exchange: Exchange) -> None:
        await release.wait()
        await answer(connection, exchange)

    office.bench.provider.next(answer_late)
    calling = asyncio.create_task(office.bench.client.post(CHAT, json=chat()))
    async with asyncio.timeout(5):
        while not office.bench.provider.log:  # noqa: ASYNC110 - the provider signals nobody
            await asyncio.sleep(0.01)
    await office.bench.container.services.provider_models.update(
        office.admin, offer, ProviderModelChange(prices=Prices(input=1, output=1))
    )
    release.set()
    assert (await calling).status_code == 200
    record = await office.bench.only_call()
    assert record.price_list_id == (await lists_of(office, offer))[0].id
    assert record.cost_nanos == cost_of(record.usage, PRICES) > 0


async def test_a_backend_that_steps_in_charges_by_its_own_prices(office: Office) -> None:
    dearer = scaled(PRICES, 7 * ONE)
    async with Provider() as second:
        await office.bench.add_backend("team-gpt", "second", second.port)
        async with office.bench.container.store.read() as tx:
            model = await tx.catalog.model_by_slug("team-gpt")
        assert model is not None
        offer = model.backends[1].provider_model_id
        await office.bench.container.services.provider_models.update(
            office.admin, offer, ProviderModelChange(prices=dearer)
        )
        office.bench.provider.next(*[whole({}, 503)] * 2)
        assert (await office.call()).status_code == 200
    record = await office.bench.only_call()
    assert (record.provider_name, record.price_list_id) == ("second", (await lists_of(office, offer))[-1].id)
    assert record.cost_nanos == cost_of(record.usage, dearer) == 7 * cost_of(record.usage, PRICES) > 0


async def test_the_console_says_what_a_call_was_charged_by(office: Office) -> None:
    office.bench.provider.next(whole(completion()))
    await office.call()
    await office.bench.ledger()
    await office.bench.container.services.provider_models.update(
        office.admin, await offer_of(office), ProviderModelChange(prices=Prices(input=1, output=1))
    )
    data = await office.ask(
        "{ calls { edges { node { cost charges { since free charges { priceClass tokens price } } } } } }", office.ada
    )
    (edge,) = data["calls"]["edges"]
    assert edge["node"] == {
        "cost": "0.00034425",
        "charges": {
            "since": "2020-01-01T00:00:00.000Z",
            "free": False,
            "charges": [
                {"priceClass": "INPUT", "tokens": 11, "price": "3"},
                {"priceClass": "CACHE_READ", "tokens": 100, "price": "0.3"},
                {"priceClass": "CACHE_WRITE_5M", "tokens": 7, "price": "3.75"},
                {"priceClass": "OUTPUT", "tokens": 17, "price": "15"},
            ],
        },
    }


async def test_a_long_prompt_is_charged_as_one_by_all_of_its_tokens(office: Office) -> None:
    """The provider reports 118 tokens of input, of which 107 concern its cache."""
    offer = await offer_of(office)
    dearer = Prices(6_000_000_000, 600_000_000, 7_500_000_000, None, 22_500_000_000)
    for above, tier in ((118, None), (117, 117)):
        prices = replace(PRICES, long_context=(LongContext(above, dearer),))
        await office.bench.container.services.provider_models.update(
            office.admin, offer, ProviderModelChange(prices=prices)
        )
        office.bench.provider.next(whole(completion()))
        answer = await office.call()
        charged = {record.call_id: record for record in await office.bench.ledger()}
        record = charged[answer.headers["x-request-id"]]
        assert record.cost_nanos == cost_of(record.usage, dearer if tier else PRICES)
        data = await office.ask("{ calls(first: 1) { edges { node { charges { longContextAbove } } } } }", office.ada)
        assert data["calls"]["edges"][0]["node"]["charges"] == {"longContextAbove": tier}


async def test_a_multiplier_counts_for_the_next_call_and_for_no_earlier_one(office: Office) -> None:
    services = office.bench.container.services
    async with office.bench.container.store.read() as tx:
        model = await tx.catalog.provider_model(await offer_of(office))
    assert model is not None
    before = await office.call()
    await services.providers.update(office.admin, model.provider_id, ProviderChange(price_multiplier=850_000))
    after = await office.call()
    charged = {record.call_id: record for record in await office.bench.ledger()}
    first, second = charged[before.headers["x-request-id"]], charged[after.headers["x-request-id"]]
    assert first.cost_nanos == cost_of(first.usage, PRICES)
    assert second.cost_nanos == cost_of(second.usage, scaled(PRICES, 850_000))
    data = await office.ask("{ calls(first: 1) { edges { node { charges { charges { price } } } } } }", office.ada)
    (charge, *_) = data["calls"]["edges"][0]["node"]["charges"]["charges"]
    assert charge["price"] == "2.55"


async def test_an_announced_multiplier_charges_calls_from_its_start(office: Office) -> None:
    services, offer = office.bench.container.services, await offer_of(office)
    async with office.bench.container.store.read() as tx:
        model = await tx.catalog.provider_model(offer)
    assert model is not None
    start = datetime.now(UTC) + timedelta(seconds=2)
    change = ProviderChange(planned_multipliers=(PlannedMultiplier(start, 850_000),))
    await services.providers.update(office.admin, model.provider_id, change)
    before = await office.bench.client.post(CHAT, json=chat())
    assert datetime.now(UTC) < start, "too slow to tell"
    async with asyncio.timeout(5):
        while datetime.now(UTC) < start:  # noqa: ASYNC110 - the clock signals nobody
            await asyncio.sleep(0.02)
    later = await office.bench.client.post(CHAT, json=chat())
    charged = {record.call_id: record for record in await office.bench.ledger()}
    first, second = charged[before.headers["x-request-id"]], charged[later.headers["x-request-id"]]
    assert [first.price_list_id, second.price_list_id] == [made.id for made in await lists_of(office, offer)]
    assert first.cost_nanos == cost_of(first.usage, PRICES)
    assert second.cost_nanos == cost_of(second.usage, scaled(PRICES, 850_000))
