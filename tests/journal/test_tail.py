"""The two ways in which lines get to the end of a file are one to whoever reads it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from namespaces import unshared
from sluicegate.adapters.journal.tail import MappedTail, WrittenTail, can_be_mapped, open_tail

MOUNTS = """\
25 1 {device} / / rw,relatime shared:1 - {kind} /dev/vda1 rw
26 25 0:99 / /dev/shm rw - tmpfs tmpfs rw
27 25 0:98 / /broken
"""


@pytest.mark.parametrize("mapped", [True, False])
def test_lines_stand_one_after_the_other_however_many_they_are(tmp_path: Path, *, mapped: bool) -> None:
    path = tmp_path / "lines"
    tail = open_tail(path, mapped=mapped)
    assert isinstance(tail, MappedTail if mapped else WrittenTail)
    # From one byte to more than is taken at a time, and ends that fall on every part of a page.
    lines = [b"x" * size for size in (1, 4094, 4095, 4096, 65_534, 65_535, 65_536, 200_000, *range(100, 700))]
    for line in lines:
        tail.append(line)
    told = b"".join(line + b"\n" for line in lines)
    assert tail.size == len(told)
    tail.sync()
    assert path.read_bytes().rstrip(b"\0") == told
    tail.close()
    assert path.read_bytes().rstrip(b"\0") == told


def test_a_file_takes_no_room_before_its_first_line(tmp_path: Path) -> None:
    open_tail(tmp_path / "lines", mapped=True).close()
    assert (tmp_path / "lines").stat().st_size == 0


def test_a_disk_that_takes_a_part_of_a_line_has_none_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tail, write = open_tail(tmp_path / "lines", mapped=False), os.write
    tail.append(b"first")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: write(file, data[:3]))
        with pytest.raises(OSError, match="No space left"):
            tail.append(b"second")
    tail.append(b"third")
    tail.close()
    assert (tmp_path / "lines").read_bytes() == b"first\nthird\n"


def test_room_that_cannot_be_had_is_an_error_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = open_tail(tmp_path / "lines", mapped=True)
    tail.append(b"first")
    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", _no_room)
        with pytest.raises(OSError, match="No space left"):
            tail.append(b"x" * 70_000)
        tail.append(b"second")
    tail.append(b"y" * 70_000)
    tail.close()
    assert (tmp_path / "lines").read_bytes().rstrip(b"\0") == b"first\nsecond\n" + b"y" * 70_000 + b"\n"


def _no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_lines_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    script = (
        "import os, sys; from pathlib import Path; from sluicegate.adapters.journal.tail import open_tail\n"
        "tail = open_tail(Path(sys.argv[1]), mapped=True)\n"
        "for number in range(5000): tail.append(b'%d' % number)\n"
        f"os.kill(os.getpid(), {int(signal.SIGKILL)})"
    )
    child = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert child.returncode == -signal.SIGKILL
    assert path.read_bytes().rstrip(b"\0") == b"".join(b"%d\n" % number for number in range(5000))


@pytest.mark.parametrize(("kind", "fit"), [("ext4", True), ("xfs", True), ("btrfs", False), ("nfs4", False)])
def test_only_file_systems_that_keep_room_are_mapped(tmp_path: Path, kind: str, *, fit: bool) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(device=f"{os.major(device)}:{os.minor(device)}", kind=kind))
    assert can_be_mapped(tmp_path, mounts) is fit


def test_a_file_system_that_nobody_names_is_written_to(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    assert not can_be_mapped(tmp_path, mounts)
    mounts.write_text(MOUNTS.format(device="9999:1", kind="ext4"))
    assert not can_be_mapped(tmp_path, mounts)


FILL = """
import sys
from pathlib import Path
from sluicegate.adapters.journal.tail import can_be_mapped, open_tail
folder = Path(sys.argv[1])
assert can_be_mapped(folder)
tail, count = open_tail(folder / "lines", mapped=True), 0
try:
    while count < 10_000:
        tail.append(b"x" * 99)
        count += 1
except OSError as error:
    print(error.errno)
try:
    with (folder / "other").open("wb", buffering=0) as other:
        while other.write(b"y" * 4096):
            pass
except OSError as error:
    print(error.errno)
# What was taken is there still, whoever took the rest.
try:
    while True:
        tail.append(b"z")
        count += 1
except OSError as error:
    print(error.errno)
tail.sync()
assert (folder / "lines").read_bytes().rstrip(b"\\0").count(b"\\n") == count
"""


def test_a_disk_that_is_really_full_ends_nobody(tmp_path: Path) -> None:
    """A page without room would, by a signal."""
    script = 'mount -t tmpfs -o size=256k tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = [*unshared("--mount"), "sh", "-c", script, "sh", str(tmp_path), sys.executable, FILL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["28", "28", "28"], "")
