"""Tool names on their way to a provider and back.

Providers take short names of a small alphabet, and Responses groups tools in namespaces that others do not have.
A name that fits stays; any other gets one made of what fits and a checksum, and is given back as it was.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from sluicegate.gateway.translate.form import Ask, Call, Tool

_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
LONGEST = 64
_DIGITS = 8


class Names:
    """One-to-one between the tools of one call and the names that the provider sees."""

    __slots__ = ("_by_wire", "_wire")

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._wire: dict[tuple[str | None, str], str] = {}
        self._by_wire: dict[str, Tool] = {}
        known = list(tools)
        # Names that fit as they are come first: nobody else may take them.
        for tool in sorted(known, key=lambda t: not _fits(t)):
            key = (tool.namespace, tool.name)
            if key not in self._wire:
                self._wire[key] = wire = self._free(tool)
                self._by_wire[wire] = tool

    def _free(self, tool: Tool) -> str:
        if _fits(tool) and tool.name not in self._by_wire:
            return tool.name
        full = tool.name if tool.namespace is None else f"{tool.namespace}__{tool.name}"
        plain = _UNFIT.sub("_", full)
        if plain == full and len(full) <= LONGEST and full not in self._by_wire:
            return full
        digest = hashlib.sha256(f"{tool.namespace}\0{tool.name}".encode(errors="replace")).hexdigest()[:_DIGITS]
        return f"{plain[: LONGEST - _DIGITS - 1]}_{digest}"

    def wire(self, name: str, namespace: str | None = None) -> str:
        """The provider's name of a tool; a name without its namespace is found too."""
        exact = self._wire.get((namespace, name))
        if exact is not None or namespace is not None:
            return exact or name
        return next((wire for (_, known), wire in self._wire.items() if known == name), name)

    def tool(self, wire: str) -> Tool:
        """The tool of that name; one that nobody offered keeps the name that the model gave it."""
        return self._by_wire.get(wire) or Tool(wire)


def _fits(tool: Tool) -> bool:
    return tool.namespace is None and 0 < len(tool.name) <= LONGEST and not _UNFIT.search(tool.name)


def names_of(ask: Ask) -> Names:
    """Covers the tools of a call and those that earlier turns called."""
    return Names([*ask.tools, *called(ask)])


def called(ask: Ask) -> list[Tool]:
    """What earlier turns called, each once, as far as a call tells of its tool."""
    calls = [part for turn in ask.turns for part in turn.parts if isinstance(part, Call)]
    tools = [Tool(call.name, namespace=call.namespace, freeform=call.freeform) for call in calls]
    return list({(tool.namespace, tool.name): tool for tool in tools}.values())
