"""Names that stay the same for a person and tell nobody who it is."""

from __future__ import annotations

import hmac

_COLOURS = (
    "Amber", "Azure", "Bronze", "Cobalt", "Copper", "Coral", "Crimson", "Emerald", "Golden", "Indigo", "Ivory", "Jade",
    "Lilac", "Maroon", "Ochre", "Olive", "Opal", "Pearl", "Ruby", "Sable", "Scarlet", "Silver", "Teal", "Violet",
)  # fmt: skip
_ANIMALS = (
    "Badger", "Bison", "Condor", "Crane", "Dolphin", "Falcon", "Ferret", "Finch", "Gecko", "Heron", "Ibis", "Jackal",
    "Kestrel", "Lemur", "Lynx", "Marten", "Newt", "Ocelot", "Osprey", "Otter", "Panda", "Puffin", "Raven", "Robin",
    "Salmon", "Seal", "Stoat", "Swift", "Tapir", "Toucan", "Walrus", "Wombat",
)  # fmt: skip


def pseudonym(secret: bytes, user_id: str) -> str:
    """Whoever does not know the secret cannot try all users to find whose it is."""
    number = int.from_bytes(hmac.digest(secret, user_id.encode(), "sha256")[:8])
    number, colour = divmod(number, len(_COLOURS))
    number, animal = divmod(number, len(_ANIMALS))
    return f"{_COLOURS[colour]} {_ANIMALS[animal]} {number % 900 + 100}"
