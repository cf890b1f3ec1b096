"""One thing done to many people."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role, UserStatus
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.versions import EXPECTED
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import UserFilter
from sluicegate.services.bulk import MAX_AT_ONCE, BulkResult, Chosen, Matching, Outcome, Selection

strawberry.enum(Outcome, name="BulkOutcome", description="DONE, ALREADY so before, or REFUSED.")


@strawberry.input(description="Somebody who was chosen.")
class ChosenUserInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.input(description="Everybody whom the list shows with this search and these filters.")
class MatchingUsersInput:
    expected_count: int = strawberry.field(description="How many were shown; refused when they are not as many now.")
    search: str | None = None
    role: Role | None = None
    status: UserStatus | None = None
    group_id: strawberry.ID | None = None


@strawberry.input(description=f"Exactly one of the two, and at most {MAX_AT_ONCE} people.")
class UserSelectionInput:
    chosen: list[ChosenUserInput] | None = None
    matching: MatchingUsersInput | None = None

    def value(self) -> Selection:
        """Raises InvalidInput unless exactly one is given."""
        if self.chosen is not None and self.matching is None:
            return [Chosen(str(one.id), one.expected_version) for one in self.chosen]
        if self.matching is not None and self.chosen is None:
            m = self.matching
            group_id = str(m.group_id) if m.group_id is not None else None
            return Matching(UserFilter(m.search, m.role, m.status, group_id), m.expected_count)
        raise InvalidInput("users", "must give either `chosen` or `matching`")


@strawberry.type(description="Why somebody was left as before.")
class BulkUserError:
    code: str
    message: str


@strawberry.type(description="What came of one person.")
class BulkUserResult:
    user_id: strawberry.ID
    label: str = strawberry.field(description="Name and address; empty when there is no such person.")
    outcome: Outcome
    error: BulkUserError | None


@strawberry.type(description="One result per person, in the order given, or by name.")
class BulkUsersPayload:
    results: list[BulkUserResult]


Users = Annotated[UserSelectionInput, strawberry.argument(description="Whom it concerns.")]


@strawberry.type
class BulkUserMutations:
    @strawberry.mutation(
        description="Suspends all who are active, except the caller and the last administrator.",
        extensions=[admins(TokenScope.USERS)],
    )
    async def suspend_users(self, info: Info, users: Users) -> BulkUsersPayload:
        return _payload(await info.context.services.bulk.suspend(info.context.require_caller(), users.value()))

    @strawberry.mutation(description="Undoes suspensions.", extensions=[admins(TokenScope.USERS)])
    async def reactivate_users(self, info: Info, users: Users) -> BulkUsersPayload:
        return _payload(await info.context.services.bulk.reactivate(info.context.require_caller(), users.value()))

    @strawberry.mutation(
        description="Removes accounts, except the caller's and the last administrator's; usage history stays.",
        extensions=[admins(TokenScope.USERS)],
    )
    async def delete_users(self, info: Info, users: Users) -> BulkUsersPayload:
        return _payload(await info.context.services.bulk.delete(info.context.require_caller(), users.value()))

    @strawberry.mutation(description="Makes people members of a group.", extensions=[admins(TokenScope.USERS)])
    async def add_users_to_group(self, info: Info, group_id: strawberry.ID, users: Users) -> BulkUsersPayload:
        service, caller = info.context.services.bulk, info.context.require_caller()
        return _payload(await service.add_to_group(caller, str(group_id), users.value()))

    @strawberry.mutation(description="Takes people out of a group.", extensions=[admins(TokenScope.USERS)])
    async def remove_users_from_group(self, info: Info, group_id: strawberry.ID, users: Users) -> BulkUsersPayload:
        service, caller = info.context.services.bulk, info.context.require_caller()
        return _payload(await service.remove_from_group(caller, str(group_id), users.value()))

    @strawberry.mutation(
        description="Gives people grants of their own, for at most 100 models.", extensions=[admins(TokenScope.POLICY)]
    )
    async def grant_models_to_users(self, info: Info, model_ids: list[strawberry.ID], users: Users) -> BulkUsersPayload:
        service, caller = info.context.services.bulk, info.context.require_caller()
        wanted = [str(model_id) for model_id in model_ids]
        return _payload(await service.grant_models(caller, wanted, users.value()))


def _payload(results: list[BulkResult]) -> BulkUsersPayload:
    return BulkUsersPayload(results=[_result(result) for result in results])


def _result(result: BulkResult) -> BulkUserResult:
    error = result.error
    return BulkUserResult(
        user_id=strawberry.ID(result.user_id),
        label=result.label,
        outcome=result.outcome,
        error=BulkUserError(code=error.code, message=error.message) if error is not None else None,
    )
