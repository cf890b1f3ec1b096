"""All secret rules that are on, as one value that the hot path asks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import NamedTuple

from sluicegate.domain.secret_rule import SecretAction, SecretCheck, SecretRule, passes_luhn
from sluicegate.policy.refusals import Refusal
from sluicegate.policy.secret_patterns import SENTINEL, Filter, Match, Regex, stands_alone

# A rule that matches more often than this is not counted on, and a call in which so much had to be replaced is refused.
MAX_COUNTED = 1_000
MAX_REPLACED = 20_000
_MAX_CHECKED = 50_000
_ORDER = list(SecretAction)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule matched: bytes of the UTF-8 form of one of the texts."""

    rule: SecretRule
    text: int
    start: int
    end: int


class Scan(NamedTuple):
    """Every match, and the rules that would have more replaced than can be: the call is better not made."""

    hits: list[Hit]
    flooding: list[SecretRule]


class Joined:
    """Many texts in one buffer, a line each, so that one pass sees all of them."""

    __slots__ = ("_ends", "_texts", "data", "end")

    def __init__(self, texts: Sequence[str]) -> None:
        body = "\n".join(texts).encode("utf-8", "surrogatepass")
        self._texts = texts
        self._ends: list[int] | None = None
        self.end = len(body)
        self.data = body + b"\n" + SENTINEL

    def _bounds(self) -> list[int]:
        """Where each text ends; only asked for once something matched."""
        if self._ends is None:
            sizes = (len(text.encode("utf-8", "surrogatepass")) + 1 for text in self._texts)
            self._ends = [end - 1 for end in accumulate(sizes)]
        return self._ends

    def at(self, position: int) -> int:
        """Which text a position lies in, or behind."""
        return bisect_right(self._bounds(), position - 1)

    def bounds(self, index: int) -> tuple[int, int]:
        ends = self._bounds()
        return (ends[index - 1] + 1 if index else 0), ends[index]

    def __len__(self) -> int:
        return len(self._texts)


class SecretRules:
    """Compiled from the rules that are on. Blocking: see `cost_of`."""

    __slots__ = ("_filter", "_unfiltered", "rules")

    def __init__(self, rules: Sequence[SecretRule]) -> None:
        """Their patterns must be good ones."""
        self.rules = sorted((rule for rule in rules if rule.enabled), key=lambda r: (_ORDER.index(r.action), r.id))
        self._filter = Filter([rule.pattern for rule in self.rules])
        self._unfiltered = self._filter.unfiltered()

    def cost_of(self, size: int) -> float:
        """About how many seconds it takes to look through a body of `size` bytes."""
        return size * (5 + 2 * self._unfiltered) * 1e-9

    def scan(self, texts: Sequence[str]) -> Scan:
        """By rule, those that block first."""
        joined = Joined(texts)
        scan = Scan([], [])
        for index in self._filter.candidates(joined.data):
            rule = self.rules[index]
            most = MAX_REPLACED if rule.action is SecretAction.REDACT else MAX_COUNTED
            found = list(islice(_Search(rule, self._filter.regexes[index]).through(joined), most + 1))
            if len(found) > MAX_REPLACED:
                scan.flooding.append(rule)
            for text, start, end in found[:most]:
                first, _ = joined.bounds(text)
                scan.hits.append(Hit(rule, text, start - first, end - first))
        return scan


class _Search:
    """One rule at work on one body."""

    __slots__ = ("_failed", "_regex", "_rule")

    def __init__(self, rule: SecretRule, regex: Regex) -> None:
        self._rule = rule
        self._regex = regex
        self._failed = 0

    def through(self, joined: Joined) -> Iterator[tuple[int, int, int]]:
        """Text, beginning and end, the latter in the whole buffer. None reaches from one text into the next: the
        matches of a text are those that it would have alone."""
        if stands_alone(self._rule.pattern):
            for index in range(len(joined)):
                first, last = joined.bounds(index)
                for start, end in self._within(joined.data[first:last], 0, last - first):
                    yield index, first + start, first + end
            return
        position = 0
        while (found := self._regex.search(joined.data, position, joined.end)) is not None:
            start, end = found.span()
            index = joined.at(start)
            _, last = joined.bounds(index)
            if end > last:
                for own in self._within(joined.data, start, last):
                    yield index, *own
                position = last + 1
                continue
            secret, position = self._judged(joined.data, found)
            if secret is not None:
                yield index, *secret

    def _within(self, data: bytes, position: int, last: int) -> Iterator[tuple[int, int]]:
        while position <= last and (found := self._regex.search(data, position, last)) is not None:
            secret, position = self._judged(data, found)
            if secret is not None:
                yield secret

    def _judged(self, data: bytes, found: Match) -> tuple[tuple[int, int] | None, int]:
        """What of a match is the secret, None for a match that is none, and where to look on."""
        start, end = found.span()
        if start == end:
            return None, end + 1
        secret = found.span(1) if self._regex.groups else (start, end)
        if secret[0] == secret[1]:
            secret = start, end
        if self._rule.check is SecretCheck.LUHN and not passes_luhn(data[secret[0] : secret[1]]):
            # A number may begin within a longer one; only text made for it has so many that are none.
            self._failed += 1
            return None, start + 1 if self._failed < _MAX_CHECKED else end
        return secret, end


def placeholder(rule: SecretRule) -> str:
    """What stands in the place of what a rule redacts."""
    return f"[REDACTED: {rule.name}]"


def cut(raw: bytes, cuts: Sequence[tuple[int, int, bytes]]) -> bytes:
    """`raw` with stretches replaced; of those that overlap the first gives what stands for all of them."""
    parts: list[bytes] = []
    at = 0
    for start, end, instead in sorted(cuts, key=lambda one: (one[0], -one[1])):
        if start >= at:
            parts += (raw[at:start], instead)
        at = max(at, end)
    return b"".join((*parts, raw[at:]))


def secret_blocked(rules: Sequence[SecretRule]) -> Refusal:
    """For a call that holds matches of blocking rules."""
    names = ", ".join(dict.fromkeys(f"'{rule.name}'" for rule in rules))
    what = "rule" if len(rules) == 1 else "rules"
    return Refusal(
        "secret_blocked",
        400,
        f"This call was not sent on: it holds what the secret {what} {names} of this gateway must not let out. Take it "
        "out of the conversation, also of its earlier messages, and try again.",
    )


def secrets_flooded(rules: Sequence[SecretRule]) -> Refusal:
    """For a call in which too much would have to be replaced."""
    return Refusal(
        "secret_blocked",
        400,
        f"This call was not sent on: the secret rule '{rules[0].name}' of this gateway matches more than "
        f"{MAX_REPLACED:,} times in it, too often to replace it all.",
    )
