"""Long work beside a loop."""

from __future__ import annotations

import gc

import pytest

from sluicegate.kit.aside import beside_the_loop


@pytest.mark.parametrize(("made", "left"), [(300_000, False), (10_000, True)])
def test_the_collector_never_begins_with_all_that_long_work_has_made(made: int, left: bool) -> None:
    gc.collect()
    before = gc.get_threshold()
    gc.set_threshold(1_000_000)
    try:
        with beside_the_loop():
            kept = [[number] for number in range(made)]
        assert (gc.get_count()[0] > made // 2) is left
        assert len(kept) == made
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
