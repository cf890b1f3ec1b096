"""What is there, read from the store, and the way from one state to another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sluicegate.domain.catalog import Model, ProviderModel
from sluicegate.domain.policy import NO_BUDGET, NO_LIMITS, Subject, SubjectKind
from sluicegate.domain.user import Group, User
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.ids import new_id
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.store import Transaction
from sluicegate.services.absent import ABSENT
from sluicegate.services.budgets import set_budget
from sluicegate.services.caller import Caller
from sluicegate.services.grants import grant, revoke
from sluicegate.services.groups import add_group, edit_group, join, leave, remove_group
from sluicegate.services.limits import set_limits
from sluicegate.services.models import ModelChange as ModelEdit
from sluicegate.services.models import NewBackend, NewModel, add_model, edit_model, remove_model
from sluicegate.services.policy_file.planning import (
    BackendState,
    Change,
    GroupChange,
    GroupState,
    ModelChange,
    ModelState,
    Plan,
    PolicyState,
    Setting,
    UserChange,
    UserState,
)

T = TypeVar("T")
_PORTION = 500
# What counts each member's own use, and what counts everybody's.
_KINDS = (SubjectKind.GROUP, SubjectKind.POOL)


@dataclass(slots=True)
class Stored:
    """A state, and what its names stand for: models by slug, groups by name, offers by provider and name, people by
    address."""

    state: PolicyState
    models: dict[str, Model]
    groups: dict[str, Group]
    offers: dict[tuple[str, str], ProviderModel]
    people: dict[str, User] = field(default_factory=dict[str, User])


async def load(
    tx: Transaction,
    named: Iterable[str] = (),
    users: Iterable[str] = (),
    *,
    members: bool,
    all_users: bool = False,
) -> Stored:
    """`named` are addresses to look for, `users` such of whom also what is set for them alone; with `members` all
    members of all groups are looked at, too, with `all_users` everybody for whom something is set."""
    providers = {p.id: p async for p in _every(tx.catalog.page_providers, None)}
    offered = await tx.catalog.models_of_providers(list(providers))
    stored = Stored(
        PolicyState(),
        {model.slug: model async for model in _every(tx.catalog.page_models, None, None, None)},
        {group.name: group async for group in _every(tx.groups.page, None)},
        {(providers[of].name, offer.name): offer for of, found in offered.items() for offer in found},
    )
    for emails in _portions([*named, *users]):
        stored.people |= await tx.users.by_emails(emails)
    owners = {user.email: user for user in (stored.people.get(email) for email in users) if user}
    for ids in _portions(await tx.policy.owners(SubjectKind.USER) if all_users else ()):
        owners |= {user.email: user for user in (await tx.users.get_many(ids)).values()}
    stored.people |= owners
    names = {offer.id: key for key, offer in stored.offers.items()}
    stored.state = PolicyState(
        {slug: _model_state(model, names) for slug, model in stored.models.items()},
        await _group_states(tx, stored, members=members),
        {key: offer.kind for key, offer in stored.offers.items()},
        frozenset(stored.people),
        await _user_states(tx, stored, owners),
    )
    return stored


async def _every(read: Callable[..., Awaitable[Page[T]]], *where: None) -> AsyncIterator[T]:
    """All pages, one after the other."""
    page = await read(*where, PageRequest(_PORTION))
    while True:
        for item, _ in page.items:
            yield item
        if not page.has_next:
            return
        page = await read(*where, PageRequest(_PORTION, page.items[-1][1]))


def _portions(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while portion := list(islice(rest, _PORTION)):
        yield portion


def _model_state(model: Model, names: Mapping[str, tuple[str, str]]) -> ModelState:
    # A provider model that has gone meanwhile takes its backend with it.
    backends = [
        BackendState(*names[backend.provider_model_id], backend.priority, backend.weight)
        for backend in model.backends
        if backend.provider_model_id in names
    ]
    return ModelState(model.slug, model.display_name, model.kind, model.status, frozenset(backends))


async def _group_states(tx: Transaction, stored: Stored, *, members: bool) -> dict[str, GroupState]:
    slugs = {model.id: slug for slug, model in stored.models.items()}
    found: dict[str, GroupState] = {}
    for groups in _portions(stored.groups.values()):
        ids = [group.id for group in groups]
        subjects = {kind: [Subject(kind, group_id) for group_id in ids] for kind in _KINDS}
        both = [*subjects[SubjectKind.GROUP], *subjects[SubjectKind.POOL]]
        limits, budgets = await tx.policy.rate_limits(both), await tx.policy.budgets(both)
        grants = await _slugs(tx, slugs, subjects[SubjectKind.GROUP])
        sizes = await tx.groups.member_counts(ids)
        for group in groups:
            each, pool = (
                Setting(limits.get(subject, NO_LIMITS), budgets.get(subject, NO_BUDGET))
                for subject in (Subject(kind, group.id) for kind in _KINDS)
            )
            emails = await _emails(tx, stored, group.id) if members else frozenset[str]()
            found[group.name] = GroupState(
                group.name,
                group.description,
                grants[group.id],
                emails,
                each,
                pool,
                sizes.get(group.id, 0),
            )
    return found


async def _user_states(tx: Transaction, stored: Stored, owners: Mapping[str, User]) -> dict[str, UserState]:
    slugs = {model.id: slug for slug, model in stored.models.items()}
    found: dict[str, UserState] = {}
    for users in _portions(owners.values()):
        subjects = [Subject(SubjectKind.USER, user.id) for user in users]
        limits, budgets = await tx.policy.rate_limits(subjects), await tx.policy.budgets(subjects)
        grants = await _slugs(tx, slugs, subjects)
        for user, subject in zip(users, subjects, strict=True):
            own = Setting(limits.get(subject, NO_LIMITS), budgets.get(subject, NO_BUDGET))
            found[user.email] = UserState(user.email, grants[user.id], own)
    return found


async def _slugs(tx: Transaction, slugs: Mapping[str, str], subjects: list[Subject]) -> dict[str, frozenset[str]]:
    """What each subject is granted, by the subject's id."""
    found: dict[str, set[str]] = {subject.id: set() for subject in subjects}
    for held in await tx.policy.grants_of(subjects):
        if held.model_id in slugs:
            found[held.subject.id].add(slugs[held.model_id])
    return {subject_id: frozenset(granted) for subject_id, granted in found.items()}


async def _emails(tx: Transaction, stored: Stored, group_id: str) -> frozenset[str]:
    """Of all members, who are people of `stored` then."""
    found: dict[str, User] = {}
    for ids in _portions(await tx.groups.member_ids(group_id)):
        found |= {user.email: user for user in (await tx.users.get_many(ids)).values()}
    stored.people |= found
    return frozenset(found)


def touched(stored: Stored, plan: Plan) -> list[Edited]:
    """What others may edit and a plan changes."""
    things: list[Edited] = []
    for change in plan.changes:
        if isinstance(change, ModelChange):
            things += [Edited(Editable.MODEL, model.id) for model in (stored.models.get(change.name),) if model]
        elif isinstance(change, UserChange):
            subject = Subject(SubjectKind.USER, stored.people[change.name].id)
            things += [Edited(Editable.USER, subject.id), Edited.limits_of(subject), Edited.budget_of(subject)]
        elif (group := stored.groups.get(change.name)) is not None:
            things.append(Edited(Editable.GROUP, group.id))
            for kind in _KINDS:
                subject = Subject(kind, group.id)
                things += [Edited.limits_of(subject), Edited.budget_of(subject)]
        if isinstance(change, GroupChange) and change.after is not None:
            before = change.before.members if change.before is not None else frozenset[str]()
            things += [Edited(Editable.USER, stored.people[email].id) for email in before ^ change.after.members]
    return things


@dataclass(slots=True)
class Execution:
    """Makes the changes of a plan in one transaction, by the same rules and with the same audit rows as one by one."""

    tx: Transaction
    caller: Caller
    stored: Stored
    at: datetime

    async def make(self, change: Change) -> None:
        if isinstance(change, ModelChange):
            await self._model(change)
        elif isinstance(change, UserChange):
            user = self.stored.people[change.name]
            subject = Subject(SubjectKind.USER, user.id)
            await self._grants(subject, user.label, change.before.grants, change.after.grants)
            await self._set(subject, change.before.own, change.after.own)
        else:
            await self._group(change)

    async def _model(self, change: ModelChange) -> None:
        before, after = change.before, change.after
        if after is None:
            await remove_model(self.tx, self.caller, self.stored.models[change.name].id)
        elif before is None:
            backends = self._backends(after)
            new = NewModel(after.slug, after.name, after.kind, after.status, backends)
            self.stored.models[after.slug] = await add_model(self.tx, self.caller, new, self.at)
        else:
            backends = self._backends(after) if after.backends != before.backends else ABSENT
            edit = ModelEdit(display_name=after.name, status=after.status, backends=backends)
            await edit_model(self.tx, self.caller, self.stored.models[change.name].id, edit)

    def _backends(self, model: ModelState) -> tuple[NewBackend, ...]:
        offers = self.stored.offers
        return tuple(NewBackend(offers[b.provider, b.model].id, b.priority, b.weight) for b in sorted(model.backends))

    async def _group(self, change: GroupChange) -> None:
        before, after = change.before, change.after
        if after is None:
            await remove_group(self.tx, self.caller, self.stored.groups[change.name].id)
            return
        if before is None:
            before = GroupState(after.name)
            group = Group(new_id(), after.name, after.description, self.at)
            await add_group(self.tx, self.caller, group)
        else:
            group_id = self.stored.groups[change.name].id
            group = await edit_group(self.tx, self.caller, group_id, after.name, after.description)
        await self._grants(Subject(SubjectKind.GROUP, group.id), group.name, before.grants, after.grants)
        await self._members(group, before.members, after.members)
        for kind, was, now in (
            (SubjectKind.GROUP, before.each, after.each),
            (SubjectKind.POOL, before.pool, after.pool),
        ):
            await self._set(Subject(kind, group.id), was, now)

    async def _grants(self, subject: Subject, label: str, before: frozenset[str], after: frozenset[str]) -> None:
        if before - after:
            gone = {self.stored.models[slug].id for slug in before - after}
            held = [one for one in await self.tx.policy.grants_of([subject]) if one.model_id in gone]
            await revoke(self.tx, self.caller, subject, label, held)
        if after - before:
            models = {self.stored.models[slug].id: self.stored.models[slug] for slug in sorted(after - before)}
            await grant(self.tx, self.caller, subject, label, models, self.at)

    async def _members(self, group: Group, before: frozenset[str], after: frozenset[str]) -> None:
        for emails, change in ((before - after, leave), (after - before, join)):
            users = [self.stored.people[email] for email in sorted(emails)]
            for portion in _portions(users):
                await change(self.tx, self.caller, group, {user.id: user for user in portion})

    async def _set(self, subject: Subject, before: Setting, after: Setting) -> None:
        if before.limits != after.limits:
            await set_limits(self.tx, self.caller, subject, after.limits)
        if before.budget != after.budget:
            await set_budget(self.tx, self.caller, subject, after.budget)
