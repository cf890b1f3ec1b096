"""Who used most: in order, under names that tell members nothing, and gone when it is turned off."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from fakes.identity import Site
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Forbidden, InvalidInput
from sluicegate.services.caller import Caller
from sluicegate.services.leaderboard import LeaderboardOrder, LeaderboardService, LeaderboardSpan
from sluicegate.services.pseudonyms import pseudonym
from sluicegate.storage.usage_reader import SqlUsageReader
from sluicegate.storage.usage_writer import make_usage_writer
from storage.records import call

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


async def write(site: Site, *calls: Any) -> None:
    writer = make_usage_writer(site.store.engine.url, cast("Any", UTC))
    await asyncio.to_thread(writer.write, calls)
    writer.close()


def board(site: Site) -> LeaderboardService:
    return LeaderboardService(SqlUsageReader(site.store.engine, UTC), site.store, site.clock, UTC)


async def seeded(site: Site) -> tuple[Caller, Caller]:
    ada, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    await write(
        site,
        call(NOW, user_id=mia.user.id, user_label="Mia", key_id="km", cost_nanos=5, output_tokens=1),
        call(NOW, user_id=mia.user.id, user_label="Mia", key_id="km", cost_nanos=5, output_tokens=1),
        call(NOW, user_id="zoe", user_label="Zoe", key_id="kz", cost_nanos=3, output_tokens=9_000),
        call(NOW - timedelta(days=8), user_id="bob", user_label="Bob", key_id="kb", cost_nanos=100),
        call(NOW - timedelta(days=800), user_id="old", user_label="Old", key_id="ko", cost_nanos=1_000),
    )
    return ada, mia


@pytest.mark.parametrize(
    ("span", "order", "names"),
    [
        (LeaderboardSpan.WEEK, LeaderboardOrder.SPEND, ["Mia", "Zoe"]),
        (LeaderboardSpan.WEEK, LeaderboardOrder.TOKENS, ["Zoe", "Mia"]),
        (LeaderboardSpan.WEEK, LeaderboardOrder.REQUESTS, ["Mia", "Zoe"]),
        (LeaderboardSpan.MONTH, LeaderboardOrder.SPEND, ["Bob", "Mia", "Zoe"]),
        (LeaderboardSpan.EVER, LeaderboardOrder.SPEND, ["Old", "Bob", "Mia", "Zoe"]),
    ],
)
async def test_people_are_ranked(site: Site, span: LeaderboardSpan, order: LeaderboardOrder, names: list[str]) -> None:
    ada, _ = await seeded(site)
    shown = await board(site).show(ada, span, order)
    assert [place.name for place in shown.places] == names
    assert [place.rank for place in shown.places] == list(range(1, len(names) + 1))
    assert (shown.people, shown.own) == (len(names), None)


async def test_members_see_themselves_and_no_trace_of_others(site: Site) -> None:
    _, mia = await seeded(site)
    shown = await board(site).show(mia, LeaderboardSpan.EVER, LeaderboardOrder.SPEND)
    assert [place.own for place in shown.places] == [False, False, True, False]
    assert {place.user_id for place in shown.places} == {None, mia.user.id}
    words = {word for place in shown.places for word in f"{place.name} {place.user_id}".lower().split()}
    assert words.isdisjoint({"old", "bob", "zoe"})
    again = await board(site).show(mia, LeaderboardSpan.EVER, LeaderboardOrder.TOKENS)
    assert {place.name for place in again.places} == {place.name for place in shown.places}


async def test_ones_own_place_is_told_also_far_down(site: Site) -> None:
    _, mia = await seeded(site)
    shown = await board(site).show(mia, LeaderboardSpan.EVER, LeaderboardOrder.SPEND, first=1)
    assert len(shown.places) == 1
    assert shown.own is not None
    assert (shown.own.rank, shown.own.name, shown.own.totals.cost_nanos) == (3, "Mia", 10)


async def test_it_can_be_turned_off_by_administrators_alone(site: Site) -> None:
    ada, mia = await seeded(site)
    service = board(site)
    with pytest.raises(Forbidden):
        await service.turn(mia, False)
    await service.turn(ada, False)
    for caller in (ada, mia):
        shown = await board(site).show(caller, LeaderboardSpan.WEEK, LeaderboardOrder.SPEND)
        assert (shown.enabled, shown.places, shown.own) == (False, (), None)
    await service.turn(ada, True)
    assert (await service.show(mia, LeaderboardSpan.WEEK, LeaderboardOrder.SPEND)).enabled


@pytest.mark.parametrize("first", [0, 101])
async def test_an_absurd_length_is_refused(site: Site, first: int) -> None:
    ada, _ = await seeded(site)
    with pytest.raises(InvalidInput) as caught:
        await board(site).show(ada, LeaderboardSpan.WEEK, LeaderboardOrder.SPEND, first)
    assert caught.value.field == "first"


def test_pseudonyms_differ_by_person_and_by_deployment() -> None:
    names = {pseudonym(b"one", f"user-{n}") for n in range(200)}
    assert len(names) > 190
    assert pseudonym(b"one", "user-1") == pseudonym(b"one", "user-1") != pseudonym(b"two", "user-1")


async def test_tokens_need_to_be_able_to_read(site: Site) -> None:
    ada, _ = await seeded(site)
    token = Caller(ada.user, ada.actor, frozenset({TokenScope.KEYS}))
    with pytest.raises(Forbidden):
        await board(site).show(token, LeaderboardSpan.WEEK, LeaderboardOrder.SPEND)
