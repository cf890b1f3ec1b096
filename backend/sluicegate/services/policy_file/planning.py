"""What a policy file changes: a function of what is there and what the file says, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from sluicegate.domain.catalog import ModelKind, ModelStatus
from sluicegate.domain.policy import NO_BUDGET, NO_LIMITS, Budget, RateLimits
from sluicegate.kit.money import format_usd
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.policy_file.nodes import Fault, InvalidDocument
from sluicegate.services.policy_file.reading import (
    CAPS,
    LIMITS,
    THRESHOLDS,
    BackendEntry,
    Given,
    GroupEntry,
    ModelEntry,
    PolicyFile,
    UserEntry,
    Values,
)

T = TypeVar("T")
Plain: TypeAlias = str | int | list[int] | None

_NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class BackendState:
    """By the names of provider and provider model as they are stored."""

    provider: str
    model: str
    priority: int
    weight: int

    def __str__(self) -> str:
        return f"{self.provider} / {self.model} (priority {self.priority}, weight {self.weight})"


@dataclass(frozen=True, slots=True)
class ModelState:
    slug: str
    name: str = ""
    kind: ModelKind = ModelKind.CHAT
    status: ModelStatus = ModelStatus.DRAFT
    backends: frozenset[BackendState] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    limits: RateLimits = NO_LIMITS
    budget: Budget = NO_BUDGET


@dataclass(frozen=True, slots=True)
class GroupState:
    """`grants` are slugs, `members` e-mail addresses: all of them, or as many as a file names; `size` counts all."""

    name: str
    description: str = ""
    grants: frozenset[str] = _NO_NAMES
    members: frozenset[str] = _NO_NAMES
    each: Setting = Setting()
    pool: Setting = Setting()
    size: int = 0


@dataclass(frozen=True, slots=True)
class UserState:
    """What is set for one person alone; `grants` are slugs."""

    email: str
    grants: frozenset[str] = _NO_NAMES
    own: Setting = Setting()


@dataclass(frozen=True, slots=True)
class PolicyState:
    """`models` by slug, `groups` by name; `offers` are what backends may name, by provider and provider model; `people`
    the addresses of everybody whom the file may name; `users` by address those for whom something may be set, all of
    them or as many as a file names."""

    models: Mapping[str, ModelState] = field(default_factory=dict[str, ModelState])
    groups: Mapping[str, GroupState] = field(default_factory=dict[str, GroupState])
    offers: Mapping[tuple[str, str], ModelKind] = field(default_factory=dict[tuple[str, str], ModelKind])
    people: frozenset[str] = _NO_NAMES
    users: Mapping[str, UserState] = field(default_factory=dict[str, UserState])


class Action(StrEnum):
    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value; of grants, members and backends each is one. Money is a decimal string in US dollars."""

    field: str
    action: Action
    before: Plain
    after: Plain


@dataclass(frozen=True, slots=True)
class ModelChange:
    before: ModelState | None
    after: ModelState | None

    what = "model"

    @property
    def name(self) -> str:
        state = self.after or self.before
        return state.slug if state else ""

    @property
    def fields(self) -> list[FieldChange]:
        empty = ModelState(self.name)
        found = _differences(_flat_model(self.before or empty), _flat_model(self.after or empty))
        return found if self.after is not None else _gone(found)


@dataclass(frozen=True, slots=True)
class GroupChange:
    before: GroupState | None
    after: GroupState | None

    what = "group"

    @property
    def name(self) -> str:
        """As it is until then."""
        state = self.before or self.after
        return state.name if state else ""

    @property
    def fields(self) -> list[FieldChange]:
        empty = GroupState(self.name)
        found = _differences(_flat_group(self.before or empty), _flat_group(self.after or empty))
        if self.after is not None or self.before is None:
            return found
        found = [one for one in _gone(found) if one.field != "members"]
        if self.before.size:
            found.append(FieldChange("members", Action.DELETE, self.before.size, None))
        return found


@dataclass(frozen=True, slots=True)
class UserChange:
    """People are neither made nor deleted by a file."""

    before: UserState
    after: UserState

    what = "user"

    @property
    def name(self) -> str:
        return self.after.email

    @property
    def fields(self) -> list[FieldChange]:
        return _differences(_flat_user(self.before), _flat_user(self.after))


Change: TypeAlias = ModelChange | GroupChange | UserChange


def action_of(change: Change) -> Action:
    if change.before is None:
        return Action.ADD
    return Action.DELETE if change.after is None else Action.CHANGE


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they are made."""

    changes: tuple[Change, ...]

    @property
    def id(self) -> str:
        """Stands for all that would be done: another one as soon as something else would be, or from other values."""
        return hashlib.sha256(json.dumps(self.told()).encode()).hexdigest()[:32]

    def told(self) -> list[dict[str, Any]]:
        """The changes as JSON has them."""
        return [
            {
                "kind": change.what,
                "name": change.name,
                "action": action_of(change).value,
                "fields": [asdict(one) for one in change.fields],
            }
            for change in self.changes
        ]


def make_plan(state: PolicyState, file: PolicyFile, *, prune: bool = False) -> Plan:
    """With `prune`, what the file does not name is deleted: models, groups and what is set for people where it has that
    section, grants and members where it lists them. Raises InvalidDocument with all that the file refers to and that is
    not there."""
    planner = _Planner(state, prune)
    models = planner.models(file)
    groups = planner.groups(file, models)
    users = planner.users(file, models)
    if planner.faults:
        raise InvalidDocument(planner.faults)
    # Grants need their models; a model goes when nothing is granted that would go with it.
    changed = [ModelChange(state.models.get(slug), model) for slug, model in models.items()]
    gone = [ModelChange(model, None) for slug, model in state.models.items() if slug not in models]
    removed = [GroupChange(group, None) for name, group in state.groups.items() if name not in groups]
    regrouped = [GroupChange(state.groups.get(name), group) for name, group in groups.items()]
    people = [UserChange(state.users.get(email, UserState(email)), user) for email, user in users.items()]
    every: list[Change] = [
        *_sorted(changed),
        *_sorted(removed),
        *_sorted(regrouped),
        *_sorted(people),
        *_sorted(gone),
    ]
    return Plan(tuple(change for change in every if change.before != change.after))


def _sorted(changes: Iterable[T]) -> list[T]:
    return sorted(changes, key=lambda change: getattr(change, "name", ""))


def applied(state: PolicyState, plan: Plan) -> PolicyState:
    """What is there once a plan is done."""
    models, groups, users = dict(state.models), dict(state.groups), dict(state.users)
    for change in plan.changes:
        if isinstance(change, ModelChange):
            models.pop(change.name, None)
            if change.after is not None:
                models[change.after.slug] = change.after
        elif isinstance(change, UserChange):
            users[change.name] = change.after
        else:
            groups.pop(change.name, None)
            if change.after is not None:
                groups[change.after.name] = change.after
    return replace(state, models=models, groups=groups, users=users)


class _Planner:
    def __init__(self, state: PolicyState, prune: bool) -> None:
        self.state = state
        self.prune = prune
        self.faults: list[Fault] = []

    def models(self, file: PolicyFile) -> dict[str, ModelState]:
        """All that there are to be."""
        if file.models is ABSENT:
            return dict(self.state.models)
        named = {entry.slug.value: self._model(entry) for entry in file.models}
        return named if self.prune else {**self.state.models, **named}

    def groups(self, file: PolicyFile, models: Mapping[str, ModelState]) -> dict[str, GroupState]:
        """All that there are to be, by the name of today, or by their own if they are new."""
        here = self.state.groups
        named: dict[str, GroupState] = {}
        if file.groups is not ABSENT:
            for entry in file.groups:
                name = same_name(entry.name.value, here)
                named[name or entry.name.value] = self._group(entry, here.get(name or ""), models)
        groups = named if self.prune and file.groups is not ABSENT else {**here, **named}
        # What is granted goes with a model that goes.
        return {name: replace(group, grants=group.grants.intersection(models)) for name, group in groups.items()}

    def users(self, file: PolicyFile, models: Mapping[str, ModelState]) -> dict[str, UserState]:
        """Everybody of whom something is known, by address."""
        users = dict(self.state.users)
        if file.users is not ABSENT:
            if self.prune:
                users = {email: UserState(email) for email in users}
            users |= {entry.email.value: self._user(entry, models) for entry in file.users}
        return {email: replace(user, grants=user.grants.intersection(models)) for email, user in users.items()}

    def _user(self, entry: UserEntry, models: Mapping[str, ModelState]) -> UserState:
        email = entry.email.value
        self._require_people([entry.email])
        self._require_models(entry.grants, models)
        state = self.state.users.get(email, UserState(email))
        return UserState(email, self._names(entry.grants, state.grants), _set(entry.own, state.own))

    def _require_models(self, grants: tuple[Given[str], ...] | Absent, models: Mapping[str, ModelState]) -> None:
        for grant in () if grants is ABSENT else grants:
            if grant.value not in models:
                self.faults.append(grant.fault(_absent("there is no model", grant.value, models)))

    def _require_people(self, emails: Iterable[Given[str]]) -> None:
        for email in emails:
            if email.value not in self.state.people:
                self.faults.append(email.fault(f"nobody here has the address {email.value}; invite them first"))

    def _model(self, entry: ModelEntry) -> ModelState:
        before = self.state.models.get(entry.slug.value)
        state = before or ModelState(entry.slug.value)
        kind = state.kind if entry.kind is ABSENT else entry.kind.value
        if before is not None and kind is not before.kind and entry.kind is not ABSENT:
            self.faults.append(entry.kind.fault(f"is {before.kind} and cannot be changed; add another model"))
        status = state.status if entry.status is ABSENT else entry.status.value
        backends = state.backends if entry.backends is ABSENT else self._backends(entry.backends, kind)
        # Backends that were found at fault have been told of.
        bare = not backends and (entry.backends is ABSENT or not entry.backends)
        if status is ModelStatus.ACTIVE and bare:
            at = entry.status if entry.status is not ABSENT else entry.slug
            self.faults.append(at.fault("must have at least one backend to be active"))
        name = state.name if entry.name is ABSENT else entry.name
        return ModelState(entry.slug.value, name, kind, status, backends)

    def _backends(self, entries: tuple[BackendEntry, ...], kind: ModelKind) -> frozenset[BackendState]:
        found: dict[tuple[str, str], BackendState] = {}
        for entry in entries:
            provider = self._provider(entry.provider)
            if provider is None:
                continue
            offer = provider, entry.model.value
            if offer not in self.state.offers:
                models = [model for of, model in self.state.offers if of == provider]
                self.faults.append(entry.model.fault(_absent(f"{provider} has no model", entry.model.value, models)))
            elif self.state.offers[offer] is not kind:
                self.faults.append(entry.model.fault(f"is for {self.state.offers[offer]}, the model here for {kind}"))
            elif offer in found:
                self.faults.append(entry.model.fault("stands behind this model already; one backend each"))
            else:
                found[offer] = BackendState(*offer, entry.priority, entry.weight)
        return frozenset(found.values())

    def _provider(self, given: Given[str]) -> str | None:
        providers = dict.fromkeys(provider for provider, _ in self.state.offers)
        name = same_name(given.value, providers)
        if name is None:
            self.faults.append(given.fault(_absent("there is no provider with models called", given.value, providers)))
        return name

    def _group(self, entry: GroupEntry, before: GroupState | None, models: Mapping[str, ModelState]) -> GroupState:
        state = before or GroupState(entry.name.value)
        self._require_models(entry.grants, models)
        self._require_people(() if entry.members is ABSENT else entry.members)
        return GroupState(
            entry.name.value,
            state.description if entry.description is ABSENT else entry.description,
            self._names(entry.grants, state.grants),
            self._names(entry.members, state.members),
            _set(entry.each, state.each),
            _set(entry.pool, state.pool),
            state.size,
        )

    def _names(self, given: tuple[Given[str], ...] | Absent, present: frozenset[str]) -> frozenset[str]:
        if given is ABSENT:
            return present
        names = frozenset(name.value for name in given)
        return names if self.prune else present | names


def _set(values: Values, before: Setting) -> Setting:
    budget = replace(before.budget, **values.caps)
    if values.thresholds is not ABSENT:
        budget = replace(budget, alert_thresholds=values.thresholds)
    return Setting(replace(before.limits, **values.limits), budget)


def same_name(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is meant; upper and lower case count only where two differ in nothing else."""
    every = list(names)
    if name in every:
        return name
    return next((one for one in every if one.lower() == name.lower()), None)


def _absent(problem: str, name: str, names: Iterable[str]) -> str:
    every = sorted(names)
    near = get_close_matches(name, every, 1, 0.5)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(every[:10])}" if every else ""
    return f"{problem} {name}{hint}"


@dataclass(frozen=True, slots=True)
class _Flat:
    """A state by the paths of its parts: single values, and sets of which each part is a value."""

    values: dict[str, Plain]
    sets: dict[str, frozenset[str]]


def _flat_model(model: ModelState) -> _Flat:
    values: dict[str, Plain] = {"name": model.name or None, "kind": model.kind.value, "status": model.status.value}
    return _Flat(values, {"backends": frozenset(map(str, model.backends))})


def _flat_group(group: GroupState) -> _Flat:
    named: dict[str, Plain] = {"name": group.name, "description": group.description or None}
    values = named | _flat_setting("", group.each) | _flat_setting("pool.", group.pool)
    return _Flat(values, {"grants": group.grants, "members": group.members})


def _flat_user(user: UserState) -> _Flat:
    return _Flat(_flat_setting("", user.own), {"grants": user.grants})


def _flat_setting(at: str, setting: Setting) -> dict[str, Plain]:
    values: dict[str, Plain] = {f"{at}limits.{name}": getattr(setting.limits, own) for name, own in LIMITS.items()}
    for name, own in CAPS.items():
        cap = getattr(setting.budget, own)
        values[f"{at}budget.{name}"] = None if cap is None else format_usd(cap)
    values[f"{at}budget.{THRESHOLDS}"] = list(setting.budget.alert_thresholds)
    return values


def _gone(found: list[FieldChange]) -> list[FieldChange]:
    """Of what is deleted nothing becomes what it is where nothing is set."""
    return [FieldChange(one.field, Action.DELETE, one.before, None) for one in found]


def _differences(before: _Flat, after: _Flat) -> list[FieldChange]:
    found: list[FieldChange] = []
    for name, now in after.values.items():
        was = before.values[name]
        if was != now:
            action = Action.ADD if was is None else Action.DELETE if now is None else Action.CHANGE
            found.append(FieldChange(name, action, was, now))
    for name, members in after.sets.items():
        found += [FieldChange(name, Action.DELETE, one, None) for one in sorted(before.sets[name] - members)]
        found += [FieldChange(name, Action.ADD, None, one) for one in sorted(members - before.sets[name])]
    return found
