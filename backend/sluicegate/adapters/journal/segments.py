"""Append-only files of journal lines, one set for each living process.

A line is a JSON array: `["o", record]` when a call is admitted, `["s", record]` when it is settled, `["d", call id]`
when it was no call after all. A process holds a lock on the folder's `<name>.lock` as long as it lives, so that others
can tell its files from those of the dead.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sluicegate.domain.usage import CallRecord
from sluicegate.kit.ids import new_id

_encoder = msgspec.json.Encoder()


class JournalUnwritable(OSError):
    """The disk did not take a line; the call must not go on."""


def line_of(kind: str, value: CallRecord | str) -> bytes:
    return _encoder.encode((kind, value)) + b"\n"


@dataclass
class Contents:
    """What the lines of one process add up to."""

    open: dict[str, CallRecord] = field(default_factory=dict[str, CallRecord])
    settled: dict[str, CallRecord] = field(default_factory=dict[str, CallRecord])
    damaged: list[bytes] = field(default_factory=list[bytes])

    def add(self, data: bytes) -> None:
        """Takes the lines of a file; an unfinished last line was never answered for and does not count."""
        for line in data.split(b"\n")[:-1]:
            try:
                self._add_line(line)
            except (msgspec.DecodeError, ValueError, IndexError):
                self.damaged.append(line)

    def _add_line(self, line: bytes) -> None:
        kind, raw = msgspec.json.decode(line, type=tuple[str, msgspec.Raw])
        if kind == "d":
            self.open.pop(msgspec.json.decode(raw, type=str), None)
            return
        record = msgspec.json.decode(raw, type=CallRecord)
        if kind == "o":
            if record.call_id not in self.settled:
                self.open[record.call_id] = record
        elif kind == "s":
            self.open.pop(record.call_id, None)
            self.settled[record.call_id] = record
        else:
            raise ValueError(kind)


class Segments:
    """The files of this process in `folder`."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._number = 0
        self._size = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._name, self._lock = _claim_name(folder)
        self._file = self._open()
        self._old: list[tuple[Path, int]] = []

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name}.{number:06d}.journal"

    def _open(self) -> int:
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_EXCL
        return os.open(self._path(self._number), flags, 0o600)

    def append(self, line: bytes) -> None:
        """Hands the line to the operating system, whole or not at all; there it survives the death of this process."""
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise JournalUnwritable(error.errno, f"the journal cannot be written: {error.strerror}") from error
        if written != len(line):
            os.ftruncate(self._file, self._size)
            raise JournalUnwritable(28, "the journal cannot be written: the disk is full")
        self._size += written

    @property
    def full(self) -> bool:
        return self._size >= self._limit

    def rotate(self, carried: list[bytes], needed: int) -> None:
        """Begins a new file with the lines of calls that are still open; the old one can go when `needed` calls in all
        are in the database."""
        previous, size, path = self._file, self._size, self._path(self._number)
        self._number += 1
        self._file, self._size = self._open(), 0
        try:
            self.append(b"".join(carried))
        except JournalUnwritable:
            # The old file goes on: lines that are not carried over must not be lost with it.
            os.close(self._file)
            self._path(self._number).unlink()
            self._file, self._size, self._number = previous, size, self._number - 1
            raise
        os.close(previous)
        self._old.append((path, needed))

    def drop_old(self, written: int) -> None:
        """Removes the files whose lines are all carried over or among the `written` calls in the database."""
        while self._old and self._old[0][1] <= written:
            self._old.pop(0)[0].unlink(missing_ok=True)

    def sync(self) -> None:
        os.fsync(self._file)

    def close(self, *, keep: bool) -> None:
        """Lets go of the files; removes them unless something in them is still needed."""
        os.close(self._file)
        if not keep:
            for path, _ in self._old:
                path.unlink(missing_ok=True)
            self._path(self._number).unlink(missing_ok=True)
            (self._folder / f"{self._name}.lock").unlink(missing_ok=True)
        os.close(self._lock)


def _claim_name(folder: Path) -> tuple[str, int]:
    """A name of our own, and its lock. Another process that is just starting may take a lock for a dead one's as long
    as it is free, and remove it."""
    while True:
        name = new_id()
        lock = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_nlink:
                return name, lock
        except BlockingIOError:
            pass
        os.close(lock)


@dataclass
class DeadProcess:
    """The files that a process left behind; `lock` is held until they are dealt with."""

    name: str
    files: list[Path]
    lock_path: Path
    lock: int

    def read(self) -> Contents:
        contents = Contents()
        for path in self.files:
            contents.add(path.read_bytes())
        return contents

    def set_aside(self, damaged: list[bytes]) -> Path:
        """Keeps lines that cannot be read, for a person to look at."""
        path = self.lock_path.with_suffix(".bad")
        path.write_bytes(b"\n".join(damaged) + b"\n")
        return path

    def remove(self) -> None:
        for path in self.files:
            path.unlink(missing_ok=True)
        self.lock_path.unlink(missing_ok=True)

    def release(self) -> None:
        os.close(self.lock)


def dead_processes(folder: Path) -> list[DeadProcess]:
    """Those whose lock nobody holds any more; each is locked for the caller."""
    found: list[DeadProcess] = []
    names = {path.name.split(".")[0] for path in folder.glob("*.journal")}
    names |= {path.stem for path in folder.glob("*.lock")}
    for name in sorted(names):
        lock_path = folder / f"{name}.lock"
        lock = os.open(lock_path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        found.append(DeadProcess(name, sorted(folder.glob(f"{name}.*.journal")), lock_path, lock))
    return found
