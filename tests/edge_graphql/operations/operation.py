"""One entry of the table that the tests walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

Variables = Mapping[str, Any]
# What nobody can foresee: new ids, secrets, links.
NEW = ANY
AT = "2026-11-24T12:00:00.000Z"
LONG = "x" * 10_000


@dataclass(frozen=True)
class Fault:
    """Variables that are refused, with code and field."""

    code: str
    field: str | None
    given: Variables


def bad(code: str, field: str | None, **given: Any) -> Fault:
    return Fault(code, field, given)


@dataclass(frozen=True)
class Operation:
    """`given` works, and gives `result`, when `by` asks. For members it is about Mia: `others` is the code that Noor
    gets. `codes` has those of callers who get another code than role and scope tell. `audit` is what a success writes
    down, as action and target; `then` is a question of Ada's that shows its effect, with the answer. `refused` are code
    and field where this world cannot do it at all."""

    text: str
    role: Role
    scope: TokenScope
    given: Variables
    result: Any
    by: str = "ada"
    others: str = "ok"
    codes: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: tuple[Fault, ...] = ()
    audit: tuple[str, Any] | None = None
    then: tuple[str, Any] | None = None
    refused: tuple[str, str | None] | None = None

    def code_for(self, who: str) -> str:
        """The code that `who` gets."""
        if who in ("anonymous", "suspended"):
            return "unauthenticated"
        admin = who == "ada" or who.startswith("token:")
        if (self.role is Role.ADMIN and not admin) or (who.startswith("token:") and who != f"token:{self.scope.value}"):
            return "forbidden"
        if who.startswith("token:"):
            who = "token"
        return self.codes.get(who, self.others if who == "noor" else "ok")
