"""Regular expressions that take time in proportion to the text: RE2's, checked and explained before they are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from sluicegate.domain.secret_rule import MAX_PATTERN_LENGTH

# Bounds of one pattern: what its automaton may take, at most, and how many instructions it has.
_MAX_MEMORY = 1024 * 1024
_MAX_PROGRAM = 5_000
# Stands at the end of whatever is filtered: when the filter does not find it, the filter did not work.
SENTINEL = b"~sluicegate~end~of~texts~"
_SAMPLES = (b"", b"a", b" ", b"0", b"a b", b"\n", b"-\n.")
_WHOLE_TEXT = re.compile(r"(?<!\\)(?:\\\\)*\\[Az]|\(\?[a-zA-Z]*-[a-zA-Z]*m")
_BYTES = re.compile(r"(?<!\\)(?:\\\\)*\\C")
_REASONS = {
    "invalid perl operator": "this kind of group does not exist here, since look-around such as (?=…) or (?<!…) cannot "
    "be matched in linear time; match the surroundings, too, and put a group around the secret",
    "invalid escape sequence": "this escape does not exist here; back-references such as \\1 cannot be matched in "
    "linear time, and \\Z is written \\z",
    "bad repetition operator": "possessive and doubled repetitions such as *+ or ** do not exist here",
    "invalid repetition size": "a repetition may ask for at most 1000 times",
    "no argument for repetition operator": "there is nothing to repeat",
    "missing ]": "a class is not closed by ]",
    "missing )": "a group is not closed by )",
    "unexpected )": "there is no group for this ) to close; write \\) for the character",
    "trailing \\": "it ends in a backslash; write \\\\ for the character",
    "invalid character class range": "this range does not exist",
    "invalid named capture group": "a named group is written (?P<name>…)",
    "invalid UTF-8": "it is not valid Unicode",
    "pattern too large - compile failed": "it is too large; repeat less, or split it into several rules",
}


@cache
def _re2() -> Any:
    """With its libraries, for those who have rules. The package has no types of its own."""
    return cast("Any", import_module("re2"))


class Match(Protocol):
    def span(self, group: int = 0) -> tuple[int, int]: ...


class Regex(Protocol):
    """One of RE2's, over UTF-8; positions are in bytes. Safe from several threads at once."""

    @property
    def groups(self) -> int: ...
    def search(self, text: bytes, pos: int, endpos: int) -> Match | None: ...


@dataclass(frozen=True, slots=True)
class PatternFault:
    """Why a pattern is refused, and the character at which it goes wrong, where that can be told."""

    reason: str
    position: int | None = None

    def __str__(self) -> str:
        where = "" if self.position is None else f" (at character {self.position + 1})"
        return f"cannot be used: {self.reason}{where}"


def fault_of(pattern: str) -> PatternFault | None:
    """What keeps a pattern from being used; None for a good one."""
    if not pattern:
        return PatternFault("it is empty")
    if len(pattern) > MAX_PATTERN_LENGTH:
        return PatternFault(f"it has more than {MAX_PATTERN_LENGTH} characters")
    if "\0" in pattern or any("\ud800" <= c <= "\udfff" for c in pattern):
        return PatternFault("it holds a character that no text may hold")
    if single := _BYTES.search(pattern):
        return PatternFault("\\C would cut characters in two", single.end() - 2)
    try:
        compiled = _re2().compile(pattern.encode(), _options())
        # As it will be used: the wrapping adds to the program.
        wrapped = _re2().compile(_wrapped(pattern), _options())
    except _re2().error as error:
        return _explained(pattern, error.args[0] if error.args else b"")
    if max(wrapped.programsize, wrapped.reverseprogramsize) > _MAX_PROGRAM:
        return PatternFault(_REASONS["pattern too large - compile failed"])
    for sample in _SAMPLES:
        found = compiled.search(sample)
        if found is not None and found.span()[0] == found.span()[1]:
            return PatternFault("it matches an empty text, and so every text")
    return None


def _explained(pattern: str, raw: object) -> PatternFault:
    told = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
    code, _, fragment = told.partition(": ")
    return PatternFault(_REASONS.get(code, told), _position(pattern, code, fragment))


def _position(pattern: str, code: str, fragment: str) -> int | None:
    if code == "missing )":
        return _unclosed(pattern)
    if code == "unexpected )":
        return _unopened(pattern)
    if code == "trailing \\":
        return len(pattern) - 1
    at = pattern.find(fragment) if fragment else -1
    return None if at < 0 else at


def _unclosed(pattern: str) -> int | None:
    opened, _ = _parentheses(pattern)
    return opened[-1] if opened else None


def _unopened(pattern: str) -> int | None:
    return _parentheses(pattern)[1]


def _parentheses(pattern: str) -> tuple[list[int], int | None]:
    """Where groups begin that are not closed, and the first that is closed without a beginning."""
    opened, at, in_class = list[int](), 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            # The first member of a class may be a closing bracket.
            at += 1 if pattern[at + 1 : at + 2] == "^" else 0
            at += 1 if pattern[at + 1 : at + 2] == "]" else 0
        elif char == "(":
            opened.append(at)
        elif char == ")":
            if not opened:
                return opened, at
            opened.pop()
        at += 1
    return opened, None


def _options() -> Any:
    options = _re2().Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    return options


def _wrapped(pattern: str) -> bytes:
    return f"(?m)(?:{pattern})".encode()


def stands_alone(pattern: str) -> bool:
    """Whether it asks where a text begins or ends, so that it has to be shown each text by itself."""
    return _WHOLE_TEXT.search(pattern) is not None


class Filter:
    """Tells in one pass which of many patterns might match: those that need no literal text, and those whose literal
    texts all occur."""

    __slots__ = ("_everything", "_filter", "regexes")

    def __init__(self, patterns: Sequence[str]) -> None:
        """They must be good ones."""
        self._everything = list(range(len(patterns)))
        self.regexes: list[Regex] = []
        if not patterns:
            return
        self._filter: Any = _re2().Filter()
        for pattern in patterns:
            self._filter.Add(_wrapped(pattern), _options())
        self._filter.Add(SENTINEL, _options())
        self._filter.Compile()
        self.regexes = [self._filter.re(index) for index in self._everything]

    def unfiltered(self) -> int:
        """How many are shown every text."""
        return len(self.candidates(b"\0" + SENTINEL))

    def candidates(self, text: bytes) -> list[int]:
        """Places in the list of patterns, ascending; `text` ends in SENTINEL."""
        if not self._everything:
            return []
        found: list[int] = self._filter.Match(text, True) or []
        # Out of memory, it says that nothing matched.
        if len(self._everything) not in found:
            return self._everything
        return sorted(index for index in found if index < len(self._everything))
