"""The pages tell what the code does, and can be found."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from architecture.source import ROOT, dotted, modules
from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.dialects.errors import render
from sluicegate.policy.refusals import Refusal

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
# What makes a refusal with a code of its own, and the status that it has unless told otherwise.
_MAKERS = {"invalid_request": ("invalid_request", 400), "upstream_unavailable": ("upstream_unavailable", 502)}
# Where a setting decides.
_SETTABLE = {("budget_exceeded", 403), ("budget_exceeded", 429)}


def _in_code() -> set[tuple[str, int]]:
    """Code and status of every refusal that the package makes."""
    found: set[tuple[str, int]] = set()
    for tree in modules().values():
        for node in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            name = dotted(node.func).rpartition(".")[2]
            values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if name == "Refusal" and len(values) > 1:
                found.add((values[0], values[1]))  # type: ignore[arg-type]
            elif name in _MAKERS:
                code, usual = _MAKERS[name]
                told = [k.value for k in node.keywords if k.arg == "status"] + node.args[1:2]
                statuses = [one.value for one in told if isinstance(one, ast.Constant)]
                found.add((code, statuses[0] if statuses else usual))  # type: ignore[arg-type]
    return found


def _in_table() -> dict[tuple[str, int], list[str]]:
    page = (ROOT / "docs/gateway.md").read_text("utf-8")
    lines = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", page, re.MULTILINE)
    return {(code, int(status)): rest.split(" | ") for code, status, rest in lines}


def test_the_table_of_refusals_is_that_of_the_code() -> None:
    assert sorted(_in_table()) == sorted(_in_code() | _SETTABLE)


@pytest.mark.parametrize(("code", "status"), sorted(_in_table()))
def test_a_refusal_is_told_as_the_table_says(code: str, status: int) -> None:
    openai, anthropic, gemini, headers, way_out = _in_table()[code, status]
    refusal = Refusal(code, status, "words", retry_after=5 if "retry-after" in headers else None)
    told: dict[Dialect, Any] = {}
    for dialect in Dialect:
        reply = render(refusal, dialect, "request", _NOW)
        told[dialect] = msgspec.json.decode(reply.body)["error"]
        sent = {name.decode() for name, _ in reply.headers} - {"content-type"}
        assert sent == set(re.findall(r"(retry-after|x-should-retry)", headers))
    # Of two, the second is for limits of tokens.
    assert openai.split("`")[1] == told[Dialect.OPENAI]["type"]
    assert anthropic == f"`{told[Dialect.ANTHROPIC]['type']}`"
    assert gemini == f"`{told[Dialect.GEMINI]['status']}`"
    assert way_out


def test_every_link_between_pages_leads_somewhere_and_the_readme_to_what_operators_need() -> None:
    linked: dict[str, set[str]] = {}
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        assert [target for target in targets if not (page.parent / target).exists()] == [], page.name
        linked[page.name] = {target.rpartition("/")[2] for target in targets}
    assert {"operations.md", "security.md", "gateway.md", "configuration.md"} <= linked["README.md"]
