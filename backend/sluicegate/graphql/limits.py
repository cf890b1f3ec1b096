"""What a request may ask for at most, so that nobody can tie the server up with one query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
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


class RequestLimits(SchemaExtension):
    """Adds rules that depend on the request: its variables and its caller."""

    def on_operation(self) -> Iterator[None]:
        execution = self.execution_context
        variables = execution.variables or {}
        rules: tuple[Any, ...] = (_cost_rule(variables), _text_rule(variables))
        caller = execution.context.caller if execution.context is not None else None
        if caller is None or not caller.is_admin:
            rules += (NoSchemaIntrospectionCustomRule,)
        execution.validation_rules = (*execution.validation_rules, *rules)
        yield


def _cost_rule(variables: dict[str, Any]) -> type[ValidationRule]:
    """Refuses operations that could load more than MAX_COST objects."""

    class CostRule(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            meter = _CostMeter(context.schema, context.document, variables)
            for definition in context.document.definitions:
                if isinstance(definition, OperationDefinitionNode) and meter.cost(definition) > MAX_COST:
                    message = (
                        f"This asks for more than {MAX_COST} objects at once; ask for smaller pages or fewer fields."
                    )
                    context.report_error(GraphQLError(message, definition))

    return CostRule


class _CostMeter:
    """Counts the objects that an operation may load: each page is as long as its `first`."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> None:
        self.schema = schema
        self.variables = variables
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def cost(self, operation: OperationDefinitionNode) -> int:
        roots = {OperationType.QUERY: self.schema.query_type, OperationType.MUTATION: self.schema.mutation_type}
        root = roots.get(operation.operation)
        return 0 if root is None else self._selections(operation.selection_set, root, frozenset())

    def _selections(self, selections: SelectionSetNode, parent: Any, seen: frozenset[str]) -> int:
        total = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total += self._field(node, parent, seen)
            elif isinstance(node, InlineFragmentNode):
                total += self._selections(node.selection_set, self._type_of(node, parent), seen)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self.fragments.get(name)
                if fragment is not None and name not in seen:
                    total += self._selections(fragment.selection_set, self._type_of(fragment, parent), seen | {name})
            if total > MAX_COST:
                break
        return total

    def _type_of(self, node: InlineFragmentNode | FragmentDefinitionNode, parent: Any) -> Any:
        condition = node.type_condition
        return parent if condition is None else self.schema.type_map.get(condition.name.value, parent)

    def _field(self, node: FieldNode, parent: Any, seen: frozenset[str]) -> int:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        definition = fields.get(node.name.value)
        if definition is None or node.selection_set is None:
            return 0
        size = self._page_size(node, definition.args.get("first"))
        if size is None:
            size = _PLAIN_LIST if _is_list(definition.type) and node.name.value != "edges" else 1
        return size * (1 + self._selections(node.selection_set, get_named_type(definition.type), seen))

    def _page_size(self, node: FieldNode, argument: Any) -> int | None:
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
            for name, value in variables.items():
                if not _is_clean(value):
                    error = GraphQLError("must not contain NUL or broken Unicode")
                    error.extensions = {"code": "invalid_input", "field": name}
                    context.report_error(error)

        def enter_string_value(self, node: StringValueNode, *_args: Any) -> None:
            if not _is_clean(node.value):
                self.report_error(GraphQLError("must not contain NUL or broken Unicode", node))

    return TextRule


def _is_clean(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, dict):
        return all(_is_clean(k) and _is_clean(v) for k, v in value.items())
    if isinstance(value, list):
        return all(_is_clean(v) for v in value)
    return True
