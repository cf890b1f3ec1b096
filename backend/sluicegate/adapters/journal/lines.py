"""What stands in a journal, line by line.

A line is a JSON array: `["f", number, facts]` gives a number to what calls have in common, `["a", number, course]` is a
call that was admitted, `["e", number, course]` its end, and `["d", call id]` says that it was no call after all.
Numbers hold for all files of a process, but each file names those that it uses, so that it can be read without earlier
ones. Releases before these wrote whole records: `["o", record]` and `["s", record]`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from sluicegate.domain.usage import CallCourse, CallFacts, CallRecord, record_of

ADMITTED, ENDED = "a", "e"
_encode = msgspec.json.Encoder().encode


def discarded(call_id: str) -> bytes:
    return _encode(("d", call_id))


class Script:
    """Writes the lines of one file, without their ends."""

    def __init__(self, last: int = 0) -> None:
        """`last` is the last number that an earlier file has given."""
        # By identity, and with them, so that no others take it over while they are known.
        self._known: dict[int, tuple[int, CallFacts]] = {}
        self._last = last

    def line(self, kind: str, facts: CallFacts, course: CallCourse) -> bytes:
        """Two lines where nothing before it has named the facts."""
        known = self._known.get(id(facts))
        if known is not None:
            return _encode((kind, known[0], course))
        self._last += 1
        self._known[id(facts)] = (self._last, facts)
        return b"%b\n%b" % (_encode(("f", self._last, facts)), _encode((kind, self._last, course)))

    def forget(self) -> None:
        """The last line may not be there: names all facts anew."""
        self._known.clear()

    def next(self) -> Script:
        """For another file of the same process."""
        return Script(self._last)


@dataclass
class Contents:
    """What the lines of one process add up to."""

    open: dict[str, CallRecord] = field(default_factory=dict[str, CallRecord])
    settled: dict[str, CallRecord] = field(default_factory=dict[str, CallRecord])
    damaged: list[bytes] = field(default_factory=list[bytes])
    facts: dict[int, CallFacts] = field(default_factory=dict[int, CallFacts])

    def add(self, data: bytes) -> None:
        """Takes the lines of a file; an unfinished last line was never answered for and does not count, nor does the
        room behind it."""
        for line in data.split(b"\n")[:-1]:
            try:
                self._add_line(line)
            except (msgspec.DecodeError, ValueError, LookupError):
                self.damaged.append(line)

    def _add_line(self, line: bytes) -> None:
        kind, *parts = msgspec.json.decode(line, type=tuple[msgspec.Raw, ...])
        match msgspec.json.decode(kind, type=str), len(parts):
            case "f", 2:
                self.facts[_number(parts[0])] = msgspec.json.decode(parts[1], type=CallFacts)
            case "a", 2:
                self._admitted(self._whole(*parts))
            case "e", 2:
                self._ended(self._whole(*parts))
            case "o", 1:
                self._admitted(msgspec.json.decode(parts[0], type=CallRecord))
            case "s", 1:
                self._ended(msgspec.json.decode(parts[0], type=CallRecord))
            case "d", 1:
                self.open.pop(msgspec.json.decode(parts[0], type=str), None)
            case unknown:
                raise ValueError(unknown)

    def _whole(self, number: msgspec.Raw, course: msgspec.Raw) -> CallRecord:
        return record_of(self.facts[_number(number)], msgspec.json.decode(course, type=CallCourse))

    def _admitted(self, record: CallRecord) -> None:
        if record.call_id not in self.settled:
            self.open[record.call_id] = record

    def _ended(self, record: CallRecord) -> None:
        self.open.pop(record.call_id, None)
        self.settled[record.call_id] = record


def _number(raw: msgspec.Raw) -> int:
    return msgspec.json.decode(raw, type=int)
