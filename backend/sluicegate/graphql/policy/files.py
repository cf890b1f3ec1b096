"""The whole policy as a file: asking for it, planning, and putting one into force."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.scalars import Json
from sluicegate.services.policy_file.planning import Action, Change, Plan, action_of

strawberry.enum(Action, name="PolicyFileAction", description="What becomes of something.")

Document = Annotated[str, strawberry.argument(description="A policy file, as text.")]
Prune = Annotated[bool, strawberry.argument(description="Also deletes what the document manages and does not name.")]
Users = Annotated[bool, strawberry.argument(description="Also what is set for people alone, by e-mail address.")]
Members = Annotated[bool, strawberry.argument(description="Also who is in each group, by e-mail address.")]


@strawberry.type(description="A value that changes; of grants, members and backends each is one.")
class PolicyFileFieldChange:
    field: str = strawberry.field(description="Its path within the group, model or user.")
    action: Action
    before: Json | None = strawberry.field(description="Money is a decimal string in US dollars.")
    after: Json | None


@strawberry.type(description="A model, group or user that changes.")
class PolicyFileChange:
    kind: str = strawberry.field(description="`model`, `group` or `user`.")
    name: str = strawberry.field(description="Slug of a model, name of a group, e-mail address of a user.")
    action: Action
    fields: list[PolicyFileFieldChange]

    @classmethod
    def of(cls, change: Change) -> PolicyFileChange:
        fields = [
            PolicyFileFieldChange(
                field=one.field,
                action=one.action,
                before=None if one.before is None else Json(one.before),
                after=None if one.after is None else Json(one.after),
            )
            for one in change.fields
        ]
        return cls(kind=change.what, name=change.name, action=action_of(change), fields=fields)


@strawberry.type(description="What a policy file changes, in the order in which it is done.")
class PolicyFilePlan:
    id: str = strawberry.field(description="Stands for all that would be done; for `expectedPlan`.")
    changes: list[PolicyFileChange]

    @classmethod
    def of(cls, plan: Plan) -> PolicyFilePlan:
        return cls(id=plan.id, changes=[PolicyFileChange.of(change) for change in plan.changes])


@strawberry.type(description="The policy of one moment.")
class PolicyExport:
    document: str = strawberry.field(description="A policy file that changes nothing when it is applied.")


@strawberry.input(description="A policy file to put into force.")
class ApplyPolicyInput:
    document: str = strawberry.field(description="The file's text.")
    prune: bool = strawberry.field(
        default=False, description="Also deletes what the document manages and does not name."
    )
    expected_plan: str | None = strawberry.field(
        default=None, description="A plan's `id`; refused as `stale_version` when it would not be that any more."
    )


@strawberry.type(description="What was done.")
class ApplyPolicyPayload:
    plan: PolicyFilePlan


@strawberry.type
class PolicyFileQueries:
    @strawberry.field(
        description="Models, groups and, where wanted, what is set for people, as a policy file.", extensions=[admins()]
    )
    async def export_policy(self, info: Info, members: Members = False, users: Users = False) -> PolicyExport:
        service, caller = info.context.services.policy_file, info.context.require_caller()
        return PolicyExport(document=await service.export(caller, members=members, users=users))

    @strawberry.field(
        description="What applying a policy file would do now. Faults are in `extensions.faults` of the error.",
        extensions=[admins()],
    )
    async def plan_policy(self, info: Info, document: Document, prune: Prune = False) -> PolicyFilePlan:
        service, caller = info.context.services.policy_file, info.context.require_caller()
        return PolicyFilePlan.of(await service.plan(caller, document, prune=prune))


@strawberry.type
class PolicyFileMutations:
    @strawberry.mutation(
        description="Makes all changes of a policy file or none. In force when this returns. Besides `policy` a token "
        "needs `catalog` where models change, `users` where groups are made, named, described, filled or deleted.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def apply_policy(self, info: Info, input: ApplyPolicyInput) -> ApplyPolicyPayload:
        service, caller = info.context.services.policy_file, info.context.require_caller()
        plan = await service.apply(caller, input.document, prune=input.prune, expected_plan=input.expected_plan)
        return ApplyPolicyPayload(plan=PolicyFilePlan.of(plan))
