"""Identifiers."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from sluicegate.kit import ids
from sluicegate.kit.ids import is_id, new_id


def test_an_identifier_is_a_uuid_of_version_7_that_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    uuid = UUID(made)
    assert (uuid.version, uuid.variant, is_id(made)) == (7, "specified in RFC 4122", True)
    assert before <= uuid.int >> 80 <= after


def test_identifiers_increase_inside_a_millisecond_and_across_many() -> None:
    made = [new_id() for _ in range(50_000)]
    assert made == sorted(set(made))


def test_identifiers_increase_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert new_id() > first


def test_a_millisecond_that_has_no_numbers_left_borrows_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    monkeypatch.setattr(ids, "_MOST", 1)
    made = [new_id() for _ in range(5)]
    assert made == sorted(set(made))
    assert len({UUID(one).int >> 80 for one in made}) == 5


def test_threads_get_no_identifier_twice() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [one for part in pool.map(lambda _: [new_id() for _ in range(2_000)], range(32)) for one in part]
    assert len(set(made)) == len(made)


def test_a_forked_child_does_not_go_on_with_its_parents_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 36).decode()
    os.close(reading)
    os.close(writing)
    assert is_id(theirs)
    assert theirs[:-6] != new_id()[:-6]
