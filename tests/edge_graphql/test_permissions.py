"""Every root field says who may use it, and lets nobody in who has not signed in."""

from __future__ import annotations

from typing import Any, cast

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type, is_non_null_type
from strawberry.permission import PermissionExtension

from sluicegate.graphql.context import Context
from sluicegate.graphql.schema import Mutation, Query, build_schema
from sluicegate.services.bundle import Services

pytestmark = pytest.mark.any_stack

_SCHEMA = build_schema()
_CORE = cast("GraphQLSchema", _SCHEMA._schema)


def _fields(root: type) -> list[Any]:
    return list(cast("Any", root).__strawberry_definition__.fields)


@pytest.mark.parametrize("field", [*_fields(Query), *_fields(Mutation)], ids=lambda field: field.python_name)
def test_every_root_field_names_its_permission(field: Any) -> None:
    assert any(isinstance(extension, PermissionExtension) for extension in field.extensions)


def _operations() -> list[tuple[str, str]]:
    roots = (("query", _CORE.query_type), ("mutation", _CORE.mutation_type))
    return [(kind, name) for kind, root in roots if root is not None for name in root.fields]


@pytest.mark.parametrize(("kind", "name"), _operations())
async def test_the_anonymous_are_refused(kind: str, name: str) -> None:
    root = _CORE.query_type if kind == "query" else _CORE.mutation_type
    field = cast("GraphQLObjectType", root).fields[name]
    needed = {n: a for n, a in field.args.items() if is_non_null_type(a.type) and a.default_value is not None}
    declared = ", ".join(f"${n}: {a.type}" for n, a in needed.items())
    passed = ", ".join(f"{n}: ${n}" for n in needed)
    selection = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    text = f"{kind} {f'({declared})' if declared else ''} {{ {name}{f'({passed})' if passed else ''} {selection} }}"
    values = {n: _sample(a.type) for n, a in needed.items()}
    context = Context(None, cast("Services", None))
    result = await _SCHEMA.execute(text, variable_values=values, context_value=context)
    assert result.errors is not None
    assert [(error.extensions or {}).get("code") for error in result.errors] == ["unauthenticated"]


def _sample(kind: Any) -> Any:
    """A value that the type takes."""
    inner = kind.of_type if is_non_null_type(kind) else kind
    if hasattr(inner, "of_type"):
        return [_sample(inner.of_type)]
    if hasattr(inner, "values"):
        return next(iter(inner.values))
    if hasattr(inner, "fields"):
        return {n: _sample(f.type) for n, f in inner.fields.items() if is_non_null_type(f.type)}
    special = {"Int": 1, "Boolean": True, "BigInt": 1, "Date": "2026-11-24", "DateTime": "2026-11-24T00:00:00Z"}
    return special.get(inner.name, "1")
