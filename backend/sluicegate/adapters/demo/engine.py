"""Decides what to answer. Pure: the same prompt gives the same plan, on whatever wire it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import msgspec

from sluicegate.adapters.demo import prose, tokens
from sluicegate.adapters.demo.catalogue import DemoModel
from sluicegate.adapters.demo.directives import ToolCall, tool_calls, without_directives
from sluicegate.adapters.demo.faults import Fault
from sluicegate.adapters.demo.instance import instance_of
from sluicegate.adapters.demo.prompt import Prompt, Tool
from sluicegate.domain.usage import TokenUsage


class Finish(Enum):
    """Why the answer ended; each dialect has its own word."""

    DONE = auto()
    LENGTH = auto()
    STOP_SEQUENCE = auto()
    TOOL = auto()


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer before it is written in a dialect: first thoughts, then the pieces of a text, then calls."""

    pieces: tuple[str, ...]
    usage: TokenUsage
    thoughts: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    finish: Finish = Finish.DONE
    stop_sequence: str | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def plan_answer(prompt: Prompt, model: DemoModel, usage: TokenUsage) -> Plan:
    """`usage` is the input side, as the prompt cache measured it."""
    thoughts = _think(prompt) if model.reasoning else []
    plan = _plan_calls(prompt, usage, len(thoughts)) or _plan_text(prompt, model, usage, len(thoughts))
    total = msgspec.structs.replace(plan.usage, output=plan.usage.output + len(thoughts), reasoning=len(thoughts))
    return replace(plan, thoughts=tokens.deltas(thoughts), usage=total)


def _think(prompt: Prompt) -> list[str]:
    if prompt.effort in ("none", "minimal"):
        return []
    thoughts = tokens.split(prose.thoughts_about(without_directives(prompt.ask), prompt.effort))
    # Half of a tight limit is left for the answer itself.
    return thoughts if prompt.limit is None else thoughts[: prompt.limit // 2]


def _plan_calls(prompt: Prompt, usage: TokenUsage, spent: int) -> Plan | None:
    calls = _wanted_calls(prompt)
    if not calls:
        return None
    output = sum(tokens.count_output(f"{call.name} {call.arguments}") for call in calls)
    if prompt.limit is not None and output > prompt.limit - spent:
        return Plan((), usage, finish=Finish.LENGTH)
    return Plan((), msgspec.structs.replace(usage, output=output), calls=calls, finish=Finish.TOOL)


def _wanted_calls(prompt: Prompt) -> tuple[ToolCall, ...]:
    if not prompt.tools or prompt.tool_choice == "none":
        return ()
    asked = tool_calls(prompt.ask) if prompt.result is None else ()
    calls = tuple(_checked(call, prompt.tools.get(call.name)) for call in asked)
    if not calls and prompt.tool_choice != "auto":
        forced = prompt.tools.get(prompt.tool_choice) or next(iter(prompt.tools.values()))
        calls = (_forced(prompt, forced),)
    return calls if prompt.parallel_calls else calls[:1]


def _checked(call: ToolCall, tool: Tool | None) -> ToolCall:
    if tool is not None and tool.freeform:
        return call
    try:
        arguments = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        arguments = None
    return call if isinstance(arguments, dict) else ToolCall(call.name, "{}")


def _forced(prompt: Prompt, tool: Tool) -> ToolCall:
    words = prose.topic_of(without_directives(prompt.ask))
    if tool.freeform:
        return ToolCall(tool.name, words)
    arguments = _instance(prompt, tool.schema)
    return ToolCall(tool.name, arguments if arguments.startswith("{") else "{}")


def _plan_text(prompt: Prompt, model: DemoModel, usage: TokenUsage, spent: int) -> Plan:
    text, stop = _until_stop(_words(prompt, model), prompt.stops)
    produced = tokens.split(text)
    finish = Finish.DONE if stop is None else Finish.STOP_SEQUENCE
    if prompt.limit is not None and len(produced) > prompt.limit - spent:
        produced, finish, stop = produced[: prompt.limit - spent], Finish.LENGTH, None
    return Plan(
        tokens.deltas(produced), msgspec.structs.replace(usage, output=len(produced)), finish=finish, stop_sequence=stop
    )


def _words(prompt: Prompt, model: DemoModel) -> str:
    ask = without_directives(prompt.ask)
    if prompt.schema is not None:
        return _instance(prompt, prompt.schema) if prompt.schema else _json({"answer": prose.topic_of(ask)})
    if prompt.result is not None:
        return prose.reply_to_result(prompt.result)
    return prose.reply_to(ask, thorough=model.thorough)


def _instance(prompt: Prompt, schema: Mapping[str, Any]) -> str:
    try:
        return _json(instance_of(schema, prose.topic_of(without_directives(prompt.ask))))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise Fault(400, "Invalid schema: it is not a JSON schema that can be filled.") from None


def _until_stop(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    found = [(text.find(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    start, stop = min(found)
    return text[:start], stop


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
