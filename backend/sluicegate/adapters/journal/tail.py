"""The end of a journal's file, where lines are added.

What a process has handed over must outlive its death, and after `sync` a power cut; both ways hold to that. A line in
mapped memory costs a tenth of a system call. But where the disk has no room for a page of it the process ends, instead
of getting an error. So it is done only on file systems that keep room which was taken beforehand, and taking it fails
with an error as writing does.
"""

from __future__ import annotations

import mmap
import os
from errno import ENOSPC
from pathlib import Path
from typing import Protocol

# They write to blocks that were taken beforehand, instead of taking others for what is written over.
_STEADY = frozenset({"ext4", "xfs", "tmpfs"})
# Taken at a time.
_STEP = 65_536
_LINE_END = 10


class Tail(Protocol):
    """`size` is in bytes, of whole lines."""

    size: int

    def append(self, line: bytes) -> None:
        """A line without its end, or several with ends between them; raises OSError, and then none of it counts."""
        ...

    def sync(self) -> None: ...
    def close(self) -> None: ...


def open_tail(path: Path, *, mapped: bool) -> Tail:
    """Of a new file; raises OSError. `mapped` as `can_be_mapped` says of its folder."""
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_EXCL, 0o600)
    return MappedTail(file) if mapped else WrittenTail(file)


def can_be_mapped(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether the file system is one of those; False where that cannot be told."""
    device = os.stat(folder).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return False
    kinds = {fields[2]: fields[fields.index("-") + 1] for line in lines if "-" in (fields := line.split())}
    return kinds.get(wanted) in _STEADY


class WrittenTail:
    def __init__(self, file: int) -> None:
        self._file = file
        self.size = 0

    def append(self, line: bytes) -> None:
        line += b"\n"
        written = os.write(self._file, line)
        if written != len(line):
            os.ftruncate(self._file, self.size)
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        self.size += written

    def sync(self) -> None:
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


class MappedTail:
    """The file is longer than its lines: behind them are zeros."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._map: mmap.mmap | None = None
        self._room = self.size = 0

    def append(self, line: bytes) -> None:
        begin = self.size
        end = begin + len(line)
        room = self._map
        if room is None or end >= self._room:
            room = self._grown(end + 1)
        room[begin:end] = line
        # Last, so that a process that dies amidst its line has not written one.
        room[end] = _LINE_END
        self.size = end + 1

    def _grown(self, needed: int) -> mmap.mmap:
        length = -(-needed // _STEP) * _STEP
        os.posix_fallocate(self._file, 0, length)
        if self._map is None:
            self._map = mmap.mmap(self._file, length)
        else:
            # What lies behind needs no memory of this process.
            self._map.madvise(mmap.MADV_DONTNEED)
            self._map.resize(length)
        self._room = length
        return self._map

    def sync(self) -> None:
        os.fsync(self._file)

    def close(self) -> None:
        if self._map is not None:
            self._map.close()
        os.close(self._file)
