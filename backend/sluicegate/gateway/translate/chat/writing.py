"""A Chat Completions request from the neutral form."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.gateway.translate.fields import untranslatable, wrong
from sluicegate.gateway.translate.form import (
    Ask,
    Call,
    Choice,
    Document,
    Image,
    Object,
    Part,
    Result,
    Role,
    Target,
    Text,
    Tool,
    Turn,
)
from sluicegate.gateway.translate.json_text import FREEFORM_SCHEMA, wrapped
from sluicegate.gateway.translate.names import Names
from sluicegate.policy.refusals import invalid_request

# What OpenAI takes, and with it all that speak like it.
MAX_TOOLS = 128
_MAX_STOPS = 4
FAILED = "The tool failed:"
_SEE_BELOW = "(see the image below)"


def write_request(ask: Ask, target: Target, names: Names) -> Object:
    """The body for a provider; usage is always asked for."""
    check_tools(ask)
    if len(ask.stop) > _MAX_STOPS:
        raise untranslatable("stop", f"more than {_MAX_STOPS} entries")
    messages = _messages(ask.turns, names)
    if not messages:
        raise invalid_request("The request holds no message for the model to answer.", field="messages")
    body: Object = {"model": target.model, "messages": messages}
    if (limit := bounded(ask, target)) is not None:
        body["max_completion_tokens" if target.reasons else "max_tokens"] = limit
    if ask.tools:
        body["tools"] = [{"type": "function", "function": function(tool, names)} for tool in ask.tools]
        if ask.choice is not None:
            body["tool_choice"] = _choice(ask.choice, names)
        if ask.parallel is not None:
            body["parallel_tool_calls"] = ask.parallel
    if ask.stop:
        body["stop"] = ask.stop
    body |= sampling(ask, target)
    if target.reasons and ask.effort is not None:
        body["reasoning_effort"] = ask.effort
    if target.reasons and ask.verbosity is not None:
        body["verbosity"] = ask.verbosity
    if ask.format is not None:
        body["response_format"] = _format(ask)
    if ask.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def bounded(ask: Ask, target: Target) -> int | None:
    """The caller's bound, within what the model can do: Claude Code asks for 128,000, which most refuse."""
    if ask.max_tokens is None or target.max_output is None:
        return ask.max_tokens
    return min(ask.max_tokens, target.max_output)


def sampling(ask: Ask, target: Target) -> Object:
    if not target.samples:
        return {}
    wanted = {"temperature": ask.temperature, "top_p": ask.top_p}
    return {name: value for name, value in wanted.items() if value is not None}


def check_tools(ask: Ask) -> None:
    if len(ask.tools) > MAX_TOOLS:
        raise wrong("tools", f"holds {len(ask.tools)} tools; the provider of this model takes at most {MAX_TOOLS}")


def function(tool: Tool, names: Names) -> Object:
    written: Object = {
        "name": names.wire(tool.name, tool.namespace),
        "parameters": FREEFORM_SCHEMA if tool.freeform else tool.schema or {"type": "object", "properties": {}},
    }
    if tool.description:
        written["description"] = tool.description
    if tool.strict is not None:
        written["strict"] = tool.strict
    return written


def _messages(turns: Sequence[Turn], names: Names) -> list[Object]:
    """System texts that come first become one message, as many servers know only that."""
    leading: list[str] = []
    rest = list(turns)
    while rest and rest[0].role is Role.SYSTEM:
        leading += [part.text for part in rest.pop(0).parts if isinstance(part, Text)]
    messages: list[Object] = [{"role": "system", "content": "\n\n".join(leading)}] if leading else []
    for turn in rest:
        match turn.role:
            case Role.ASSISTANT:
                _join(messages, _assistant(turn, names))
            case Role.SYSTEM:
                text = "\n\n".join(part.text for part in turn.parts if isinstance(part, Text))
                messages += [{"role": "system", "content": text}] if text else []
            case _:
                messages += _user(turn)
    return _results_first(messages)


def _results_first(messages: list[Object]) -> list[Object]:
    """Answers to calls directly behind the calls: what stands between moves behind them."""
    ordered: list[Object] = []
    waiting: set[str] = set()
    between: list[Object] = []
    for message in messages:
        if message["role"] == "tool" and message["tool_call_id"] in waiting:
            waiting.discard(message["tool_call_id"])
            ordered.append(message)
        elif message["role"] == "assistant" or not waiting:
            ordered += [*between, message]
            between = []
            waiting = {call["id"] for call in message.get("tool_calls", ())}
            continue
        else:
            between.append(message)
        if not waiting:
            ordered += between
            between = []
    return ordered + between


def _join(messages: list[Object], more: list[Object]) -> None:
    """Calls that other protocols tell one by one stand in one message, since the answers to all of them follow it."""
    for message in more:
        last = messages[-1] if messages and messages[-1]["role"] == "assistant" else None
        if last is None or not ("tool_calls" in last or "tool_calls" in message):
            messages.append(message)
            continue
        last["content"] = "\n\n".join(text for text in (last["content"], message["content"]) if text) or None
        last["tool_calls"] = [*last.get("tool_calls", ()), *message.get("tool_calls", ())]


def _assistant(turn: Turn, names: Names) -> list[Object]:
    text = "".join(part.text for part in turn.parts if isinstance(part, Text))
    calls = [_call(part, names) for part in turn.parts if isinstance(part, Call)]
    if not text and not calls:
        return []
    message: Object = {"role": "assistant", "content": text or None}
    return [message | {"tool_calls": calls} if calls else message]


def _call(part: Call, names: Names) -> Object:
    arguments = wrapped(part.arguments) if part.freeform else part.arguments or "{}"
    name = names.wire(part.name, part.namespace)
    return {"id": part.id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _user(turn: Turn) -> list[Object]:
    messages: list[Object] = []
    shown: list[Part] = []
    for part in turn.parts:
        if isinstance(part, Result):
            messages.append({"role": "tool", "tool_call_id": part.call_id, "content": result_text(part)})
            shown += [inner for inner in part.parts if not isinstance(inner, Text)]
        else:
            shown.append(part)
    content = [written for part in shown if (written := _part(part)) is not None]
    if len(content) == 1 and content[0]["type"] == "text":
        messages.append({"role": "user", "content": content[0]["text"]})
    elif content:
        messages.append({"role": "user", "content": content})
    return messages


def result_text(result: Result) -> str:
    """A result as text. Pictures can't stand in one, so they follow as a message of their own."""
    text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    if any(not isinstance(part, Text) for part in result.parts):
        text = f"{text}\n{_SEE_BELOW}".strip()
    return f"{FAILED} {text}" if result.failed else text


def _part(part: Part) -> Object | None:
    match part:
        case Text(text):
            return {"type": "text", "text": text} if text else None
        case Image():
            image: Object = {"url": image_url(part)}
            return {"type": "image_url", "image_url": image | ({"detail": part.detail} if part.detail else {})}
        case Document():
            if part.text:
                return {"type": "text", "text": f"{part.name}:\n{part.text}" if part.name else part.text}
            if part.url:
                raise untranslatable("messages", "a document that is given by its URL")
            return {"type": "file", "file": {"filename": file_name(part), "file_data": file_data(part)}}
        case _:
            return None


def image_url(part: Image) -> str:
    return part.url or f"data:{part.media_type};base64,{part.data}"


def file_data(part: Document) -> str:
    return f"data:{part.media_type or 'application/pdf'};base64,{part.data}"


def file_name(part: Document) -> str:
    return part.name or "document.pdf"


def _choice(choice: Choice, names: Names) -> str | Object:
    match choice.mode:
        case "any":
            return "required"
        case "one":
            return {"type": "function", "function": {"name": names.wire(choice.name)}}
        case _:
            return choice.mode


def _format(ask: Ask) -> Object:
    wanted = ask.format
    if wanted is None or wanted.schema is None:
        return {"type": "json_object"}
    schema: Object = {"name": wanted.name, "schema": wanted.schema}
    return {"type": "json_schema", "json_schema": schema | ({} if wanted.strict is None else {"strict": wanted.strict})}
