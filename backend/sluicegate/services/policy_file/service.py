"""Showing, planning and putting into force a whole policy at once."""

from __future__ import annotations

import asyncio

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Forbidden, StaleVersion
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT
from sluicegate.services.caller import Caller
from sluicegate.services.policy_file.planning import (
    Action,
    Change,
    ModelChange,
    Plan,
    UserChange,
    action_of,
    make_plan,
)
from sluicegate.services.policy_file.reading import PolicyFile, read_policy
from sluicegate.services.policy_file.storing import Execution, Stored, load, touched
from sluicegate.services.policy_file.writing import write_policy

# Each round holds what the last one found to change; more than a few mean that somebody changes all the time.
_ROUNDS = 5
_ONE_AT_A_TIME = Edited(Editable.POLICY_FILE, "")


class PolicyFileService:
    """For administrators."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def export(self, caller: Caller, *, members: bool = False, users: bool = False) -> str:
        """The policy of this moment as a file that changes nothing when it is applied; with `members` of groups, with
        what is set for `users` alone."""
        caller.require_admin(TokenScope.READ)
        async with self._store.snapshot() as tx:
            stored = await load(tx, members=members, all_users=users)
        return await asyncio.to_thread(write_policy, stored.state, members=members, users=users)

    async def plan(self, caller: Caller, text: str, *, prune: bool) -> Plan:
        """What `apply` would do now; raises InvalidDocument."""
        caller.require_admin(TokenScope.READ)
        file = await asyncio.to_thread(read_policy, text)
        async with self._store.snapshot() as tx:
            _, plan = await _planned(tx, file, prune=prune)
        return plan

    async def apply(self, caller: Caller, text: str, *, prune: bool, expected_plan: str | None = None) -> Plan:
        """Does all of it or nothing, and gives what was done. Raises InvalidDocument; StaleVersion when a plan was
        expected and another one has become of it; Forbidden for a token that lacks a scope which the plan needs."""
        caller.require_admin(TokenScope.POLICY)
        file = await asyncio.to_thread(read_policy, text)
        async with self._store.write() as tx:
            await tx.versions.hold(_ONE_AT_A_TIME)
            stored, plan = await _held(tx, file, prune=prune)
            if expected_plan is not None and expected_plan != plan.id:
                raise StaleVersion(
                    "Something changed since this was planned, and applying it would do something else by now. "
                    "Look at a new plan.",
                    field="expectedPlan",
                )
            _require_scopes(caller, plan)
            execution = Execution(tx, caller, stored, self._clock.now())
            for change in plan.changes:
                await execution.make(change)
        return plan


async def _planned(tx: Transaction, file: PolicyFile, *, prune: bool) -> tuple[Stored, Plan]:
    groups = () if file.groups is ABSENT else file.groups
    listed = [group.members for group in groups if group.members is not ABSENT]
    members = dict.fromkeys(member.value for members in listed for member in members)
    users = [] if file.users is ABSENT else [user.email.value for user in file.users]
    everybody = prune and file.users is not ABSENT
    stored = await load(tx, members, users, members=bool(listed), all_users=everybody)
    return stored, make_plan(stored.state, file, prune=prune)


async def _held(tx: Transaction, file: PolicyFile, *, prune: bool) -> tuple[Stored, Plan]:
    """A plan whose things nobody else can edit until the transaction ends."""
    held: set[Edited] = set()
    for _ in range(_ROUNDS):
        stored, plan = await _planned(tx, file, prune=prune)
        more = set(touched(stored, plan)) - held
        if not more:
            return stored, plan
        await tx.versions.hold_all(sorted(more, key=lambda thing: (thing.what, thing.id)))
        held |= more
    raise StaleVersion("Others change the same things at the moment. Try again.")


def _require_scopes(caller: Caller, plan: Plan) -> None:
    needed = {scope for change in plan.changes for scope in _scopes_of(change)}
    lacking = [scope.value for scope in TokenScope if caller.scopes is not None and scope in needed - caller.scopes]
    if lacking:
        raise Forbidden(f"This token lacks what the plan needs: the scope {' and the scope '.join(lacking)}.")


def _scopes_of(change: Change) -> set[TokenScope]:
    """Those that the same change needs when it is made by itself."""
    if isinstance(change, ModelChange):
        return {TokenScope.CATALOG}
    if isinstance(change, UserChange):
        return {TokenScope.POLICY}
    if action_of(change) is Action.DELETE:
        return {TokenScope.USERS}
    own = {"name", "description", "members"}
    found = {TokenScope.USERS if one.field in own else TokenScope.POLICY for one in change.fields}
    return found | ({TokenScope.USERS} if change.before is None else set())
