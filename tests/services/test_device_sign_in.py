"""Assistants get in when somebody who is signed in lets them, once, and renew their key until that ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from fakes.identity import Site
from sluicegate.domain.apikey import ApiKey, parse_credential
from sluicegate.domain.device import ACCESS_LIFE, CODE_LIFE, IDLE_LIFE, LONGEST_LIFE, POLL_SECONDS, DeviceProblem
from sluicegate.domain.user import Role
from sluicegate.kit.crypto import token_digest, verify_hash
from sluicegate.kit.errors import Conflict, Forbidden, NotFound, Throttled, Unauthenticated
from sluicegate.kit.tallies import LocalTallies
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.caller import Caller
from sluicegate.services.device_sign_in import Begun, DeviceSignInService, Issued
from sluicegate.services.housekeeping import Housekeeping
from sluicegate.services.keys import KeyService
from sluicegate.services.narrowing import KeyChange
from sluicegate.services.users import UserService

HOURS = 3600.0


@dataclass
class Door:
    """Eve, who is signed in, and an administrator."""

    site: Site
    service: DeviceSignInService
    eve: Caller
    admin: Caller

    async def begin(self) -> Begun:
        return await self.service.begin("claude_code", "claude-code/2.1.330", "10.0.0.7")

    async def let_in(self) -> Issued:
        begun = await self.begin()
        await self.service.answer(self.eve, begun.user_code, approve=True)
        issued = await self.service.redeem(begun.device_code.reveal())
        assert isinstance(issued, Issued)
        return issued

    async def renewed(self, issued: Issued) -> Issued:
        again = await self.service.renew(issued.refresh_token.reveal())
        assert isinstance(again, Issued)
        return again

    async def key_of(self, issued: Issued) -> ApiKey | None:
        """The key whose text opens something now."""
        public_id, secret = parse_credential(issued.access_token.reveal()) or ("", "")
        async with self.site.store.read() as tx:
            key = await tx.keys.by_public_id(public_id)
        hashed = key.hash_of(public_id) if key is not None else None
        if key is None or hashed is None or not verify_hash(hashed, secret):
            return None
        if public_id == key.previous_public_id and not key.overlap(self.site.clock.now()):
            return None
        return key

    async def audited(self) -> list[str]:
        async with self.site.store.read() as tx:
            page = await tx.audit.page(AuditFilter(), PageRequest(100))
        return [event.action for event, _ in page.items]


def service_of(site: Site, *, enabled: bool = True) -> DeviceSignInService:
    counts: dict[str, LocalTallies] = {}
    return DeviceSignInService(
        site.store,
        site.clock,
        lambda: "https://ai.example.com",
        lambda purpose: counts.setdefault(purpose, LocalTallies(site.clock)),
        enabled=enabled,
    )


@pytest.fixture
async def door(site: Site) -> Door:
    eve = replace(await site.person("eve@example.com"), session_id="here")
    return Door(site, service_of(site), eve, await site.person("ada@example.com", Role.ADMIN))


async def test_somebody_lets_an_assistant_in(door: Door) -> None:
    begun = await door.begin()
    assert await door.service.redeem(begun.device_code.reveal()) is DeviceProblem.PENDING
    asked = await door.service.waiting(door.eve, begun.user_code.lower().replace("-", " "))
    assert (asked.program, asked.address) == ("Claude Code", "10.0.0.7")
    await door.service.answer(door.eve, begun.user_code, approve=True)
    door.site.clock.advance(POLL_SECONDS)
    issued = await door.service.redeem(begun.device_code.reveal())
    assert isinstance(issued, Issued)
    assert (issued.email, issued.seconds) == ("eve@example.com", ACCESS_LIFE.total_seconds())
    key = await door.key_of(issued)
    assert key is not None
    assert (key.user_id, key.name) == (door.eve.user.id, "Claude Code sign-in")
    assert key.expires_at == door.site.clock.now() + IDLE_LIFE
    assert [change.id for change in door.site.feed.published] == [key.id]
    assert await door.audited() == ["api_key.create", "device_sign_in.approve"]
    async with door.site.store.read() as tx:
        kept = await tx.devices.by_user_code(begun.user_code)
    assert issued.refresh_token.reveal() not in str(kept)
    assert begun.device_code.reveal() not in str(kept)


async def test_a_code_is_good_for_one_key(door: Door) -> None:
    begun = await door.begin()
    await door.service.answer(door.eve, begun.user_code, approve=True)
    services = [service_of(door.site) for _ in range(8)]
    outcomes = await asyncio.gather(*(service.redeem(begun.device_code.reveal()) for service in services))
    assert sorted(isinstance(outcome, Issued) for outcome in outcomes) == [False] * 7 + [True]
    assert len(await _keys(door)) == 1
    assert await service_of(door.site).redeem(begun.device_code.reveal()) is DeviceProblem.EXPIRED


async def test_one_answer_counts(door: Door) -> None:
    begun = await door.begin()
    mia = replace(await door.site.person("mia@example.com"), session_id="there")
    answers = await asyncio.gather(
        *(door.service.answer(who, begun.user_code, approve=who is mia) for who in (door.eve, mia, door.eve, mia)),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} <= {Conflict, NotFound}


async def test_who_is_sent_away_stays_outside(door: Door) -> None:
    begun = await door.begin()
    await door.service.answer(door.eve, begun.user_code, approve=False)
    assert await door.service.redeem(begun.device_code.reveal()) is DeviceProblem.DENIED
    assert await _keys(door) == []
    assert await door.audited() == ["device_sign_in.deny"]
    with pytest.raises(Conflict, match="answered already"):
        await door.service.answer(door.eve, begun.user_code, approve=True)
    mia = replace(await door.site.person("mia@example.com"), session_id="there")
    with pytest.raises(NotFound):
        await door.service.waiting(mia, begun.user_code)


async def test_a_code_ends(door: Door) -> None:
    early, late = await door.begin(), await door.begin()
    await door.service.answer(door.eve, early.user_code, approve=True)
    door.site.clock.advance(CODE_LIFE.total_seconds())
    with pytest.raises(Conflict, match="expired"):
        await door.service.answer(door.eve, late.user_code, approve=True)
    for begun in (early, late):
        assert await door.service.redeem(begun.device_code.reveal()) is DeviceProblem.EXPIRED
    assert await door.service.redeem("nonsense") is DeviceProblem.EXPIRED


async def test_who_asks_too_often_is_told_to_slow_down(door: Door) -> None:
    begun = await door.begin()
    outcomes = [await door.service.redeem(begun.device_code.reveal()) for _ in range(3)]
    assert outcomes == [DeviceProblem.PENDING, DeviceProblem.SLOW_DOWN, DeviceProblem.SLOW_DOWN]
    door.site.clock.advance(POLL_SECONDS)
    assert await door.service.redeem(begun.device_code.reveal()) is DeviceProblem.PENDING


async def test_only_people_answer_and_only_so_many_codes_are_tried(door: Door) -> None:
    begun = await door.begin()
    with pytest.raises(Forbidden):
        await door.service.answer(replace(door.eve, session_id=None), begun.user_code, approve=True)
    for _ in range(30):
        await door.service.waiting(door.eve, begun.user_code)
    for _ in range(30):
        with pytest.raises(NotFound):
            await door.service.waiting(door.eve, "BBBB-BBBB")
    with pytest.raises(Throttled):
        await door.service.waiting(door.eve, begun.user_code)


async def test_a_flood_of_beginnings_is_stopped_by_its_network(door: Door) -> None:
    for _ in range(300):
        await door.begin()
    with pytest.raises(Throttled):
        await door.begin()
    assert await door.service.begin("", "", "10.0.0.8")


async def test_who_was_suspended_meanwhile_lets_nobody_in(door: Door) -> None:
    begun, later = await door.begin(), await door.begin()
    await door.service.answer(door.eve, begun.user_code, approve=True)
    await UserService(door.site.store).suspend(door.admin, door.eve.user.id)
    assert await door.service.redeem(begun.device_code.reveal()) is DeviceProblem.DENIED
    with pytest.raises(Unauthenticated):
        await door.service.answer(door.eve, later.user_code, approve=True)
    assert await _keys(door) == []


async def test_renewing_gives_the_same_until_half_of_the_time_is_over(door: Door) -> None:
    first = await door.let_in()
    door.site.clock.advance(3 * HOURS)
    again = await asyncio.gather(*(door.renewed(first) for _ in range(4)))
    assert {one.access_token.reveal() for one in again} == {first.access_token.reveal()}
    assert {one.seconds for one in again} == {5 * 3600}
    door.site.clock.advance(2 * HOURS)
    news = await asyncio.gather(*(door.renewed(first) for _ in range(4)))
    assert len({one.access_token.reveal() for one in news}) == 1
    assert {one.refresh_token.reveal() for one in news} == {first.refresh_token.reveal()}
    assert news[0].access_token.reveal() != first.access_token.reveal()
    # Those who still hold the old one were told that it is good for eight hours.
    door.site.clock.advance(3 * HOURS - 1)
    assert await door.key_of(first) is not None
    door.site.clock.advance(1 * HOURS + 1)
    assert await door.key_of(first) is None
    assert await door.key_of(news[0]) is not None
    assert len(await _keys(door)) == 1


async def test_a_key_that_its_owner_rotated_is_made_anew(door: Door) -> None:
    first = await door.let_in()
    (key,) = await _keys(door)
    await KeyService(door.site.store, door.site.clock).rotate(door.eve, key.id, 0)
    assert await door.key_of(first) is None
    again = await door.renewed(first)
    assert again.access_token.reveal() != first.access_token.reveal()
    assert await door.key_of(again) is not None


async def test_a_sign_in_ends_without_use_and_in_any_case(door: Door) -> None:
    idle, used = await door.let_in(), await door.let_in()
    began = door.site.clock.now()
    for _ in range(3):
        door.site.clock.advance(IDLE_LIFE.total_seconds() - 1)
        used = await door.renewed(used)
    assert await door.service.renew(idle.refresh_token.reveal()) is DeviceProblem.INVALID
    keys = {key.expires_at for key in await _keys(door)}
    assert began + LONGEST_LIFE in keys
    door.site.clock.advance(4)
    assert await door.service.renew(used.refresh_token.reveal()) is DeviceProblem.INVALID


async def test_who_is_suspended_has_to_sign_in_anew(door: Door) -> None:
    issued, users = await door.let_in(), UserService(door.site.store)
    await users.suspend(door.admin, door.eve.user.id)
    assert await door.service.renew(issued.refresh_token.reveal()) is DeviceProblem.INVALID
    await users.reactivate(door.admin, door.eve.user.id)
    assert isinstance(await door.service.renew(issued.refresh_token.reveal()), Issued)


async def test_a_key_that_was_revoked_renews_nothing(door: Door) -> None:
    issued = await door.let_in()
    (key,) = await _keys(door)
    keys = KeyService(door.site.store, door.site.clock)
    with pytest.raises(Conflict, match="renews it"):
        await keys.update(door.eve, key.id, KeyChange(expires_at=None))
    assert (await keys.update(door.eve, key.id, KeyChange(name="Desk"))).name == "Desk"
    await keys.revoke(door.eve, key.id)
    assert await door.service.renew(issued.refresh_token.reveal()) is DeviceProblem.INVALID


@pytest.mark.parametrize("by", ["access_token", "refresh_token"])
async def test_signing_out_ends_the_key(door: Door, by: str) -> None:
    issued, other = await door.let_in(), await door.let_in()
    for nonsense in ("", "sg_nonsense", other.access_token.reveal()[:-3] + "abc"):
        await door.service.revoke(nonsense, "10.0.0.7")
    assert [key.revoked_at for key in await _keys(door)] == [None, None]
    await asyncio.gather(*(door.service.revoke(getattr(issued, by).reveal(), "10.0.0.7") for _ in range(4)))
    assert await door.service.renew(issued.refresh_token.reveal()) is DeviceProblem.INVALID
    assert isinstance(await door.service.renew(other.refresh_token.reveal()), Issued)
    assert (await door.audited()).count("api_key.revoke") == 1


async def test_only_so_many_texts_are_looked_at(door: Door) -> None:
    for _ in range(300):
        await door.service.revoke("sg_nonsense", "10.0.0.7")
    with pytest.raises(Throttled):
        await door.service.revoke("sg_nonsense", "10.0.0.7")


async def test_keys_of_other_making_are_not_ended_by_their_text(door: Door) -> None:
    _, text = await KeyService(door.site.store, door.site.clock).create(door.eve, "Laptop", None)
    await door.service.revoke(text.reveal(), "10.0.0.7")
    assert [key.revoked_at for key in await _keys(door)] == [None]


async def test_where_it_is_turned_off_nobody_comes_in_or_renews(door: Door) -> None:
    issued, begun = await door.let_in(), await door.begin()
    off = service_of(door.site, enabled=False)
    with pytest.raises(NotFound):
        await off.waiting(door.eve, begun.user_code)
    assert await off.renew(issued.refresh_token.reveal()) is DeviceProblem.INVALID


async def test_what_is_over_is_tidied_away(door: Door) -> None:
    waiting, kept, ended = await door.begin(), await door.let_in(), await door.let_in()
    await door.service.revoke(ended.access_token.reveal(), "10.0.0.7")
    house = Housekeeping(door.site.store, door.site.clock)
    await house.remove_ended_device_sign_ins()
    async with door.site.store.read() as tx:
        assert await tx.devices.by_refresh(token_digest(ended.refresh_token.reveal())) is None
        assert await tx.devices.by_user_code(waiting.user_code) is not None
    door.site.clock.advance(2 * 24 * HOURS)
    await house.remove_ended_device_sign_ins()
    async with door.site.store.read() as tx:
        assert await tx.devices.by_user_code(waiting.user_code) is None
    assert isinstance(await door.service.renew(kept.refresh_token.reveal()), Issued)


async def test_it_goes_with_the_person(door: Door) -> None:
    issued = await door.let_in()
    await UserService(door.site.store).delete(door.admin, door.eve.user.id)
    assert await door.service.renew(issued.refresh_token.reveal()) is DeviceProblem.INVALID


async def _keys(door: Door) -> list[ApiKey]:
    async with door.site.store.read() as tx:
        return (await tx.keys.of_users([door.eve.user.id]))[door.eve.user.id]
