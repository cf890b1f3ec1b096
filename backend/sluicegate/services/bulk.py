"""One thing done to many people: in one transaction, with one answer each, and one notice to all processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.user import User
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import AppError, Conflict, InvalidInput, NotFound, StaleVersion
from sluicegate.ports.pages import PageRequest, UserFilter, UserSort
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.grants import checked_wishes, grant, require_models
from sluicegate.services.groups import join, leave, require_group
from sluicegate.services.users import delete_held, reactivate_held, suspend_held
from sluicegate.services.versions import require_version

MAX_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """Somebody by id, and the version that was shown to whoever chose, if it is to be still that one."""

    user_id: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """Everybody who matches, if they are still as many as were shown."""

    where: UserFilter
    expected_count: int


Selection = Sequence[Chosen] | Matching


class Outcome(StrEnum):
    DONE = "done"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What came of one person; `label` is empty for an id that nobody has."""

    user_id: str
    label: str
    outcome: Outcome
    error: AppError | None = None


@dataclass(slots=True)
class _Run:
    """The people of one selection in its order, held until the transaction ends, and what came of each."""

    tx: Transaction
    ids: list[str]
    users: dict[str, User]
    results: dict[str, BulkResult] = field(default_factory=dict[str, BulkResult])

    def settle(self, user_id: str, outcome: Outcome, error: AppError | None = None) -> None:
        label = self.users[user_id].label if user_id in self.users else ""
        self.results[user_id] = BulkResult(user_id, label, outcome, error)

    @property
    def open(self) -> dict[str, User]:
        """Those who were not refused yet, in an order that is the same for everybody who locks their rows."""
        return {user_id: self.users[user_id] for user_id in sorted(self.users) if user_id not in self.results}

    async def each(self, act: Callable[[User], Awaitable[bool]]) -> list[BulkResult]:
        """`act` tells whether there was anything to do; a refusal must come before it writes."""
        for user_id, user in self.open.items():
            try:
                self.settle(user_id, Outcome.DONE if await act(user) else Outcome.ALREADY)
            except AppError as error:
                self.settle(user_id, Outcome.REFUSED, error)
        return self.answer()

    def answer(self) -> list[BulkResult]:
        return [self.results[user_id] for user_id in self.ids]


class BulkService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def suspend(self, caller: Caller, selection: Selection) -> list[BulkResult]:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            run = await _begin(tx, selection)
            _spare(run, caller, "suspend")
            return await run.each(lambda user: _differs(user, suspend_held(tx, caller, user)))

    async def reactivate(self, caller: Caller, selection: Selection) -> list[BulkResult]:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            run = await _begin(tx, selection)
            return await run.each(lambda user: _differs(user, reactivate_held(tx, caller, user)))

    async def delete(self, caller: Caller, selection: Selection) -> list[BulkResult]:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            run = await _begin(tx, selection)
            _spare(run, caller, "delete")

            async def act(user: User) -> bool:
                await delete_held(tx, caller, user)
                return True

            return await run.each(act)

    async def add_to_group(self, caller: Caller, group_id: str, selection: Selection) -> list[BulkResult]:
        return await self._membership(caller, group_id, selection, join)

    async def remove_from_group(self, caller: Caller, group_id: str, selection: Selection) -> list[BulkResult]:
        return await self._membership(caller, group_id, selection, leave)

    async def grant_models(self, caller: Caller, model_ids: Sequence[str], selection: Selection) -> list[BulkResult]:
        caller.require_admin(TokenScope.POLICY)
        wanted = checked_wishes(model_ids)
        async with self._store.write() as tx:
            models = await require_models(tx, wanted)
            run, now = await _begin(tx, selection), self._clock.now()
            return await run.each(
                lambda user: grant(tx, caller, Subject(SubjectKind.USER, user.id), user.label, models, now)
            )

    async def _membership(
        self, caller: Caller, group_id: str, selection: Selection, change: Callable[..., Awaitable[list[str]]]
    ) -> list[BulkResult]:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            group = await require_group(tx, group_id, "groupId")
            run = await _begin(tx, selection)
            changed = set(await change(tx, caller, group, run.open))
            for user_id in run.open:
                run.settle(user_id, Outcome.DONE if user_id in changed else Outcome.ALREADY)
            return run.answer()


async def _begin(tx: Transaction, selection: Selection) -> _Run:
    """Holds everybody; those who are not there or were edited meanwhile are refused already."""
    chosen = await _everybody(tx, selection) if isinstance(selection, Matching) else list(selection)
    ids = list(dict.fromkeys(one.user_id for one in chosen))
    if not ids:
        raise InvalidInput("users", "must choose at least one person")
    if len(ids) > MAX_AT_ONCE:
        raise InvalidInput("users", f"takes at most {MAX_AT_ONCE} people at once")
    present = await tx.users.get_many(ids)
    versions = await tx.versions.hold_all([Edited(Editable.USER, user_id) for user_id in present])
    # Read again: only now nobody else changes them.
    run = _Run(tx, ids, await tx.users.get_many(list(present)))
    expected = {one.user_id: one.expected_version for one in chosen}
    for user_id in ids:
        if user_id not in run.users:
            run.settle(user_id, Outcome.REFUSED, NotFound("user"))
            continue
        thing = Edited(Editable.USER, user_id)
        try:
            await require_version(tx, thing, versions[thing], expected[user_id])
        except StaleVersion as error:
            run.settle(user_id, Outcome.REFUSED, error)
    return run


async def _everybody(tx: Transaction, matching: Matching) -> list[Chosen]:
    page = await tx.users.page(matching.where, UserSort.NAME_ASC.value, PageRequest(MAX_AT_ONCE))
    if page.has_next:
        raise InvalidInput(
            "users.matching", f"matches more than {MAX_AT_ONCE} people; narrow the search or choose fewer at once"
        )
    if len(page.items) != matching.expected_count:
        raise StaleVersion(
            f"{len(page.items)} people match by now, not {matching.expected_count}. Look at the list again.",
            field="users.matching.expectedCount",
        )
    return [Chosen(user.id) for user, _ in page.items]


def _spare(run: _Run, caller: Caller, what: str) -> None:
    """Nobody is to shut themselves out by a tick too many."""
    if caller.user.id in run.open:
        run.settle(caller.user.id, Outcome.REFUSED, Conflict(f"This is you. Nobody can {what} themselves this way."))


async def _differs(user: User, change: Awaitable[User]) -> bool:
    return await change != user
