"""Rules that look for secrets in what callers send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.secret_rule import MAX_RULES, SecretAction, SecretCheck, SecretFinding, SecretRule
from sluicegate.domain.user import parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.policy.secret_patterns import PatternFault, fault_of
from sluicegate.policy.secrets import SecretRules, cut, placeholder
from sluicegate.ports.pages import FindingFilter, Page, PageRequest
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.caller import Caller
from sluicegate.services.secret_packs import PACKS, SecretPack, Template
from sluicegate.services.versions import hold

MAX_DESCRIPTION_LENGTH = 1_000
MAX_TRIED_LENGTH = 100_000
RECENT = timedelta(days=7)
_IN_FORCE = PolicyChange(ChangeKind.SECRET_RULES)


@dataclass(frozen=True, slots=True)
class NewSecretRule:
    name: str
    pattern: str
    action: SecretAction
    description: str = ""
    check: SecretCheck = SecretCheck.NONE
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class SecretRuleChange:
    name: str | Absent = ABSENT
    description: str | Absent = ABSENT
    pattern: str | Absent = ABSENT
    action: SecretAction | Absent = ABSENT
    check: SecretCheck | Absent = ABSENT
    enabled: bool | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a tried text; `rules` matched all of it, the one that decides first."""

    text: str
    rules: tuple[SecretRule, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules make of a text: all of it, cut up, or why the pattern that was tried is none. `action` is what becomes
    of the whole, None when nothing matches; `sent` is what goes on, None when nothing does."""

    stretches: tuple[Stretch, ...]
    matches: int
    action: SecretAction | None = None
    sent: str | None = None
    fault: PatternFault | None = None


class SecretRuleService:
    """For administrators."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, caller: Caller) -> list[SecretRule]:
        """By name."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.secret_rules.all()

    async def get(self, caller: Caller, rule_id: str) -> SecretRule | None:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.secret_rules.get(rule_id)

    def packs(self, caller: Caller) -> tuple[SecretPack, ...]:
        caller.require_admin(TokenScope.READ)
        return PACKS

    async def recent_calls(self, caller: Caller, rule_ids: Sequence[str]) -> dict[str, int]:
        """In how many calls of the last seven days each rule matched."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.secret_rules.matched_calls(rule_ids, self._clock.now() - RECENT)

    async def findings(self, caller: Caller, where: FindingFilter, page: PageRequest) -> Page[SecretFinding]:
        """Newest first."""
        caller.require_admin(TokenScope.READ)
        _check_period(where)
        async with self._store.read() as tx:
            return await tx.secret_rules.page_findings(where, page)

    async def count_findings(self, caller: Caller, where: FindingFilter) -> int:
        caller.require_admin(TokenScope.READ)
        _check_period(where)
        async with self._store.read() as tx:
            return await tx.secret_rules.count_findings(where)

    async def create(self, caller: Caller, new: NewSecretRule) -> SecretRule:
        """In force at once; so are all changes here."""
        caller.require_admin(TokenScope.POLICY)
        rule = _checked(SecretRule(id=new_id(), template=None, created_at=self._clock.now(), **asdict(new)))
        async with self._store.write() as tx:
            present = await tx.secret_rules.all()
            _require_room(present, 1)
            _require_free_name(present, rule)
            await self._add(tx, caller, rule)
        return rule

    async def add_templates(self, caller: Caller, pack: str, keys: Sequence[str] | None) -> list[SecretRule]:
        """Makes rules of a pack's templates, all of them for None, save those that there are already; gives the rules
        that come from them now."""
        caller.require_admin(TokenScope.POLICY)
        wanted = _templates_of(pack, keys)
        async with self._store.write() as tx:
            present = await tx.secret_rules.all()
            there = {rule.template for rule in present}
            missing = [template for template in wanted if template.key not in there]
            _require_room(present, len(missing))
            taken = {rule.name.lower() for rule in present}
            for template in missing:
                await self._add(tx, caller, self._of_template(template, taken))
            rules = await tx.secret_rules.all()
        return [rule for rule in rules if rule.template in {template.key for template in wanted}]

    def _of_template(self, template: Template, taken: set[str]) -> SecretRule:
        name, number = template.name, 2
        while name.lower() in taken:
            name, number = f"{template.name} {number}", number + 1
        taken.add(name.lower())
        return SecretRule(
            id=new_id(),
            name=name,
            description=template.description,
            pattern=template.pattern,
            action=template.action,
            check=template.check,
            enabled=True,
            template=template.key,
            created_at=self._clock.now(),
        )

    async def _add(self, tx: Transaction, caller: Caller, rule: SecretRule) -> None:
        await tx.secret_rules.add(rule)
        await tx.audit.record(caller.actor, "secret_rule.create", "secret_rule", rule.id, rule.name, {}, _shown(rule))
        tx.changed(_IN_FORCE)

    async def update(
        self, caller: Caller, rule_id: str, change: SecretRuleChange, expected_version: int | None = None
    ) -> SecretRule:
        caller.require_admin(TokenScope.POLICY)
        given = {name: value for name, value in asdict(change).items() if value is not ABSENT}
        async with self._store.write() as tx:
            await _require(tx, rule_id)
            await hold(tx, thing := Edited(Editable.SECRET_RULE, rule_id), expected_version)
            before = await _require(tx, rule_id)
            rule = _checked(replace(before, **given))
            if rule != before:
                _require_free_name(await tx.secret_rules.all(), rule)
                await tx.versions.step(thing)
                await tx.secret_rules.update(rule_id, **_shown(rule))
                states = _shown(before), _shown(rule)
                await tx.audit.record(caller.actor, "secret_rule.update", "secret_rule", rule.id, rule.name, *states)
                tx.changed(_IN_FORCE)
            return rule

    async def delete(self, caller: Caller, rule_id: str) -> None:
        """What it found stays in the list."""
        caller.require_admin(TokenScope.POLICY)
        async with self._store.write() as tx:
            await _require(tx, rule_id)
            await hold(tx, Edited(Editable.SECRET_RULE, rule_id), None)
            rule = await _require(tx, rule_id)
            await tx.secret_rules.delete(rule_id)
            await tx.audit.record(caller.actor, "secret_rule.delete", "secret_rule", rule.id, rule.name, _shown(rule))
            tx.changed(_IN_FORCE)

    async def try_out(self, caller: Caller, text: str, draft: NewSecretRule | None) -> Trial:
        """What a rule that need not exist makes of a text, or all that are on for None. Nothing is kept."""
        caller.require_admin(TokenScope.READ)
        if len(text) > MAX_TRIED_LENGTH:
            raise InvalidInput("text", f"must have at most {MAX_TRIED_LENGTH} characters")
        if draft is None:
            rules = [rule for rule in await self.all(caller) if rule.enabled]
        elif (fault := fault_of(draft.pattern)) is not None:
            return Trial((Stretch(text, ()),) if text else (), 0, fault=fault)
        else:
            draft = replace(draft, name=parse_name(draft.name, required=False), enabled=True)
            rules = [SecretRule(id="", template=None, created_at=self._clock.now(), **asdict(draft))]
        return await asyncio.to_thread(_tried, rules, text)


def _tried(rules: list[SecretRule], text: str) -> Trial:
    compiled = SecretRules(rules)
    hits, flooding = compiled.scan([text])
    data = text.encode("utf-8", "surrogatepass")
    order = {rule: place for place, rule in enumerate(compiled.rules)}
    edges = sorted({0, len(data), *(hit.start for hit in hits), *(hit.end for hit in hits)})
    begins, ends = dict[int, list[SecretRule]](), dict[int, list[SecretRule]]()
    for hit in hits:
        begins.setdefault(hit.start, []).append(hit.rule)
        ends.setdefault(hit.end, []).append(hit.rule)
    stretches, open_now = list[Stretch](), dict[SecretRule, int]()
    for start, end in pairwise(edges):
        for rule in ends.get(start, ()):
            open_now[rule] -= 1
        for rule in begins.get(start, ()):
            open_now[rule] = open_now.get(rule, 0) + 1
        matching = sorted((rule for rule, depth in open_now.items() if depth), key=order.__getitem__)
        stretches.append(Stretch(data[start:end].decode("utf-8", "replace"), tuple(matching)))
    if flooding or (hits and hits[0].rule.action is SecretAction.BLOCK):
        return Trial(tuple(stretches), len(hits), SecretAction.BLOCK)
    redacted = [hit for hit in hits if hit.rule.action is SecretAction.REDACT]
    sent = cut(data, [(hit.start, hit.end, placeholder(hit.rule).encode()) for hit in redacted])
    action = hits[0].rule.action if hits else None
    return Trial(tuple(stretches), len(hits), action, sent.decode("utf-8", "replace"))


def _templates_of(pack: str, keys: Sequence[str] | None) -> list[Template]:
    found = next((p for p in PACKS if p.key == pack), None)
    if found is None:
        raise NotFound("pack", field="pack")
    if keys is None:
        return list(found.templates)
    known = {template.key: template for template in found.templates}
    if not keys or not known.keys() >= set(keys):
        raise InvalidInput("templates", "must name templates of this pack; leave it out for all of them")
    return [known[key] for key in dict.fromkeys(keys)]


def _checked(rule: SecretRule) -> SecretRule:
    name, description = parse_name(rule.name), rule.description.strip()
    if '"' in name or "\\" in name:
        # The name is put in the place of secrets, also within code and JSON.
        raise InvalidInput("name", 'must not contain " or \\, since it is put in the place of what is redacted')
    if len(description) > MAX_DESCRIPTION_LENGTH:
        raise InvalidInput("description", f"must have at most {MAX_DESCRIPTION_LENGTH} characters")
    if (fault := fault_of(rule.pattern)) is not None:
        raise InvalidInput("pattern", str(fault))
    return replace(rule, name=name, description=description)


def _check_period(where: FindingFilter) -> None:
    if where.since is not None and where.until is not None and where.since >= where.until:
        raise InvalidInput("to", "must lie after `from`")


def _require_room(present: Sequence[SecretRule], more: int) -> None:
    if len(present) + more > MAX_RULES:
        raise Conflict(f"There can be at most {MAX_RULES} rules; delete some, or write several patterns as one: a|b.")


def _require_free_name(present: Sequence[SecretRule], rule: SecretRule) -> None:
    if any(other.name.lower() == rule.name.lower() and other.id != rule.id for other in present):
        raise Conflict(f"There is a rule called {rule.name} already.", field="name")


async def _require(tx: Transaction, rule_id: str) -> SecretRule:
    rule = await tx.secret_rules.get(rule_id)
    if rule is None:
        raise NotFound("secret rule")
    return rule


def _shown(rule: SecretRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "description": rule.description,
        "pattern": rule.pattern,
        "action": rule.action,
        "check": rule.check,
        "enabled": rule.enabled,
    }
