"""Errors as GraphQL shows them: `extensions.code`, and `extensions.field` where a value is at fault; of a policy file
`extensions.faults` with line, path and message of each."""

from __future__ import annotations

import re
from dataclasses import asdict

import structlog
from graphql import DocumentNode, GraphQLError, Node, visit
from graphql.language import ArgumentNode, ObjectFieldNode, ValueNode, Visitor

from sluicegate.kit.errors import AppError, Later
from sluicegate.services.policy_file.nodes import InvalidDocument

log = structlog.get_logger(__name__)

VALIDATION = "graphql_validation"
"""The code of a document that GraphQL itself refuses."""

_VARIABLE = re.compile(
    r"Variable '\$(?P<name>\w+)' has invalid value(?: at (?P<path>[^:\s]+))?: (?P<problem>.*)", re.DOTALL
)
_INNER_FIELD = re.compile(r"include (?:required|unknown) field '(?P<name>\w+)'")
_PLAIN_WORDS = (
    ("to include required field", "must be given"),
    ("to be provided", "must be given"),
    ("not to include unknown field", "does not exist here"),
    ("not to be None", "must not be null"),
    ("to be an object", "must be an object"),
    ("Int cannot represent non-integer", "must be a whole number"),
    ("Int cannot represent non 32-bit", "must lie between -2147483648 and 2147483647"),
    ("String cannot represent", "must be text"),
    ("ID cannot represent", "must be an id, as text"),
    ("Boolean cannot represent", "must be true or false"),
    ("Float cannot represent", "must be a number"),
)
_NO_SUCH_VALUE = re.compile(r"Value .* does not exist in '(?P<enum>\w+)' enum\..*", re.DOTALL)
_NOT_AN_ENUM = re.compile(r"Enum '(?P<enum>\w+)' cannot represent .*", re.DOTALL)
# Behind these stands what was given, for which graphql-core has several ways of quoting.
_QUOTING = re.compile(r"(?:[;,] found:?| value:) .*", re.DOTALL)
_LONGEST = 300
_MISSING_VARIABLE = re.compile(r"Variable '\$(?P<name>\w+)' .*")


def present(error: GraphQLError, request_id: str, document: DocumentNode | None) -> None:
    """Gives `error` its code; hides what an unexpected one says, and logs it under the request's id instead."""
    cause = _cause(error)
    if isinstance(cause, AppError):
        _present_refusal(error, cause, document)
    elif cause is not None:
        log.error("graphql.failed", request_id=request_id, path=error.path, exc_info=cause)
        error.message = "Something went wrong here. Tell your administrator the request id."
        error.extensions = {"code": "internal", "requestId": request_id}
    elif error.extensions is None or "code" not in error.extensions:
        _present_validation(error, document)


def _cause(error: GraphQLError) -> Exception | None:
    """The exception behind nested GraphQL errors; None when GraphQL itself refused."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _present_refusal(error: GraphQLError, cause: AppError, document: DocumentNode | None) -> None:
    # A scalar knows the problem but not the field that it was given for; the place in the request does.
    field = cause.field if error.path else _field_at_fault(error, document)
    error.message = cause.message
    error.extensions = {"code": cause.code}
    if field is not None:
        error.extensions["field"] = field
    if isinstance(cause, Later):
        error.extensions["retryAfter"] = cause.retry_after
    if isinstance(cause, InvalidDocument):
        error.extensions["faults"] = [asdict(fault) for fault in cause.faults]


def _present_validation(error: GraphQLError, document: DocumentNode | None) -> None:
    field = _field_at_fault(error, document)
    if match := _VARIABLE.fullmatch(error.message):
        error.message = match["problem"]
    if field is None:
        error.message = _without_values(error.message)
        error.extensions = {"code": VALIDATION}
    else:
        if match := _INNER_FIELD.search(error.message):
            field = match["name"] if field == "input" else f"{field}.{match['name']}"
        error.message = _in_plain_words(error.message)
        error.extensions = {"code": "invalid_input", "field": field}
    if len(error.message) > _LONGEST:
        error.message = error.message[:_LONGEST] + "…"


def _in_plain_words(message: str) -> str:
    # What was given is not repeated: there may be a secret in it.
    for pattern, words in _PLAIN_WORDS:
        if pattern in message:
            return words
    if match := re.search(r"but encountered error '(.*)'; found: .*", message, re.DOTALL):
        return match[1]
    return _without_values(message)


def _without_values(message: str) -> str:
    if match := _NO_SUCH_VALUE.fullmatch(message) or _NOT_AN_ENUM.fullmatch(message):
        return f"must be one of the values of {match['enum']}"
    return _QUOTING.sub(".", message)


def _field_at_fault(error: GraphQLError, document: DocumentNode | None) -> str | None:
    if match := _VARIABLE.fullmatch(error.message):
        path = re.sub(r"\[(\d+)\]", r".\1", match["path"] or "").strip(".")
        # Mutations take one argument named `input`, which a form knows nothing of.
        return path if path and match["name"] == "input" else ".".join(filter(None, (match["name"], path)))
    if match := _MISSING_VARIABLE.match(error.message):
        return match["name"]
    node = error.nodes[0] if error.nodes else None
    return _literal_path(document, node) if document is not None and isinstance(node, ValueNode) else None


def _literal_path(document: DocumentNode, target: Node) -> str | None:
    """The names of argument and input fields around a literal."""
    finder = _LiteralFinder(target)
    visit(document, finder)
    names = finder.found
    if names and len(names) > 1 and names[0] == "input":
        names = names[1:]
    return ".".join(names) or None


class _LiteralFinder(Visitor):
    def __init__(self, target: Node) -> None:
        super().__init__()
        self.target = target
        self.found: list[str] = []

    def enter(
        self, node: Node, _key: object, _parent: object, _path: object, ancestors: list[Node | list[Node]]
    ) -> None:
        if node is self.target:
            around = [a for a in ancestors if isinstance(a, ArgumentNode | ObjectFieldNode)]
            parent = [_parent] if isinstance(_parent, ArgumentNode | ObjectFieldNode) and _parent not in around else []
            self.found = [a.name.value for a in [*around, *parent]]
