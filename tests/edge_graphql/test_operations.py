"""Every operation over a real database: exact answers, exact errors, and nothing changed by a refusal."""

from __future__ import annotations

from typing import Any, cast

import pytest
from graphql import GraphQLObjectType, GraphQLSchema

from edge_graphql.conftest import NewWorld
from edge_graphql.operations import OPERATIONS
from edge_graphql.world import SCHEMA, World
from sluicegate.domain.apikey import TokenScope

CORE = cast("GraphQLSchema", SCHEMA._schema)
QUERIES = cast("GraphQLObjectType", CORE.query_type).fields
WHO = ("anonymous", "suspended", "mia", "mia-token", "noor", "ada", *(f"token:{scope.value}" for scope in TokenScope))
every_operation = pytest.mark.parametrize("name", OPERATIONS)


def roots() -> dict[str, Any]:
    found = {}
    for root in (CORE.query_type, CORE.mutation_type):
        assert root is not None
        found |= root.fields
    return found


def test_every_root_field_has_an_entry() -> None:
    assert sorted(OPERATIONS) == sorted(roots()), "add what is new to tests/edge_graphql/operations"


def test_the_schema_declares_what_the_entries_say() -> None:
    declared = {}
    for name, field in roots().items():
        (directive,) = field.extensions["strawberry-definition"].directives
        declared[name] = (directive.role, directive.scope)
    assert declared == {name: (op.role, op.scope) for name, op in OPERATIONS.items()}


@every_operation
async def test_the_answer_is_exact(world: World, name: str) -> None:
    operation = OPERATIONS[name]
    before = await world.audit()
    answer = await world.ask(operation.by, operation.text, **operation.given)
    if operation.refused is not None:
        assert answer.errors == [operation.refused]
    else:
        assert answer.messages == []
        assert answer.data == {name: operation.result}
    written = [(action, target) for _, action, target in (await world.audit())[len(before) :]]
    assert written == ([] if operation.audit is None else [operation.audit])
    if operation.then is not None:
        question, expected = operation.then
        assert (await world.ask("ada", question)).data == expected


@every_operation
async def test_what_cannot_be_is_refused_with_its_field_and_changes_nothing(world: World, name: str) -> None:
    operation = OPERATIONS[name]
    before = await world.rows()
    for fault in operation.faults:
        answer = await world.ask(operation.by, operation.text, **{**operation.given, **fault.given})
        shown = {key: str(value)[:60] for key, value in fault.given.items()}
        assert (answer.errors, shown) == ([(fault.code, fault.field)], shown), answer.messages
        assert len(answer.messages[0]) < 1_000
    assert await world.rows() == before


@every_operation
async def test_who_may_and_who_may_not(new_world: NewWorld, name: str) -> None:
    operation = OPERATIONS[name]
    codes = {who: operation.code_for(who) for who in WHO}
    async with new_world() as world:
        before = await world.rows()
        for who in (who for who, code in codes.items() if code != "ok"):
            answer = await world.ask(who, operation.text, **operation.given)
            assert (who, answer.code) == (who, codes[who])
            assert answer.data in (None, {name: None})
        assert await world.rows() == before
    allowed = [who for who, code in codes.items() if code == "ok"]
    # A question leaves the world as it was for whoever asks next.
    for together in [allowed] if name in QUERIES else [[who] for who in allowed]:
        async with new_world() as world:
            for who in together:
                answer = await world.ask(who, operation.text, **operation.given)
                assert (who, answer.messages) == (who, [])
