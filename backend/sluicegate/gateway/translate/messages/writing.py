"""A Messages request from the neutral form."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from sluicegate.gateway.translate.form import (
    Ask,
    Call,
    Choice,
    Document,
    Format,
    Image,
    Object,
    Part,
    Result,
    Role,
    Target,
    Text,
    Thought,
    Tool,
    Turn,
)
from sluicegate.gateway.translate.json_text import FREEFORM_SCHEMA, arguments_object, wrapped
from sluicegate.gateway.translate.names import Names, called
from sluicegate.policy.refusals import invalid_request

# What an answer may take where neither the caller nor the catalogue says: every model there is takes as much.
_USUAL_OUTPUT = 8_192
_CACHED: Object = {"type": "ephemeral"}
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576, "max": 24_576}
_LEAST_BUDGET = 1_024
# Least thinking is as near to none as models come that always think.
_EFFORTS = {"none": "low", "minimal": "low"} | {name: name for name in _BUDGETS}
_JSON_ONLY = "Answer with one JSON object and nothing else: no prose, no code fence."


def write_request(ask: Ask, target: Target, names: Names) -> Object:
    """The body for a provider, with its cache asked for: what a conversation repeats is read back at a tenth."""
    system = [Text(p.text) for turn in ask.turns if turn.role is Role.SYSTEM for p in turn.parts if isinstance(p, Text)]
    if ask.format is not None and ask.format.schema is None:
        system.append(Text(_JSON_ONLY))
    messages = _messages([turn for turn in ask.turns if turn.role is not Role.SYSTEM], names)
    if not messages:
        raise invalid_request("The request holds no message for the model to answer.", field="messages")
    limit = min(ask.max_tokens or target.max_output or _USUAL_OUTPUT, target.max_output or ask.max_tokens or 1 << 30)
    body: Object = {"model": target.model, "max_tokens": limit, "messages": messages}
    if system:
        blocks: list[Object] = [{"type": "text", "text": part.text} for part in system]
        blocks[-1]["cache_control"] = _CACHED
        body["system"] = blocks
    _mark_cached(messages)
    # A conversation that offers none any more, as when it is summed up, still has calls, and some providers behind this
    # protocol refuse calls of what is not defined.
    if tools := [_tool(tool, names) for tool in ask.tools or called(ask)]:
        body["tools"] = tools
        if not system:
            tools[-1]["cache_control"] = _CACHED
        if choice := _choice(ask, names) if ask.tools else {"type": "none"}:
            body["tool_choice"] = choice
    thinking = _thinking(ask, target, limit)
    if thinking is not None:
        body["thinking"] = thinking
    if ask.stop:
        body["stop_sequences"] = ask.stop
    if output := _output(ask, target):
        body["output_config"] = output
    if thinking is None and target.samples:
        body |= _sampling(ask)
    if ask.stream:
        body["stream"] = True
    return body


def _sampling(ask: Ask) -> Object:
    """One of the two: several models refuse both at once. The scale ends at 1 here and at 2 elsewhere."""
    if ask.temperature is not None:
        return {"temperature": min(ask.temperature, 1.0)}
    return {} if ask.top_p is None else {"top_p": ask.top_p}


def _thinking(ask: Ask, target: Target, limit: int) -> Object | None:
    """Thinking as far as it may be had. Forced tools go before it, and a budget of it is refused within a tool loop,
    where the provider then wants its own earlier thoughts back, signed, and we have none."""
    if not target.reasons or ask.effort not in _BUDGETS or (ask.choice and ask.choice.mode in ("any", "one")):
        return None
    if target.adaptive:
        return {"type": "adaptive"}
    if any(isinstance(part, Call | Result) for turn in ask.turns for part in turn.parts):
        return None
    budget = min(_BUDGETS[ask.effort], limit // 2)
    return {"type": "enabled", "budget_tokens": budget} if budget >= _LEAST_BUDGET else None


def _output(ask: Ask, target: Target) -> Object:
    output: Object = {}
    effort = _EFFORTS.get(ask.effort or "") if target.adaptive else None
    if effort is not None:
        output["effort"] = "high" if effort == "xhigh" and not target.extra_high else effort
    if ask.format is not None and ask.format.schema is not None:
        output["format"] = _format(ask.format)
    return output


def _messages(turns: list[Turn], names: Names) -> list[Object]:
    """Neighbours of one role become one message, results first: what answers a call must follow it directly."""
    messages: list[Object] = []
    for role, group in groupby(turns, key=lambda turn: turn.role):
        parts = [part for turn in group for part in turn.parts]
        if role is Role.USER:
            parts = [p for p in parts if isinstance(p, Result)] + [p for p in parts if not isinstance(p, Result)]
        blocks = [block for part in parts if (block := _block(part, names)) is not None]
        if blocks:
            messages.append({"role": role.value, "content": blocks})
    if messages and messages[0]["role"] == "assistant":
        messages.insert(0, {"role": "user", "content": [{"type": "text", "text": "Continue."}]})
    if messages and messages[-1]["role"] == "assistant":
        _trim(messages[-1]["content"])
    return messages


def _trim(blocks: list[Object]) -> None:
    """A prefilled answer must not end in white space."""
    if blocks[-1]["type"] == "text":
        blocks[-1]["text"] = blocks[-1]["text"].rstrip() or "…"


def _mark_cached(messages: list[Object]) -> None:
    for message in reversed(messages):
        if message["role"] == "user":
            message["content"][-1]["cache_control"] = _CACHED
            return


def _block(part: Part, names: Names) -> Object | None:
    match part:
        case Text(text):
            return {"type": "text", "text": text} if text.strip() else None
        case Image():
            return {"type": "image", "source": _source(part)}
        case Document():
            return _document(part)
        case Thought():
            return None
        case Call():
            arguments = wrapped(part.arguments) if part.freeform else part.arguments
            name = names.wire(part.name, part.namespace)
            return {"type": "tool_use", "id": part.id, "name": name, "input": arguments_object(arguments)}
        case Result():
            return _result(part, names)


def _source(part: Image) -> Object:
    if part.url:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": part.media_type, "data": part.data}


def _document(part: Document) -> Object:
    if part.text:
        source: Object = {"type": "text", "media_type": "text/plain", "data": part.text}
    elif part.url:
        source = {"type": "url", "url": part.url}
    else:
        source = {"type": "base64", "media_type": part.media_type or "application/pdf", "data": part.data}
    return {"type": "document", "source": source, **({"title": part.name} if part.name else {})}


def _result(part: Result, names: Names) -> Object:
    content = [block for inner in part.parts if (block := _block(inner, names)) is not None]
    result: Object = {"type": "tool_result", "tool_use_id": part.call_id, "content": content}
    return result | {"is_error": True} if part.failed else result


def _tool(tool: Tool, names: Names) -> Object:
    schema: dict[str, Any] = FREEFORM_SCHEMA if tool.freeform else tool.schema
    written: Object = {
        "name": names.wire(tool.name, tool.namespace),
        "input_schema": {"type": "object", **schema} if schema.get("type") != "object" else schema,
    }
    return written | {"description": tool.description} if tool.description else written


def _choice(ask: Ask, names: Names) -> Object | None:
    serial = ask.parallel is False
    written: Object | None = {"type": "auto"} if serial else None
    if ask.choice is not None:
        written = _mode(ask.choice, names)
    if written is not None and serial and written["type"] != "none":
        written["disable_parallel_tool_use"] = True
    return written


def _mode(choice: Choice, names: Names) -> Object:
    return {"type": "tool", "name": names.wire(choice.name)} if choice.mode == "one" else {"type": choice.mode}


def _format(wanted: Format) -> Object:
    return {"type": "json_schema", "schema": wanted.schema}
