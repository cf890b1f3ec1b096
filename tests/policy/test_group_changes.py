"""Changes of groups with members in common: whoever was compiled from what changed is compiled anew, and no pool counts
those who have left."""

from __future__ import annotations

import random
from dataclasses import replace

from policy.bench import CREDENTIAL, NOW, Bench
from sluicegate.domain.policy import ChangeKind, Dimension, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Group

GROUPS = ("a", "b", "c")


def pool(group_id: str) -> Subject:
    return Subject(SubjectKind.POOL, group_id)


class Scene:
    """People whose groups and limits a test changes, telling the service by one change each."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.people = [f"u{number}" for number in range(5)]
        for user_id in self.people:
            bench.rows.add_colleague(user_id)
        self.limits = dict.fromkeys((Subject(SubjectKind.GROUP, group_id) for group_id in GROUPS), RateLimits(100))
        self.limits |= {pool(group_id): RateLimits(1000) for group_id in GROUPS}
        self.groups_of: dict[str, set[str]] = {user_id: set(GROUPS) for user_id in self.people}
        self._write()

    def _write(self) -> None:
        rows = self.bench.rows.others
        for user_id, groups in self.groups_of.items():
            mine = [Group(group_id, group_id, "", NOW) for group_id in sorted(groups)]
            rows[user_id] = replace(rows[user_id], groups=mine, limits=dict(self.limits))

    async def limit(self, group_id: str, requests: int, change: PolicyChange | None = None) -> None:
        self.limits[Subject(SubjectKind.GROUP, group_id)] = RateLimits(requests)
        self._write()
        await self.bench.policy.apply([change or PolicyChange(ChangeKind.GROUP, group_id)])

    async def move(self, user_id: str, *groups: str) -> None:
        self.groups_of[user_id] = set(groups)
        self._write()
        await self.bench.policy.apply([PolicyChange(ChangeKind.USER, user_id)])

    async def in_force(self, *people: str) -> list[int | None]:
        found = await self.bench.policy.effective(people)
        return [found[user_id][0].limits[Dimension.REQUESTS].value for user_id in people]

    def due(self, user_id: str) -> int | None:
        limits = [self.limits[Subject(SubjectKind.GROUP, group_id)].requests for group_id in self.groups_of[user_id]]
        return min((limit for limit in limits if limit is not None), default=None)

    def counted(self, group_id: str) -> set[str]:
        known = self.bench.policy.known_limits(pool(group_id))
        return set() if known is None else set(known.users)


async def test_a_change_of_another_group_reaches_those_whom_the_first_one_made_forget(bench: Bench) -> None:
    scene = Scene(bench)
    assert await scene.in_force(*scene.people) == [100] * 5
    await scene.limit("a", 50)
    assert await scene.in_force("u0") == [50]
    await scene.limit("b", 40)
    assert await scene.in_force(*scene.people) == [40] * 5


async def test_callers_who_hold_on_to_what_was_compiled_see_that_it_is_over(bench: Bench) -> None:
    principals = [await bench.policy.authenticate(CREDENTIAL.text, "10.0.0.1")]
    for change in (PolicyChange(ChangeKind.GROUP, "team"), PolicyChange(ChangeKind.EVERYTHING)):
        assert principals[-1].valid
        await bench.policy.apply([change])
        assert not any(principal.valid for principal in principals)
        principals.append(await bench.policy.authenticate(CREDENTIAL.text, "10.0.0.1"))


async def test_a_pool_counts_those_who_are_known_to_be_in_its_group(bench: Bench) -> None:
    scene = Scene(bench)
    await scene.in_force(*scene.people)
    assert scene.counted("b") == set(scene.people)
    await scene.limit("a", 50)
    await scene.move("u1", "a")
    await scene.in_force("u0", "u1")
    assert scene.counted("b") == {"u0"}
    await scene.in_force(*scene.people)
    assert scene.counted("b") == set(scene.people) - {"u1"}


async def test_whatever_changes_the_policy_in_force_is_that_of_the_rows(bench: Bench) -> None:
    for seed in range(20):
        dice, scene = random.Random(seed), Scene(bench)
        await bench.policy.apply([PolicyChange(ChangeKind.EVERYTHING)])
        for _ in range(40):
            match dice.randrange(4):
                case 0:
                    await scene.limit(dice.choice(GROUPS), dice.randrange(1, 100))
                case 1:
                    await scene.move(dice.choice(scene.people), *dice.sample(GROUPS, dice.randrange(4)))
                case 2:
                    await scene.limit(dice.choice(GROUPS), dice.randrange(1, 100), PolicyChange(ChangeKind.EVERYTHING))
                case _:
                    some = dice.sample(scene.people, dice.randrange(1, 5))
                    assert await scene.in_force(*some) == [scene.due(user_id) for user_id in some]
            for group_id in GROUPS:
                members = {user_id for user_id, groups in scene.groups_of.items() if group_id in groups}
                assert scene.counted(group_id) <= members
        assert await scene.in_force(*scene.people) == [scene.due(user_id) for user_id in scene.people]
