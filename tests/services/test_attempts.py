"""How often somebody may try to sign in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluicegate.kit.clock import ManualClock
from sluicegate.kit.errors import Throttled
from sluicegate.kit.tallies import LocalTallies
from sluicegate.services.attempts import Attempts


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 24, 9, tzinfo=UTC))


async def test_an_office_behind_one_address_may_come_in(clock: ManualClock) -> None:
    attempts = Attempts(lambda _: LocalTallies(clock), "sign-in")
    for n in range(200):
        await attempts.take(f"{n}@example.com", "10.0.0.1")
        await attempts.forgive(f"{n}@example.com", "10.0.0.1")


async def test_guesses_from_one_address_end_for_every_account(clock: ManualClock) -> None:
    attempts = Attempts(lambda _: LocalTallies(clock), "sign-in")
    for n in range(50):
        await attempts.take(f"{n}@example.com", "10.0.0.1")
    with pytest.raises(Throttled) as refused:
        await attempts.take("ada@example.com", "10.0.0.1")
    assert 1 <= refused.value.retry_after <= 301
    await attempts.take("ada@example.com", "10.0.0.2")
    clock.advance(301)
    await attempts.take("ada@example.com", "10.0.0.1")


async def test_an_own_account_does_not_buy_further_guesses(clock: ManualClock) -> None:
    attempts = Attempts(lambda _: LocalTallies(clock), "sign-in")
    for n in range(50):
        await attempts.take(f"{n}@example.com", "10.0.0.1")
        if n < 49:
            await attempts.take("eve@example.com", "10.0.0.1")
            await attempts.forgive("eve@example.com", "10.0.0.1")
    with pytest.raises(Throttled):
        await attempts.take("eve@example.com", "10.0.0.1")


async def test_strangers_cannot_keep_an_owner_out_of_a_familiar_place(clock: ManualClock) -> None:
    attempts = Attempts(lambda _: LocalTallies(clock), "sign-in")
    await attempts.take("ada@example.com", "10.0.0.1")
    await attempts.forgive("ada@example.com", "10.0.0.1")
    for n in range(10):
        await attempts.take("ada@example.com", f"10.9.9.{n}")
    with pytest.raises(Throttled):
        await attempts.take("ada@example.com", "10.9.9.99")
    for _ in range(10):
        await attempts.take("ada@example.com", "10.0.0.1")
    with pytest.raises(Throttled):
        await attempts.take("ada@example.com", "10.0.0.1")


async def test_one_network_has_one_count_whatever_address_it_takes(clock: ManualClock) -> None:
    attempts = Attempts(lambda _: LocalTallies(clock), "sign-in")
    for n in range(50):
        await attempts.take(f"{n}@example.com", f"2001:db8:0:1::{n:x}")
    with pytest.raises(Throttled):
        await attempts.take("ada@example.com", "2001:db8:0:1:ffff::1")
    await attempts.take("ada@example.com", "2001:db8:0:2::1")
    for n in range(50):
        await attempts.take(f"{n}@example.org", "::ffff:10.0.0.1")
    with pytest.raises(Throttled):
        await attempts.take("ada@example.org", "10.0.0.1")


async def test_a_flood_of_invented_addresses_washes_no_count_away(clock: ManualClock) -> None:
    attempts = Attempts(lambda _: LocalTallies(clock), "sign-in")
    for _ in range(10):
        await attempts.take("ada@example.com", "10.0.0.1")
    for n in range(30_000):
        await attempts.take(f"{n}@example.com", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    with pytest.raises(Throttled):
        await attempts.take("ada@example.com", "10.255.0.1")
