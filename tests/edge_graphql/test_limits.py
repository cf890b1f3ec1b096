"""What one request may ask for at most, and how quickly too much is refused."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.graphql.context import Context
from sluicegate.graphql.execute import executor
from sluicegate.graphql.limits import MAX_ALIASES, MAX_DEPTH
from sluicegate.graphql.schema import build_schema
from sluicegate.kit.clock import SystemClock
from sluicegate.services.auth import actor_of
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller

pytestmark = pytest.mark.any_stack

_SCHEMA = build_schema()


def _person(role: Role) -> Caller:
    user = User("1", "ada@example.com", "Ada", role, UserStatus.ACTIVE, SystemClock().now())
    return Caller(user, actor_of(user))


async def _errors(query: str, caller: Caller | None = None, **variables: Any) -> list[tuple[str, dict[str, Any]]]:
    context = Context(caller or _person(Role.MEMBER), cast("Services", None))
    result = await _SCHEMA.execute(query, variable_values=variables, context_value=context)
    return [(error.message, error.extensions or {}) for error in result.errors or ()]


_INVALID = {"code": "graphql_validation"}


async def test_a_query_may_be_so_deep_and_no_deeper() -> None:
    def nested(levels: int) -> str:
        # Each pair goes from the viewer's user to the user's keys and on to their owner.
        return "{ viewer { user { " + "apiKeys { owner { " * levels + "id" + " } }" * levels + " } } }"

    fault = (f"This is nested deeper than {MAX_DEPTH} levels.", _INVALID)
    assert fault not in await _errors(nested((MAX_DEPTH - 2) // 2))
    assert fault in await _errors(nested((MAX_DEPTH - 2) // 2 + 1))


async def test_aliases_are_counted_through_fragments() -> None:
    fragment = "fragment f on Viewer { " + " ".join(f"a{n}: isAdmin" for n in range(MAX_ALIASES)) + " }"
    assert await _errors("{ viewer { ...f viaToken } } " + fragment) == []
    fault = (f"This has more than {MAX_ALIASES} aliases.", _INVALID)
    assert await _errors("{ viewer { ...f one: isAdmin } } " + fragment) == [fault]


@pytest.mark.parametrize("first", [100, None])
async def test_pages_of_pages_are_refused(first: int | None) -> None:
    query = (
        "query ($first: Int) { groups(first: 100) { edges { node { members(first: $first) { edges { node "
        "{ groups { id } } } } } } } }"
    )
    if first is None:
        query = query.replace("($first: Int)", "").replace("(first: $first)", "")
    errors = await _errors(query, _person(Role.ADMIN), **({"first": first} if first else {}))
    assert [message for message, _ in errors if message.startswith("This asks for more than")]


async def test_fragments_that_double_each_other_take_no_time() -> None:
    links = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(100))
    query = "{ ...f0 } " + links + " fragment f100 on Query { __typename }"
    assert await asyncio.wait_for(_errors(query), 10) == []


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "a { " * 1000 + "a" + " }" * 1000 + " }",
        "{ user(id: " + "[" * 1000 + "]" * 1000 + ") { id } }",
        "{ " + "viewer { isAdmin } " * 1000 + "}",
        "{ ...gone }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "{ nothing }",
        "{",
    ],
)
async def test_nonsense_is_refused_as_such(query: str) -> None:
    errors = await _errors(query)
    assert errors
    assert {extensions["code"] for _, extensions in errors} == {"graphql_validation"}
    assert not any("Did you mean" in message for message, _ in errors)


@pytest.mark.parametrize(
    ("query", "operation"),
    [
        ("", None),
        ("fragment f on Query { __typename }", None),
        ("query a { __typename }", "b"),
    ],
)
async def test_a_document_with_nothing_to_run_is_told_so(query: str, operation: str | None) -> None:
    execute = executor(_SCHEMA, cast("Services", None))
    answer = await execute(_person(Role.MEMBER), "request", query, {}, operation)
    assert answer["data"] is None
    assert [error["extensions"] for error in answer["errors"]] == [_INVALID]


async def test_only_administrators_see_the_schema() -> None:
    query = "{ __schema { queryType { name } } }"
    assert await _errors(query, _person(Role.ADMIN)) == []
    assert {extensions["code"] for _, extensions in await _errors(query)} == {"graphql_validation"}


@pytest.mark.parametrize(
    ("query", "variables", "field"),
    [
        ("query ($first: Int!) { users(first: $first) { totalCount } }", {"first": 1.5}, "first"),
        ("query ($first: Int!) { users(first: $first) { totalCount } }", {"first": float("nan")}, "first"),
        ("query ($first: Int!) { users(first: $first) { totalCount } }", {"first": 2**40}, "first"),
        ("query ($first: Int!) { users(first: $first) { totalCount } }", {}, "first"),
        ("{ users(first: 1.5) { totalCount } }", {}, "first"),
        ("query ($id: ID!) { user(id: $id) { id } }", {"id": "a\0b"}, "id"),
        ('{ user(id: "a\\u0000b") { id } }', {}, "id"),
        (
            "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }",
            {"input": {"expiresAt": "tomorrow"}},
            "expiresAt",
        ),
        ('mutation { createApiKey(input: {expiresAt: "2027-01-01T00:00:00"}) { secret } }', {}, "expiresAt"),
        (
            "mutation ($input: InviteUsersInput!) { inviteUsers(input: $input) { results { email } } }",
            {"input": {"emails": ["a@example.com", 7]}},
            "emails.1",
        ),
        (
            "mutation ($s: SubjectInput!, $input: BudgetInput!) "
            "{ setBudget(subject: $s, input: $input) { budget { daily } } }",
            {"s": {"userId": "1"}, "input": {"daily": "NaN"}},
            "daily",
        ),
        (
            "mutation ($s: SubjectInput!, $input: BudgetInput!) "
            "{ setBudget(subject: $s, input: $input) { budget { daily } } }",
            {"s": {"userId": "1"}, "input": {"weekly": -1}},
            "weekly",
        ),
    ],
)
async def test_a_value_that_cannot_be_taken_names_its_field(query: str, variables: dict[str, Any], field: str) -> None:
    errors = await _errors(query, _person(Role.ADMIN), **variables)
    assert [extensions for _, extensions in errors] == [{"code": "invalid_input", "field": field}]
