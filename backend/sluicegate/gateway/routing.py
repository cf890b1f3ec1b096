"""The order in which the backends of a model are tried."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import groupby

from sluicegate.domain.catalog import Dialect
from sluicegate.policy.compile import Route


def in_order(routes: Sequence[Route], dialect: Dialect) -> Iterator[Route]:
    """Routes that speak `dialect`: lowest priority number first, among equals drawn by weight."""
    fitting = [route for route in routes if dialect in route.dialects]
    if len(fitting) == 1:
        yield fitting[0]
        return
    for _, equals in groupby(fitting, key=lambda route: route.priority):
        waiting = list(equals)
        while waiting:
            # Not a secret: any fair draw does.
            weights = [max(route.weight, 0) for route in waiting]
            chosen = random.choices(waiting, weights)[0] if any(weights) else waiting[0]  # noqa: S311
            waiting.remove(chosen)
            yield chosen


def worth_another_try(status: int) -> bool:
    """Whether an answer with this status may be passed over for the next backend."""
    return status == 429 or status >= 500
