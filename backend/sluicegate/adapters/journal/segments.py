"""Append-only files of journal lines, one set for each living process.

A process holds a lock on the folder's `<name>.lock` as long as it lives, so that others can tell its files from those
of the dead.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from sluicegate.adapters.journal.lines import Contents
from sluicegate.adapters.journal.tail import Tail, can_be_mapped, open_tail
from sluicegate.kit.ids import new_id


class JournalUnwritable(OSError):
    """The disk did not take a line; the call must not go on."""


class Segments:
    """The files of this process in `folder`. `unwritable` since the disk did not take the last line, `unsynced` while
    one waits for it."""

    def __init__(self, folder: Path, limit: int, *, mapped: bool | None = None) -> None:
        """A file of `limit` bytes is full. `mapped` as `open_tail` takes it, None where the file system decides."""
        self._folder = folder
        self._limit = limit
        self._number = 0
        self.unwritable = self.unsynced = False
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._mapped = can_be_mapped(folder) if mapped is None else mapped
        self._name, self._lock = _claim_name(folder)
        self._tail = self._open()
        self._old: list[tuple[Path, int]] = []

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name}.{number:06d}.journal"

    def _open(self) -> Tail:
        return open_tail(self._path(self._number), mapped=self._mapped)

    def append(self, line: bytes) -> None:
        """Hands a line, or several with ends between them, to the operating system, whole or not at all; there it
        survives the death of this process."""
        try:
            self._tail.append(line)
        except OSError as error:
            self.unwritable = True
            raise JournalUnwritable(error.errno, f"the journal cannot be written: {error.strerror}") from error
        self.unwritable, self.unsynced = False, True

    @property
    def full(self) -> bool:
        return self._tail.size >= self._limit

    def rotate(self, carried: list[bytes], needed: int) -> None:
        """Begins a new file with the lines of calls that are still open; the old one can go when `needed` calls in all
        are in the database."""
        previous, path = self._tail, self._path(self._number)
        self._number += 1
        self._tail = self._open()
        try:
            if carried:
                self.append(b"\n".join(carried))
        except JournalUnwritable:
            # The old file goes on: lines that are not carried over must not be lost with it.
            self._tail.close()
            self._path(self._number).unlink()
            self._tail, self._number = previous, self._number - 1
            raise
        previous.close()
        self._old.append((path, needed))

    def outdated(self, written: int) -> list[Path]:
        """Files to remove: their lines are all carried over or among the `written` calls in the database. Each is given
        once."""
        gone: list[Path] = []
        while self._old and self._old[0][1] <= written:
            gone.append(self._old.pop(0)[0])
        return gone

    def sync(self) -> None:
        self._tail.sync()

    def close(self, *, keep: bool) -> None:
        """Lets go of the files; removes them unless something in them is still needed."""
        self._tail.close()
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
