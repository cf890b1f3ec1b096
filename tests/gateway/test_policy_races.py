"""Policy changes while 64 callers hammer at the socket: none is answered by a policy older than the change's answer."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.bench import SUBJECT, Bench
from gateway.crowd import ask
from gateway.office import Office
from sluicegate.domain.policy import Budget, Dimension, RateLimits, Subject, SubjectKind
from sluicegate.kit.money import Nanos
from sluicegate.services.narrowing import KeyChange
from sluicegate.services.overrides import NewOverride

CALLERS = 64
PEOPLE = tuple(f"m{number}" for number in range(8))


@dataclass(frozen=True)
class State:
    """What an administrator has set; everybody's access comes through one group."""

    granted: bool = True
    limited: bool = False
    drained: bool = False
    outside: frozenset[str] = frozenset()
    suspended: frozenset[str] = frozenset()
    narrowed: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()

    def answer(self, person: str) -> str:
        """By the order of admission."""
        if person in self.revoked:
            return "key_revoked"
        if person in self.suspended:
            return "user_suspended"
        if not self.granted or person in self.outside or person in self.narrowed:
            return "model_not_granted"
        if self.limited or person in self.overridden:
            return "rate_limit_exceeded"
        return "budget_exceeded" if self.drained else "ok"


@dataclass
class Stage:
    """`states` grows when a change begins; `answered` is the last one whose mutation has answered."""

    office: Office
    team: str
    grant: str
    model: str
    other: str
    states: list[State] = field(default_factory=lambda: [State()])
    answered: int = 0

    @property
    def services(self) -> Any:
        return self.office.bench.container.services

    async def change(self, after: State) -> None:
        before = self.states[-1]
        self.states.append(after)
        await self._apply(before, after)
        self.answered = len(self.states) - 1

    async def _apply(self, before: State, after: State) -> None:
        admin, services, team = self.office.admin, self.services, Subject(SubjectKind.GROUP, self.team)
        if after.granted and not before.granted:
            (grant,) = await services.grants.add(admin, team, [self.model])
            self.grant = grant.id
        if before.granted and not after.granted:
            await services.grants.revoke(admin, self.grant)
        if after.limited != before.limited:
            await services.limits.set(admin, team, RateLimits(requests=0 if after.limited else None))
        if after.drained != before.drained:
            pool = Subject(SubjectKind.POOL, self.team)
            await services.budgets.set(admin, pool, Budget(day=Nanos(0) if after.drained else None))
        for person in after.outside - before.outside:
            await services.groups.remove_members(admin, self.team, [person])
        for person in before.outside - after.outside:
            await services.groups.add_members(admin, self.team, [person])
        for person in after.suspended - before.suspended:
            await services.users.suspend(admin, person)
        for person in before.suspended - after.suspended:
            await services.users.reactivate(admin, person)
        for person in after.narrowed ^ before.narrowed:
            models = (self.other,) if person in after.narrowed else None
            await services.keys.update(admin, f"key-{person}", KeyChange(model_ids=models))
        for person in after.overridden ^ before.overridden:
            await self._override(person, blocked=person in after.overridden)
        for person in after.revoked - before.revoked:
            await services.keys.revoke(admin, f"key-{person}")

    async def _override(self, person: str, *, blocked: bool) -> None:
        if blocked:
            end = self.office.bench.container.clock.now().replace(year=2027, month=1)
            new = NewOverride(person, Dimension.CONCURRENT_REQUESTS, 0, "race", end)
            await self.services.overrides.create(self.office.admin, new)
            return
        found = (await self.services.overrides.of_users(self.office.admin, [person]))[person]
        await self.services.overrides.end(self.office.admin, found[0].id)


async def prepared(office: Office) -> tuple[Stage, dict[str, str]]:
    """Eight people who may call through their group alone, and the keys."""
    team = await office.group("Team")
    keys = {person: await office.hire(person, team) for person in PEOPLE}
    async with office.bench.container.store.write() as tx:
        model, other = await tx.catalog.model_by_slug("team-gpt"), await tx.catalog.model_by_slug("team-claude")
        assert model is not None
        assert other is not None
        for person in PEOPLE:
            for grant in await tx.policy.grants_of([Subject(SubjectKind.USER, person)]):
                if grant.model_id == model.id:
                    await tx.policy.remove_grant(grant.id)
    (grant,) = await office.bench.container.services.grants.add(
        office.admin, Subject(SubjectKind.GROUP, team), [model.id]
    )
    return Stage(office, team, grant.id, model.id, other.id), keys


def toggled(state: State, chance: random.Random) -> State:
    """One thing changed; whatever is closed is opened again more often than not, so that calls go through, too."""
    name = chance.choice(["granted", "limited", "drained", "outside", "suspended", "narrowed", "overridden"])
    value = getattr(state, name)
    if isinstance(value, bool):
        return replace(state, **{name: not value})
    person = chance.choice(sorted(value) or PEOPLE)
    return replace(state, **{name: value ^ {person}})


def opened(state: State) -> State:
    """One thing that is closed, opened."""
    for name, value in vars(State()).items():
        now = getattr(state, name)
        if now != value:
            return replace(state, **{name: now - {min(now)} if isinstance(now, frozenset) else value})
    return state


@pytest.mark.timeout(300)
async def test_no_call_is_decided_by_a_policy_older_than_the_answer_to_a_change(office: Office, bench: Bench) -> None:
    stage, keys = await prepared(office)
    for person, key in keys.items():
        assert await ask(bench.port, key) == "ok", person
    wrong: list[str] = []
    seen: Counter[str] = Counter(ok=len(keys))
    stop, pause = False, random.Random()

    async def caller(person: str) -> None:
        while not stop:
            # Leaves some of the loop to the changes; at random, so that calls fall at every point of them.
            await asyncio.sleep(pause.random() / 5)
            oldest = stage.answered
            found = await ask(bench.port, keys[person])
            seen[found] += 1
            possible = {state.answer(person) for state in stage.states[oldest:]}
            if found not in possible:
                wrong.append(f"{person} got {found}, which only a policy before number {oldest} gives: {possible}")

    callers = [asyncio.create_task(caller(PEOPLE[number % 8])) for number in range(CALLERS)]
    chance = random.Random(20261124)
    for _ in range(60):
        await stage.change(toggled(stage.states[-1], chance))
        await asyncio.sleep(0.02)
    # One mutation at a time: between two of them holds what neither state says.
    while stage.states[-1] != State():
        await stage.change(opened(stage.states[-1]))
    await asyncio.sleep(0.2)
    for person in PEOPLE[:4]:
        await stage.change(replace(stage.states[-1], revoked=stage.states[-1].revoked | {person}))
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    stop = True
    await asyncio.gather(*callers)
    assert wrong == []
    expected = {"ok", "key_revoked", "user_suspended", "model_not_granted", "rate_limit_exceeded", "budget_exceeded"}
    assert set(seen) == expected
    await bench.until_settled()
    # Every call that was let through was served and written down, and no other.
    await bench.container.journal.flush()
    assert len(bench.provider.log) == seen["ok"]
    use = await bench.container.admission.use_of(Subject(SubjectKind.POOL, stage.team))
    assert set(use.reserved.values()) == {0}
    assert use.used[Dimension.CONCURRENT_REQUESTS] == 0
    assert (await bench.container.admission.use_of(SUBJECT)).used[Dimension.REQUESTS] == 0
