"""What a request may ask for at most, so that nobody can tie the server up with one query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    get_named_type,
    is_wrapping_type,
)
from graphql.language import IntValueNode, StringValueNode, VariableNode
from graphql.validation import NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension

from sluicegate.graphql.pagination import MAX_PAGE

MAX_DEPTH = 14
MAX_ALIASES = 30
MAX_TOKENS = 3000
MAX_COST = 20_000
# What a list without `first` is taken to hold: a user's groups, a model's backends.
_PLAIN_LIST = 5
_UNCLEAN = "must not contain NUL or broken Unicode"


class RequestLimits(SchemaExtension):
    """Adds rules that depend on the request: its variables and its caller."""

    def on_operation(self) -> Iterator[None]:
        execution = self.execution_context
        variables = execution.variables or {}
        rules: tuple[Any, ...] = (_size_rule(variables), _text_rule(variables))
        caller = execution.context.caller if execution.context is not None else None
        if caller is None or not caller.is_admin:
            rules += (NoSchemaIntrospectionCustomRule,)
        execution.validation_rules = (*execution.validation_rules, *rules)
        yield


def _size_rule(variables: dict[str, Any]) -> type[ValidationRule]:
    """Refuses operations that are nested too deeply, rename too much or could load too many objects."""

    class SizeRule(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            meter = _Meter(context.schema, context.document, variables)
            for definition in context.document.definitions:
                if isinstance(definition, OperationDefinitionNode):
                    for fault in _faults(meter.size(definition)):
                        context.report_error(GraphQLError(fault, definition))

    return SizeRule


class _Size(NamedTuple):
    depth: int
    aliases: int
    cost: int


_NOTHING = _Size(0, 0, 0)


def _faults(size: _Size) -> Iterator[str]:
    if size.depth > MAX_DEPTH:
        yield f"This is nested deeper than {MAX_DEPTH} levels."
    if size.aliases > MAX_ALIASES:
        yield f"This has more than {MAX_ALIASES} aliases."
    if size.cost > MAX_COST:
        yield f"This asks for more than {MAX_COST} objects; ask for smaller pages or fewer fields."


class _Meter:
    """Counts levels and aliases of an operation, and the objects it may load: each page is as long as its `first`.

    A fragment is measured once per type that it meets: measured at every spread, fragments that spread others twice
    would take time that doubles with each of them.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> None:
        self.schema = schema
        self.variables = variables
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.measured: dict[tuple[str, str], _Size] = {}

    def size(self, operation: OperationDefinitionNode) -> _Size:
        roots = {OperationType.QUERY: self.schema.query_type, OperationType.MUTATION: self.schema.mutation_type}
        root = roots.get(operation.operation)
        return _NOTHING if root is None else self._selections(operation.selection_set, root)

    def _selections(self, selections: SelectionSetNode, parent: GraphQLNamedType) -> _Size:
        depth = aliases = cost = 0
        for node in selections.selections:
            part = _NOTHING
            if isinstance(node, FieldNode):
                part = self._field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                part = self._selections(node.selection_set, self._type_of(node, parent))
            elif isinstance(node, FragmentSpreadNode):
                part = self._fragment(node.name.value, parent)
            depth, aliases, cost = max(depth, part.depth), aliases + part.aliases, cost + part.cost
        return _Size(depth, min(aliases, MAX_ALIASES + 1), min(cost, MAX_COST + 1))

    def _fragment(self, name: str, parent: GraphQLNamedType) -> _Size:
        fragment = self.fragments.get(name)
        if fragment is None:
            return _NOTHING
        key = name, parent.name
        if key not in self.measured:
            # Stands while the fragment is measured, so that one within itself, which another rule refuses, ends here.
            self.measured[key] = _NOTHING
            self.measured[key] = self._selections(fragment.selection_set, self._type_of(fragment, parent))
        return self.measured[key]

    def _type_of(self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLNamedType) -> GraphQLNamedType:
        condition = node.type_condition
        return parent if condition is None else self.schema.type_map.get(condition.name.value, parent)

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> _Size:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        definition = fields.get(node.name.value)
        alias = 1 if node.alias is not None else 0
        if definition is None or node.selection_set is None:
            return _Size(0, alias, 0)
        length = self._page_size(node, definition.args.get("first"))
        if length is None:
            length = _PLAIN_LIST if _is_list(definition.type) and node.name.value != "edges" else 1
        inner = self._selections(node.selection_set, get_named_type(definition.type))
        return _Size(1 + inner.depth, alias + inner.aliases, length * (1 + inner.cost))

    def _page_size(self, node: FieldNode, argument: GraphQLArgument | None) -> int | None:
        """The `first` that this field will see; None when it takes none."""
        if argument is None:
            return None
        given = next((a.value for a in node.arguments or () if a.name.value == "first"), None)
        value: Any = None
        if isinstance(given, IntValueNode):
            value = int(given.value)
        elif isinstance(given, VariableNode):
            value = self.variables.get(given.name.value)
        if not isinstance(value, int):
            value = MAX_PAGE
        return min(max(value, 1), MAX_PAGE)


def _is_list(kind: GraphQLOutputType) -> bool:
    inner: Any = kind
    while is_wrapping_type(inner):
        if isinstance(inner, GraphQLList):
            return True
        inner = inner.of_type
    return False


def _text_rule(variables: dict[str, Any]) -> type[ValidationRule]:
    """Refuses text that no database column can hold: NUL, and halves of surrogate pairs."""

    class TextRule(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            for path in _unclean(variables):
                error = GraphQLError(_UNCLEAN)
                error.extensions = {"code": "invalid_input", "field": path.removeprefix("input.")}
                context.report_error(error)

        def enter_string_value(self, node: StringValueNode, *_args: Any) -> None:
            if _is_unclean(node.value):
                self.report_error(GraphQLError(_UNCLEAN, node))

    return TextRule


def _unclean(variables: dict[str, Any]) -> Iterator[str]:
    """Where such text stands."""
    # No recursion: how deep variables are nested is up to the sender.
    rest: list[tuple[str, Any]] = list(variables.items())
    while rest:
        path, part = rest.pop()
        if isinstance(part, str) and _is_unclean(part):
            yield path
        elif isinstance(part, dict):
            if any(map(_is_unclean, part)):
                yield path
            else:
                rest += [(f"{path}.{name}", value) for name, value in part.items()]
        elif isinstance(part, list):
            rest += [(f"{path}.{index}", value) for index, value in enumerate(part)]


def _is_unclean(text: str) -> bool:
    return "\0" in text or any("\ud800" <= c <= "\udfff" for c in text)
