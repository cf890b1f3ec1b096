"""Who may call which model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import Model
from sluicegate.domain.policy import Grant, Subject, SubjectKind
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput, NotFound
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.subjects import change_of, require_visible, subject_label

MAX_AT_ONCE = 100


class GrantService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, caller: Caller, subjects: Sequence[Subject]) -> dict[Subject, list[Grant]]:
        """Every subject's own grants."""
        require_visible(caller, subjects)
        async with self._store.read() as tx:
            return await _by_subject(tx, subjects)

    async def inherited(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, list[Grant]]:
        """Per user the grants of all their groups, one group after the other by name."""
        require_visible(caller, [Subject(SubjectKind.USER, user_id) for user_id in user_ids])
        async with self._store.read() as tx:
            groups = await tx.groups.groups_of(user_ids)
            holders = {
                user_id: [
                    Subject(SubjectKind.GROUP, group.id)
                    for group in sorted(groups.get(user_id, ()), key=lambda g: (g.name.casefold(), g.id))
                ]
                for user_id in user_ids
            }
            grants = await _by_subject(tx, list({holder for of_user in holders.values() for holder in of_user}))
        return {user_id: [g for holder in of_user for g in grants[holder]] for user_id, of_user in holders.items()}

    async def pages_for(self, caller: Caller, models: Sequence[tuple[str, PageRequest]]) -> list[Page[Grant]]:
        """Who was granted each model."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.policy.pages_of_grants_for(models)

    async def counts_for(self, caller: Caller, model_ids: Sequence[str]) -> dict[str, int]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.policy.counts_of_grants_for(model_ids)

    async def add(self, caller: Caller, subject: Subject, model_ids: Sequence[str]) -> list[Grant]:
        """Grants what is not granted yet; gives all the subject's grants for these models."""
        caller.require_admin(TokenScope.POLICY)
        wanted = checked_wishes(model_ids)
        async with self._store.write() as tx:
            label = await subject_label(tx, subject)
            models = await require_models(tx, wanted)
            await grant(tx, caller, subject, label, models, self._clock.now())
            held = (await _by_subject(tx, [subject]))[subject]
            return [one for one in held if one.model_id in models]

    async def revoke(self, caller: Caller, grant_id: str) -> None:
        caller.require_admin(TokenScope.POLICY)
        async with self._store.write() as tx:
            grant = await tx.policy.grant(grant_id)
            if grant is None:
                raise NotFound("grant")
            label = await subject_label(tx, grant.subject)
            if not await revoke(tx, caller, grant.subject, label, [grant]):
                raise NotFound("grant")


def checked_wishes(model_ids: Sequence[str]) -> list[str]:
    """Each once; raises InvalidInput for none or too many."""
    wanted = list(dict.fromkeys(model_ids))
    if not wanted:
        raise InvalidInput("modelIds", "must name at least one model")
    if len(wanted) > MAX_AT_ONCE:
        raise InvalidInput("modelIds", f"takes at most {MAX_AT_ONCE} models at once")
    return wanted


async def require_models(tx: Transaction, wanted: Sequence[str]) -> dict[str, Model]:
    """By id; raises NotFound when one of them does not exist."""
    models = await tx.catalog.models(wanted)
    if len(models) < len(wanted):
        raise NotFound("model", field="modelIds")
    return models


async def grant(
    tx: Transaction, caller: Caller, subject: Subject, label: str, models: Mapping[str, Model], at: datetime
) -> bool:
    """Grants those that are not granted yet; False when all were."""
    held = {one.model_id for one in (await _by_subject(tx, [subject]))[subject]}
    missing = [model_id for model_id in models if model_id not in held]
    if not missing:
        return False
    await tx.policy.add_grants(subject, missing, at)
    after = {"models": sorted(models[model_id].slug for model_id in missing)}
    await tx.audit.record(caller.actor, "grant.add", subject.kind.value, subject.id, label, {}, after)
    tx.changed(change_of(subject))
    return True


async def revoke(tx: Transaction, caller: Caller, subject: Subject, label: str, grants: Sequence[Grant]) -> bool:
    """Takes grants of one subject back; False when somebody else was quicker with all of them."""
    gone = [one.model_id for one in grants if await tx.policy.remove_grant(one.id)]
    if not gone:
        return False
    models = await tx.catalog.models(gone)
    before = {"models": sorted(model.slug for model in models.values())}
    await tx.audit.record(caller.actor, "grant.revoke", subject.kind.value, subject.id, label, before, {})
    tx.changed(change_of(subject))
    return True


async def _by_subject(tx: Transaction, subjects: Sequence[Subject]) -> dict[Subject, list[Grant]]:
    found: dict[Subject, list[Grant]] = {subject: [] for subject in subjects}
    for grant in await tx.policy.grants_of(subjects):
        found[grant.subject].append(grant)
    return found
