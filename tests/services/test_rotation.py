"""From one key-encryption key to the next: nothing is lost, whatever comes between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault, key_id
from sluicegate.domain.audit import ActorKind
from sluicegate.domain.catalog import Provider, ProviderKind
from sluicegate.domain.mail import Delivery, LetterKind, MailStatus
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.secret import Secret
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.rotation import KeyRotation, Rotation
from sluicegate.storage.repositories.sealed import SEALED
from sluicegate.storage.tables.every import METADATA

OLD, NEW, LOST = b"o" * 32, b"n" * 32, b"l" * 32
PROVIDERS, LETTERS = 230, 20


class PulledPlug(Exception):
    pass


class Unplugged(EnvelopeVault):
    """Stops in the middle of the work."""

    left = 150

    def rewrap(self, sealed: str, context: str) -> str:
        self.left -= 1
        if self.left < 0:
            raise PulledPlug
        return super().rewrap(sealed, context)


def rotation(site: Site, vault: EnvelopeVault) -> KeyRotation:
    return KeyRotation(site.store, vault, key_id(NEW))


async def fill(site: Site) -> None:
    """Credentials and letters under the old key."""
    vault, now = EnvelopeVault(OLD), site.clock.now()
    async with site.store.write() as tx:
        for number in range(PROVIDERS):
            name = f"p{number:03}"
            await tx.catalog.add_provider(
                Provider(name, name, ProviderKind.OPENAI, None, None, None, True, None, None, now)
            )
            await tx.catalog.set_sealed_credential(
                name, vault.seal(Secret(f"sk-{name}"), f"provider:{name}"), "sk", now
            )
        for number in range(LETTERS):
            name, late = f"m{number:03}", now + timedelta(days=1)
            letter = Delivery(
                name, LetterKind.INVITATION, f"{name}@example.com", None, MailStatus.QUEUED, 0, now, now, late, None, ""
            )
            await tx.mail.add(letter, vault.seal(Secret(f"letter {name}"), f"mail:{name}"))


async def everything(site: Site, vault: EnvelopeVault) -> dict[str, str]:
    """What the vault opens, by place; raises SealBroken."""
    async with site.store.read() as tx:
        return {place: vault.unseal(text, place).reveal() for place, text in await tx.sealed.after("", 1000)}


async def test_all_that_is_sealed_moves_to_the_new_key_and_the_old_one_can_go(site: Site) -> None:
    await fill(site)
    before = await everything(site, EnvelopeVault(OLD))
    assert len(before) == PROVIDERS + LETTERS
    assert before["mail:m007"] == "letter m007"
    done = await rotation(site, EnvelopeVault(NEW, OLD)).run()
    assert done == Rotation(PROVIDERS + LETTERS, PROVIDERS + LETTERS, ())
    assert await everything(site, EnvelopeVault(NEW)) == before
    with pytest.raises(SealBroken):
        await everything(site, EnvelopeVault(OLD))
    assert await rotation(site, EnvelopeVault(NEW, OLD)).run() == Rotation(0, PROVIDERS + LETTERS, ())


async def test_an_interruption_keeps_what_was_done_and_the_next_run_does_the_rest(site: Site) -> None:
    await fill(site)
    before = await everything(site, EnvelopeVault(OLD))
    with pytest.raises(PulledPlug):
        await rotation(site, Unplugged(NEW, OLD)).run()
    # In between both keys open everything.
    assert await everything(site, EnvelopeVault(NEW, OLD)) == before
    done = await rotation(site, EnvelopeVault(NEW, OLD)).run()
    assert (done.moved, done.current) == (PROVIDERS + LETTERS - 100, PROVIDERS + LETTERS)
    assert await everything(site, EnvelopeVault(NEW)) == before


async def test_what_no_key_opens_is_named_and_left_as_it_is(site: Site) -> None:
    await fill(site)
    stray = EnvelopeVault(LOST).seal(Secret("sk-stray"), "provider:p004")
    async with site.store.write() as tx:
        await tx.catalog.set_sealed_credential("p004", stray, "sk", site.clock.now())
    done = await rotation(site, EnvelopeVault(NEW, OLD)).run()
    assert done == Rotation(PROVIDERS + LETTERS - 1, PROVIDERS + LETTERS - 1, ("provider:p004",))
    async with site.store.read() as tx:
        assert await tx.catalog.sealed_credential("p004") == stray


async def test_a_seal_that_somebody_changed_meanwhile_is_not_overwritten(site: Site) -> None:
    await fill(site)
    async with site.store.write() as tx:
        ((place, text),) = await tx.sealed.after("provider:p002", 1)
        assert place == "provider:p003"
        assert not await tx.sealed.replace(place, "something else", "new")
        assert await tx.sealed.replace(place, text, "new")
        assert await tx.catalog.sealed_credential("p003") == "new"


def test_no_table_keeps_something_sealed_that_a_rotation_passes_over() -> None:
    kept = {(table.name, column.name) for table in METADATA.tables.values() for column in table.c}
    assert {(table, column) for table, column in kept if "sealed" in column} == {
        (table.name, column) for table, column in SEALED.values()
    }


async def test_the_audit_log_tells_of_a_rotation_and_of_no_empty_one(site: Site) -> None:
    await fill(site)
    for _ in range(2):
        await rotation(site, EnvelopeVault(NEW, OLD)).run()
    async with site.store.read() as tx:
        entries = [entry for entry, _ in (await tx.audit.page(AuditFilter(), PageRequest(10))).items]
    (entry,) = [entry for entry in entries if entry.action == "encryption.rotate"]
    assert entry.actor.kind is ActorKind.SYSTEM
    assert entry.target_id == key_id(NEW)
