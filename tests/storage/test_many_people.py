"""What the lists of people read when there are 100,000 of them."""

from __future__ import annotations

import pytest

from sluicegate.domain.user import Role, UserStatus
from sluicegate.kit.clock import ManualClock
from sluicegate.ports.pages import PageRequest, UserFilter, UserSort
from sluicegate.storage.engine import SqlStore, make_engine
from sluicegate.storage.engine import database_url as async_url
from storage.conftest import Changes
from storage.crowd import COUNT, Meter, fill, selects
from storage.records import NOW

# Each with how many rows a page, and the total, may look at.
SEARCHES = {
    "all": (UserFilter(), 1_000, COUNT),
    "one matches": (UserFilter("person77777@"), 1_000, 1_000),
    "nobody matches": (UserFilter("zzzz"), 1_000, 1_000),
    "nobody active matches": (UserFilter("zzzz", status=UserStatus.ACTIVE), 1_000, 1_000),
    "nobody in a group matches": (UserFilter("zzzz", group_id="large"), 5_000, 5_000),
    "many match": (UserFilter("lovelace"), 20_000, COUNT),
    "all match": (UserFilter("example.com"), 1_000, COUNT),
    "two letters": (UserFilter("ad"), 20_000, COUNT),
    "two letters that nobody has": (UserFilter("qq"), COUNT, COUNT),
    "administrators": (UserFilter(role=Role.ADMIN), 1_000, 1_000),
    "active": (UserFilter(status=UserStatus.ACTIVE), 1_000, COUNT),
    "suspended": (UserFilter(status=UserStatus.SUSPENDED), 20_000, 1_000),
    "suspended administrators": (UserFilter(role=Role.ADMIN, status=UserStatus.SUSPENDED), 2_000, 1_000),
    "small group": (UserFilter(group_id="small"), 1_000, 1_000),
    "large group": (UserFilter(group_id="large"), 20_000, 2 * COUNT),
}


@pytest.mark.slow
async def test_pages_and_totals_look_at_no_more_rows_than_they_have_to(fresh_url: str) -> None:
    fill(fresh_url)
    store = SqlStore(make_engine(async_url(fresh_url)), Changes(), ManualClock(NOW))
    meter = Meter(fresh_url)
    whole: set[str] = set()
    most: dict[str, tuple[int, int]] = {}
    for name, (where, rows, _) in SEARCHES.items():
        read: list[int] = []
        for sort in UserSort:
            after = None
            for _ in range(2):
                with selects(store) as seen:
                    async with store.read() as tx:
                        page = await tx.users.page(where, sort.value, PageRequest(after=after))
                read.append(sum(map(meter.rows, seen)))
                # PostgreSQL may take the table for its index where it has to go through all of it.
                if meter.sqlite or rows < COUNT:
                    whole.update(f"{name}, {sort}" for select in seen if meter.reads_whole_table(select, "users"))
                if not page.has_next:
                    break
                after = page.items[-1][1]
        with selects(store) as seen:
            async with store.read() as tx:
                await tx.users.count(where)
        most[name] = max(read), sum(map(meter.rows, seen))
    meter.close()
    await store.aclose()
    assert {
        name: read for name, read in most.items() if read[0] > SEARCHES[name][1] or read[1] > SEARCHES[name][2]
    } == {}
    assert whole == set()
