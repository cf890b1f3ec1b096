"""The headers of a provider as they are sealed: one text for all of them."""

from __future__ import annotations

import msgspec

from sluicegate.kit.secret import Secret
from sluicegate.ports.policy import Vault


def place_of(provider_id: str) -> str:
    return f"provider-headers:{provider_id}"


def seal_headers(vault: Vault, provider_id: str, values: dict[str, str]) -> str | None:
    """None for none."""
    if not values:
        return None
    return vault.seal(Secret(msgspec.json.encode(values).decode()), place_of(provider_id))


def open_headers(vault: Vault, provider_id: str, sealed: str | None) -> dict[str, str]:
    """Values by name; raises kit.crypto.SealBroken."""
    if sealed is None:
        return {}
    return msgspec.json.decode(vault.unseal(sealed, place_of(provider_id)).reveal(), type=dict[str, str])
