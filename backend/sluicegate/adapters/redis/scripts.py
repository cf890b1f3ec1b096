"""The scripts that run within Redis, each with `common.lua` in front of it."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files

_FOLDER = files(__name__.rpartition(".")[0]) / "lua"
_COMMON = (_FOLDER / "common.lua").read_text()
NAMES = (
    "active",
    "admit",
    "announce",
    "ask",
    "beat",
    "begin",
    "carry",
    "install",
    "join",
    "read",
    "retell",
    "settle",
    "unread",
)
SOURCES = {name: _COMMON + (_FOLDER / f"{name}.lua").read_text() for name in NAMES}
# Those of what is shared beside the counters; they need nothing of each other.
SIDE_NAMES = ("kept_look", "kept_note", "live_meet", "tally_back", "tally_counts", "tally_take")
SIDE_SOURCES = {name: (_FOLDER / f"{name}.lua").read_text() for name in SIDE_NAMES}


def _digest(source: str) -> str:
    """How Redis names a script; nothing is kept secret by it."""
    return sha1(source.encode(), usedforsecurity=False).hexdigest()


DIGESTS = {name: _digest(source) for name, source in SOURCES.items()}
SIDE_DIGESTS = {name: _digest(source) for name, source in SIDE_SOURCES.items()}

# What a script answers first.
GONE, DENIED, TAKEN, UNKNOWN, WAIT, VOID = -1, 0, 1, 2, 3, 4
