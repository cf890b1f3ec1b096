"""A pretended prompt cache: remembers digests of prompt prefixes, never the prompts."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from sluicegate.adapters.demo.prompt import CacheMark, Prompt
from sluicegate.adapters.demo.tokens import count_input
from sluicegate.domain.usage import TokenUsage
from sluicegate.kit.clock import Clock

_SECONDS: dict[CacheMark, float] = {"5m": 300.0, "1h": 3600.0}
# Automatic caches start here and grow in steps.
_AUTOMATIC_LEAST = 1024
_AUTOMATIC_STEP = 128


@dataclass(frozen=True, slots=True)
class _Prefix:
    digest: bytes
    tokens: int
    mark: CacheMark | None


class PrefixCache:
    """Holds at most `capacity` prefixes, the least recently used go first."""

    def __init__(self, clock: Clock, capacity: int = 4096) -> None:
        self._clock = clock
        self._capacity = capacity
        self._entries: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def measure(self, prompt: Prompt) -> TokenUsage:
        """The input side of the call's usage. Afterwards its own prefixes are known."""
        prefixes = _prefixes(prompt)
        return self._marked(prefixes) if prompt.marked_cache else self._automatic(prefixes)

    def _marked(self, prefixes: list[_Prefix]) -> TokenUsage:
        total = prefixes[-1].tokens if prefixes else 0
        last = max((i for i, prefix in enumerate(prefixes) if prefix.mark), default=-1)
        read = next((p.tokens for p in reversed(prefixes[: last + 1]) if self._known(p.digest)), 0)
        written: dict[CacheMark, int] = {"5m": 0, "1h": 0}
        reached = read
        for prefix in prefixes[: last + 1]:
            if prefix.mark is None:
                continue
            written[prefix.mark] += max(0, prefix.tokens - reached)
            reached = max(reached, prefix.tokens)
            self._store(prefix.digest, _SECONDS[prefix.mark])
        return TokenUsage(
            input=total - reached, cache_read=read, cache_write_5m=written["5m"], cache_write_1h=written["1h"]
        )

    def _automatic(self, prefixes: list[_Prefix]) -> TokenUsage:
        total = prefixes[-1].tokens if prefixes else 0
        long_enough = [prefix for prefix in prefixes if prefix.tokens >= _AUTOMATIC_LEAST]
        hit = next((p.tokens for p in reversed(long_enough) if self._known(p.digest)), 0)
        for prefix in long_enough:
            self._store(prefix.digest, _SECONDS["5m"])
        read = hit // _AUTOMATIC_STEP * _AUTOMATIC_STEP
        return TokenUsage(input=total - read, cache_read=read)

    def _known(self, digest: bytes) -> bool:
        entry = self._entries.get(digest)
        if entry is None:
            return False
        lifetime, until = entry
        if until < self._clock.monotonic():
            del self._entries[digest]
            return False
        self._store(digest, lifetime)
        return True

    def _store(self, digest: bytes, lifetime: float) -> None:
        self._entries[digest] = (lifetime, self._clock.monotonic() + lifetime)
        self._entries.move_to_end(digest)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)


def _prefixes(prompt: Prompt) -> list[_Prefix]:
    hasher = hashlib.blake2b(prompt.model.encode(), digest_size=16)
    weight = 0
    prefixes: list[_Prefix] = []
    for segment in prompt.segments:
        hasher.update(segment.content)
        weight += segment.weight
        prefixes.append(_Prefix(hasher.copy().digest(), count_input(weight), segment.mark))
    return prefixes
