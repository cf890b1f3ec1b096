"""Secret rules as the schema shows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain import secret_rule as domain
from sluicegate.domain.secret_rule import SecretAction, SecretCheck
from sluicegate.domain.version import Editable, Edited
from sluicegate.graphql.context import Info
from sluicegate.graphql.secret_rules import loaders
from sluicegate.graphql.users import loaders as user_loaders
from sluicegate.graphql.users.types import user_of
from sluicegate.graphql.versions import VERSION, version_of
from sluicegate.services import secret_packs as packs
from sluicegate.services import secret_rules as services

if TYPE_CHECKING:
    from sluicegate.graphql.users.types import User

UserType = Annotated["User", strawberry.lazy("sluicegate.graphql.users.types")]

strawberry.enum(
    SecretAction,
    name="SecretAction",
    description="What becomes of a call that holds a match. Where rules differ, BLOCK goes before REDACT before LOG.",
)
strawberry.enum(
    SecretCheck, name="SecretCheck", description="What a match must also pass: LUHN is the check digit of cards."
)


@strawberry.type(description="A regular expression that is looked for in everything that callers send.")
class SecretRule:
    id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="Unique; stands in the place of what is redacted, and in refusals.")
    description: str = strawberry.field(description="What it is for.")
    pattern: str = strawberry.field(description="In RE2's syntax; its first group, if any, is the secret itself.")
    action: SecretAction = strawberry.field(description="What becomes of a call that holds a match.")
    check: SecretCheck = strawberry.field(description="What a match must also pass.")
    enabled: bool = strawberry.field(description="Whether it is in force.")
    template: str | None = strawberry.field(description="The template of a pack that it came from.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(Edited(Editable.SECRET_RULE, str(self.id)), info)

    @strawberry.field(description="In how many calls of the last seven days it matched.")
    async def recent_calls(self, info: Info) -> int:
        return await info.context.loader(loaders.recent_calls).load(str(self.id))


def rule_of(value: domain.SecretRule) -> SecretRule:
    return SecretRule(
        id=strawberry.ID(value.id),
        name=value.name,
        description=value.description,
        pattern=value.pattern,
        action=value.action,
        check=value.check,
        enabled=value.enabled,
        template=value.template,
        created_at=value.created_at,
    )


@strawberry.type(description="A rule as it could be.")
class SecretRuleTemplate:
    key: str = strawberry.field(description="Its name in the API.")
    name: str = strawberry.field(description="Its name for people.")
    description: str = strawberry.field(description="What it looks for.")
    pattern: str = strawberry.field(description="The pattern.")
    action: SecretAction = strawberry.field(description="The action it begins with.")
    check: SecretCheck = strawberry.field(description="What a match must also pass.")
    examples: list[str] = strawberry.field(description="What it matches; none is a real secret.")


@strawberry.type(description="Templates that belong together.")
class SecretRulePack:
    key: str = strawberry.field(description="Its name in the API.")
    name: str = strawberry.field(description="Its name for people.")
    description: str = strawberry.field(description="What it protects.")
    templates: list[SecretRuleTemplate] = strawberry.field(description="What it holds.")


def pack_of(value: packs.SecretPack) -> SecretRulePack:
    return SecretRulePack(
        key=value.key,
        name=value.name,
        description=value.description,
        templates=[
            SecretRuleTemplate(
                key=template.key,
                name=template.name,
                description=template.description,
                pattern=template.pattern,
                action=template.action,
                check=template.check,
                examples=list(template.examples),
            )
            for template in value.templates
        ],
    )


@strawberry.type(description="That a rule matched in a call; what it matched is kept nowhere.")
class SecretFinding:
    id: strawberry.ID = strawberry.field(description="Its id.")
    at: datetime = strawberry.field(description="When.")
    rule_id: strawberry.ID = strawberry.field(description="The rule, which may be gone.")
    rule_name: str = strawberry.field(description="The rule's name of then.")
    action: SecretAction = strawberry.field(description="What was done.")
    matches: int = strawberry.field(description="How often it matched in the call, up to 1,000 unless redacted.")
    user_label: str = strawberry.field(description="Who called, by the name of then.")
    key_label: str = strawberry.field(description="The key that was used.")
    model_slug: str = strawberry.field(description="The model that was called.")
    call_id: strawberry.ID = strawberry.field(description="The call in the ledger; blocked calls are in none.")
    user_id: strawberry.Private[str]

    @strawberry.field(description="Who called; null for people who are deleted.")
    async def user(self, info: Info) -> UserType | None:
        found = await info.context.loader(user_loaders.users_by_id).load(self.user_id)
        return user_of(found) if found is not None else None


def finding_of(value: domain.SecretFinding) -> SecretFinding:
    return SecretFinding(
        id=strawberry.ID(value.id),
        at=value.at,
        rule_id=strawberry.ID(value.rule_id),
        rule_name=value.rule_name,
        action=value.action,
        matches=value.matches,
        user_label=value.user_label,
        key_label=value.key_label,
        model_slug=value.model_slug,
        call_id=strawberry.ID(value.call_id),
        user_id=value.user_id,
    )


@strawberry.type(description="A part of a tried text.")
class SecretTrialPart:
    text: str = strawberry.field(description="The part itself.")
    rules: list[str] = strawberry.field(description="Names of the rules that match it; the one that decides first.")
    action: SecretAction | None = strawberry.field(description="What would be done; null where nothing matches.")


@strawberry.type(description="What rules make of a text, or why a pattern cannot be used.")
class SecretTrial:
    parts: list[SecretTrialPart] = strawberry.field(description="The whole text, in order.")
    matches: int = strawberry.field(description="How many matches there are.")
    action: SecretAction | None = strawberry.field(description="What would become of a call; null without a match.")
    sent: str | None = strawberry.field(description="The text as it would go on; null when it would not.")
    fault: str | None = strawberry.field(description="Why the pattern cannot be used.")
    position: int | None = strawberry.field(description="The character of the pattern at which it goes wrong, from 0.")


def trial_of(value: services.Trial) -> SecretTrial:
    return SecretTrial(
        parts=[
            SecretTrialPart(
                text=part.text,
                rules=[rule.name for rule in part.rules],
                action=part.rules[0].action if part.rules else None,
            )
            for part in value.stretches
        ],
        matches=value.matches,
        action=value.action,
        sent=value.sent,
        fault=None if value.fault is None else value.fault.reason,
        position=None if value.fault is None else value.fault.position,
    )


@strawberry.type(description="The rule as changed.")
class SecretRulePayload:
    rule: SecretRule = strawberry.field(description="The rule.")


@strawberry.type(description="Rules that come from a pack.")
class SecretRulesPayload:
    rules: list[SecretRule] = strawberry.field(description="Those that there are now, by name.")
