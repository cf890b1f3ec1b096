"""The views of several processes, as if one had carried all calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sluicegate.ports.live import CallInFlight, RefusedCall
from sluicegate.services.pictures import LimitUse, NearLimit, Rate, View, merged

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def _at(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def _call(name: str, since: int) -> CallInFlight:
    who = ("ada", "Ada", "key-1", "laptop")
    return CallInFlight(name, *who, "fast", None, None, None, None, _at(since), False, 10, None)


def _refused(code: str, last: int, count: int, key: str | None = "key-1") -> RefusedCall:
    return RefusedCall(_at(last), count, "ada", "Ada", key, "laptop", "fast", 429, code, f"at {last}", None)


def _near(name: str, used: int, limit: int = 10) -> NearLimit:
    return NearLimit("USER", name, name, (LimitUse("REQUESTS", used, limit),))


def _view(
    in_flight: int = 0,
    calls: list[CallInFlight] | None = None,
    nearest: list[NearLimit] | None = None,
    refused: list[RefusedCall] | None = None,
) -> View:
    return View(in_flight, calls or [], nearest or [], refused or [], Rate(1, 20))


def test_calls_are_counted_and_those_that_began_first_are_shown() -> None:
    views = [_view(500, [_call(f"{name}{n}", 2 * n + odd) for n in range(100)]) for odd, name in enumerate("ab")]
    found = merged(views)
    assert (found.in_flight, found.refusals) == (1000, Rate(2, 40))
    assert [call.id for call in found.calls] == [f"{name}{n}" for n in range(50) for name in "ab"]


def test_a_refusal_that_differs_in_nothing_but_time_and_place_is_one() -> None:
    views = [
        _view(refused=[_refused("rate_limit_exceeded", 5, 3), _refused("budget_exceeded", 1, 2)]),
        _view(refused=[_refused("rate_limit_exceeded", 9, 4), _refused("rate_limit_exceeded", 7, 1, key=None)]),
    ]
    found = [(call.code, call.key_id, call.count, call.message) for call in merged(views).refused]
    assert found == [
        ("rate_limit_exceeded", "key-1", 7, "at 9"),
        ("rate_limit_exceeded", None, 1, "at 7"),
        ("budget_exceeded", "key-1", 2, "at 1"),
    ]
    many = [_view(refused=[_refused(f"{side}{n}", n, 1) for n in range(50)]) for side in "ab"]
    assert [call.at for call in merged(many).refused] == [_at(49 - n // 2) for n in range(50)]


def test_the_twenty_that_are_nearest_are_shown_once_each() -> None:
    views = [_view(nearest=[_near(f"u{n}", n) for n in range(first, first + 20)]) for first in (0, 10)]
    blocked = _view(nearest=[_near("blocked", 0, limit=0)])
    found = [near.id for near in merged([*views, blocked]).nearest]
    assert found == ["blocked", *(f"u{n}" for n in range(29, 10, -1))]


def test_one_view_is_left_as_it_is() -> None:
    view = _view(3, [_call("late", 9), _call("early", 1)])
    assert merged([view]) is view
