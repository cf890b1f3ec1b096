"""Changing secret rules."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.secret_rule import SecretAction, SecretCheck
from sluicegate.graphql.context import Info
from sluicegate.graphql.inputs import required
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.secret_rules.types import SecretRulePayload, SecretRulesPayload, rule_of
from sluicegate.graphql.versions import EXPECTED
from sluicegate.services.secret_rules import NewSecretRule, SecretRuleChange


@strawberry.input(description="A new rule.")
class CreateSecretRuleInput:
    name: str = strawberry.field(description="Unique.")
    pattern: str = strawberry.field(description="In RE2's syntax; a group makes only what is in it the secret.")
    action: SecretAction = strawberry.field(description="What becomes of a call that holds a match.")
    description: str = strawberry.field(default="", description="What it is for.")
    check: SecretCheck = strawberry.field(default=SecretCheck.NONE, description="What a match must also pass.")
    enabled: bool = strawberry.field(default=True, description="Whether it is in force.")


@strawberry.input(description="An absent field stays as it is.")
class UpdateSecretRuleInput:
    id: strawberry.ID = strawberry.field(description="The rule.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Unique.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it is for.")
    pattern: str | None = strawberry.field(default=strawberry.UNSET, description="In RE2's syntax.")
    action: SecretAction | None = strawberry.field(default=strawberry.UNSET, description="What becomes of a call.")
    check: SecretCheck | None = strawberry.field(default=strawberry.UNSET, description="What a match must also pass.")
    enabled: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether it is in force.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.input(description="Templates to make rules of.")
class AddSecretRulePackInput:
    pack: str = strawberry.field(description="A pack's key.")
    templates: list[str] | None = strawberry.field(default=None, description="Keys of templates; all when left out.")


Rule = Annotated[strawberry.ID, strawberry.argument(description="The rule.")]


@strawberry.type
class SecretRuleMutations:
    @strawberry.mutation(
        description="Makes a rule. In force when this returns.", extensions=[admins(TokenScope.POLICY)]
    )
    async def create_secret_rule(self, info: Info, input: CreateSecretRuleInput) -> SecretRulePayload:
        new = NewSecretRule(input.name, input.pattern, input.action, input.description, input.check, input.enabled)
        service = info.context.services.secret_rules
        return SecretRulePayload(rule=rule_of(await service.create(info.context.require_caller(), new)))

    @strawberry.mutation(
        description="Changes a rule. In force when this returns.", extensions=[admins(TokenScope.POLICY)]
    )
    async def update_secret_rule(self, info: Info, input: UpdateSecretRuleInput) -> SecretRulePayload:
        change = SecretRuleChange(
            required(input.name, "name"),
            required(input.description, "description"),
            required(input.pattern, "pattern"),
            required(input.action, "action"),
            required(input.check, "check"),
            required(input.enabled, "enabled"),
        )
        service, caller = info.context.services.secret_rules, info.context.require_caller()
        changed = await service.update(caller, str(input.id), change, input.expected_version)
        return SecretRulePayload(rule=rule_of(changed))

    @strawberry.mutation(
        description="Calls are not looked through for it any more; what it found stays in the list.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def delete_secret_rule(self, info: Info, id: Rule) -> DeletedPayload:
        await info.context.services.secret_rules.delete(info.context.require_caller(), str(id))
        return deleted(id)

    @strawberry.mutation(
        description="Makes rules of a pack's templates, save those that there are already. In force when this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def add_secret_rule_pack(self, info: Info, input: AddSecretRulePackInput) -> SecretRulesPayload:
        service, caller = info.context.services.secret_rules, info.context.require_caller()
        rules = await service.add_templates(caller, input.pack, input.templates)
        return SecretRulesPayload(rules=[rule_of(rule) for rule in rules])
