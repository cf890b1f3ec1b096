"""One GraphQL operation from text to answer, for whoever brings it over the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError

from sluicegate.graphql.context import Context
from sluicegate.graphql.errors import VALIDATION
from sluicegate.graphql.schema import Schema
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller

Execute = Callable[[Caller | None, str, str, dict[str, Any], str | None], Awaitable[dict[str, Any]]]


def executor(schema: Schema, services: Services) -> Execute:
    """Takes caller, request id, query, variables and operation name; gives the body of the answer."""

    async def execute(
        caller: Caller | None, request_id: str, query: str, variables: dict[str, Any], operation: str | None
    ) -> dict[str, Any]:
        context = Context(caller, services, request_id)
        try:
            result = await schema.execute(
                query, variable_values=variables, context_value=context, operation_name=operation
            )
        except MissingQueryError:
            return _unfit("This holds no query.")
        except CannotGetOperationTypeError:
            return _unfit("This holds no operation to run, or none that `operationName` names.")
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return answer

    return execute


def _unfit(message: str) -> dict[str, Any]:
    """Of a document in which there is nothing to run."""
    return {"data": None, "errors": [{"message": message, "extensions": {"code": VALIDATION}}]}
