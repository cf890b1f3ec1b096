"""Looking at secret rules, what they found, and what they would find."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from sluicegate.domain.secret_rule import SecretAction, SecretCheck
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.secret_rules.types import (
    SecretFinding,
    SecretRule,
    SecretRulePack,
    SecretTrial,
    finding_of,
    pack_of,
    rule_of,
    trial_of,
)
from sluicegate.ports.pages import FindingFilter
from sluicegate.services.secret_rules import NewSecretRule

RuleId = Annotated[strawberry.ID | None, strawberry.argument(description="Only what this rule found.")]
UserId = Annotated[strawberry.ID | None, strawberry.argument(description="Only in this user's calls.")]
Action = Annotated[SecretAction | None, strawberry.argument(description="Only where this was done.")]
From = Annotated[datetime | None, strawberry.argument(name="from", description="Not before this instant.")]
To = Annotated[datetime | None, strawberry.argument(name="to", description="Before this instant.")]
Text = Annotated[str, strawberry.argument(description="At most 100,000 characters; it is kept nowhere.")]


@strawberry.input(description="A rule that need not exist.")
class SecretRuleDraft:
    pattern: str = strawberry.field(description="In RE2's syntax.")
    action: SecretAction = strawberry.field(default=SecretAction.REDACT, description="What would be done.")
    check: SecretCheck = strawberry.field(default=SecretCheck.NONE, description="What a match must also pass.")
    name: str = strawberry.field(default="", description="Stands in the place of what would be redacted.")


Draft = Annotated[
    SecretRuleDraft | None, strawberry.argument(description="What to try; all rules that are on when left out.")
]


@strawberry.type
class SecretRuleQueries:
    @strawberry.field(description="All secret rules, by name.", extensions=[admins()])
    async def secret_rules(self, info: Info) -> list[SecretRule]:
        found = await info.context.services.secret_rules.all(info.context.require_caller())
        return [rule_of(rule) for rule in found]

    @strawberry.field(description="One secret rule.", extensions=[admins()])
    async def secret_rule(self, info: Info, id: strawberry.ID) -> SecretRule | None:
        found = await info.context.services.secret_rules.get(info.context.require_caller(), str(id))
        return rule_of(found) if found is not None else None

    @strawberry.field(description="Templates to make rules of.", extensions=[admins()])
    async def secret_rule_packs(self, info: Info) -> list[SecretRulePack]:
        found = info.context.services.secret_rules.packs(info.context.require_caller())
        return [pack_of(pack) for pack in found]

    @strawberry.field(description="What secret rules found, newest first.", extensions=[admins()])
    async def secret_findings(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        rule_id: RuleId = None,
        user_id: UserId = None,
        action: Action = None,
        since: From = None,
        until: To = None,
    ) -> Connection[SecretFinding]:
        caller, service = info.context.require_caller(), info.context.services.secret_rules
        where = FindingFilter(rule_id and str(rule_id), action, user_id and str(user_id), since, until)
        page = await service.findings(caller, where, page_request(first, after))
        return connection(page, finding_of, lambda: service.count_findings(caller, where))

    @strawberry.field(description="What rules make of a text.", extensions=[admins()])
    async def secret_rule_trial(self, info: Info, text: Text, draft: Draft = None) -> SecretTrial:
        caller, service = info.context.require_caller(), info.context.services.secret_rules
        tried = None if draft is None else NewSecretRule(draft.name, draft.pattern, draft.action, check=draft.check)
        return trial_of(await service.try_out(caller, text, tried))
