"""Credentials at rest: what is sealed opens only here, only there, and only whole."""

from __future__ import annotations

import base64

import pytest

from sluicegate.adapters.vault import EnvelopeVault, key_id
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.secret import Secret

OLD, NEW = b"o" * 32, b"n" * 32
SECRET = Secret("sk-ant-äöü-0123456789")


def test_what_was_sealed_can_be_opened() -> None:
    vault = EnvelopeVault(NEW)
    sealed = vault.seal(SECRET, "provider:1")
    assert vault.unseal(sealed, "provider:1") == SECRET


def test_the_sealed_text_is_versioned_and_gives_nothing_away() -> None:
    sealed = EnvelopeVault(NEW).seal(SECRET, "provider:1")
    assert sealed.startswith("v1.")
    assert sealed.isascii()
    assert SECRET.reveal() not in sealed
    assert base64.b64encode(SECRET.reveal().encode()).decode() not in sealed


def test_the_same_secret_never_looks_the_same() -> None:
    vault = EnvelopeVault(NEW)
    parts = [vault.seal(SECRET, "provider:1").split(".")[1:] for _ in range(2)]
    assert not set(parts[0]) & set(parts[1])


def test_a_sealed_text_is_bound_to_its_place() -> None:
    vault = EnvelopeVault(NEW)
    sealed = vault.seal(SECRET, "provider:1")
    with pytest.raises(SealBroken):
        vault.unseal(sealed, "provider:2")


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        EnvelopeVault(OLD).unseal(EnvelopeVault(NEW).seal(SECRET, "p"), "p")


def test_every_changed_character_is_noticed() -> None:
    vault = EnvelopeVault(NEW)
    sealed = vault.seal(Secret("x"), "p")
    for index, char in enumerate(sealed):
        changed = sealed[:index] + ("A" if char != "A" else "B") + sealed[index + 1 :]
        with pytest.raises(SealBroken):
            vault.unseal(changed, "p")


@pytest.mark.parametrize("text", ["", "v1", "v1.", "v1..", "v2.AAAA.AAAA", "v1.AAAA.AAAA.AAAA", "v1.ä.ä", "v1.A.A"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(SealBroken):
        EnvelopeVault(NEW).unseal(text, "p")


def test_parts_of_two_sealed_texts_do_not_mix() -> None:
    vault = EnvelopeVault(NEW)
    one, other = (vault.seal(SECRET, "p").split(".") for _ in range(2))
    with pytest.raises(SealBroken):
        vault.unseal(".".join((one[0], one[1], other[2])), "p")


def test_the_previous_key_still_opens_while_keys_are_rotated() -> None:
    sealed = EnvelopeVault(OLD).seal(SECRET, "p")
    assert EnvelopeVault(NEW, OLD).unseal(sealed, "p") == SECRET


def test_new_secrets_are_sealed_under_the_primary_key() -> None:
    sealed = EnvelopeVault(NEW, OLD).seal(SECRET, "p")
    assert EnvelopeVault(NEW).unseal(sealed, "p") == SECRET


def test_rewrapping_moves_to_the_primary_key_and_leaves_the_box_alone() -> None:
    sealed = EnvelopeVault(OLD).seal(SECRET, "p")
    rewrapped = EnvelopeVault(NEW, OLD).rewrap(sealed, "p")
    assert EnvelopeVault(NEW).unseal(rewrapped, "p") == SECRET
    assert rewrapped.split(".")[2] == sealed.split(".")[2]
    with pytest.raises(SealBroken):
        EnvelopeVault(OLD).unseal(rewrapped, "p")


def test_it_tells_under_which_key_something_is_sealed_and_nothing_of_the_key() -> None:
    before = EnvelopeVault(OLD).seal(SECRET, "provider:1")
    vault = EnvelopeVault(NEW, OLD)
    assert vault.key_of(before, "provider:1") == key_id(OLD)
    assert vault.key_of(vault.rewrap(before, "provider:1"), "provider:1") == key_id(NEW)
    assert key_id(OLD) != key_id(NEW)
    assert key_id(OLD) not in (OLD.hex(), OLD.hex()[:8])
    for unknown in (EnvelopeVault(b"x" * 32).seal(SECRET, "provider:1"), before + "x", "nonsense"):
        assert vault.key_of(unknown, "provider:1") is None
    # Bound to its place: moved to another provider it opens nowhere.
    assert vault.key_of(before, "provider:2") is None
