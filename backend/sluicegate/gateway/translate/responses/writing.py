"""A Responses request from the neutral form."""

from __future__ import annotations

from sluicegate.gateway.translate.chat.writing import (
    FAILED,
    bounded,
    check_tools,
    file_data,
    file_name,
    function,
    image_url,
    result_text,
    sampling,
)
from sluicegate.gateway.translate.fields import untranslatable
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
    Turn,
)
from sluicegate.gateway.translate.json_text import wrapped
from sluicegate.gateway.translate.names import Names
from sluicegate.policy.refusals import invalid_request

_LEAST_OUTPUT = 16


def write_request(ask: Ask, target: Target, names: Names) -> Object:
    """The body for a provider, which is told to store nothing."""
    check_tools(ask)
    if ask.stop:
        raise untranslatable("stop", "stop sequences")
    items = [item for turn in ask.turns for item in _items(turn, names)]
    if not items:
        raise invalid_request("The request holds no message for the model to answer.", field="messages")
    body: Object = {"model": target.model, "input": items, "store": False}
    if (limit := bounded(ask, target)) is not None:
        body["max_output_tokens"] = max(limit, _LEAST_OUTPUT)
    if ask.tools:
        body["tools"] = [{"type": "function", "strict": False, **function(tool, names)} for tool in ask.tools]
        if ask.choice is not None:
            body["tool_choice"] = _choice(ask.choice, names)
        if ask.parallel is not None:
            body["parallel_tool_calls"] = ask.parallel
    body |= sampling(ask, target)
    if target.reasons and ask.effort is not None:
        body["reasoning"] = {"effort": ask.effort}
    if text := _text(ask, target):
        body["text"] = text
    if ask.cache_key is not None:
        body["prompt_cache_key"] = ask.cache_key
    return body | {"stream": True} if ask.stream else body


def _items(turn: Turn, names: Names) -> list[Object]:
    """Calls and results are items of their own, in the order in which they stood between the texts."""
    if turn.role is Role.SYSTEM:
        text = "\n\n".join(part.text for part in turn.parts if isinstance(part, Text))
        return [_message("developer", [{"type": "input_text", "text": text}])] if text else []
    items: list[Object] = []
    shown: list[Object] = []
    assistant = turn.role is Role.ASSISTANT
    for part in turn.parts:
        match part:
            case Call():
                items += _shown(turn.role, shown)
                shown = []
                items.append(_call(part, names))
            case Result():
                items.append({"type": "function_call_output", "call_id": part.call_id, "output": _output(part)})
            case _:
                if (written := _part(part, assistant=assistant)) is not None:
                    shown.append(written)
    return items + _shown(turn.role, shown)


def _shown(role: Role, content: list[Object]) -> list[Object]:
    return [_message(role.value, content)] if content else []


def _message(role: str, content: list[Object]) -> Object:
    return {"type": "message", "role": role, "content": content}


def _call(part: Call, names: Names) -> Object:
    arguments = wrapped(part.arguments) if part.freeform else part.arguments or "{}"
    name = names.wire(part.name, part.namespace)
    return {"type": "function_call", "call_id": part.id, "name": name, "arguments": arguments}


def _output(part: Result) -> str | list[Object]:
    """Pictures may stand in a result here, so they do."""
    if all(isinstance(inner, Text) for inner in part.parts):
        return result_text(part)
    written = [w for inner in part.parts if (w := _part(inner, assistant=False)) is not None]
    return [{"type": "input_text", "text": FAILED}, *written] if part.failed else written


def _part(part: Part, *, assistant: bool) -> Object | None:
    match part:
        case Text(text):
            return {"type": "output_text" if assistant else "input_text", "text": text} if text else None
        case Image():
            return {"type": "input_image", "image_url": image_url(part), "detail": part.detail or "auto"}
        case Document():
            if part.text:
                return {"type": "input_text", "text": f"{part.name}:\n{part.text}" if part.name else part.text}
            if part.url:
                return {"type": "input_file", "file_url": part.url}
            return {"type": "input_file", "filename": file_name(part), "file_data": file_data(part)}
        case _:
            return None


def _choice(choice: Choice, names: Names) -> str | Object:
    match choice.mode:
        case "any":
            return "required"
        case "one":
            return {"type": "function", "name": names.wire(choice.name)}
        case _:
            return choice.mode


def _text(ask: Ask, target: Target) -> Object:
    text: Object = {}
    if ask.format is not None and ask.format.schema is None:
        text["format"] = {"type": "json_object"}
    elif ask.format is not None:
        text["format"] = {"type": "json_schema", "name": ask.format.name, "schema": ask.format.schema}
        if ask.format.strict is not None:
            text["format"]["strict"] = ask.format.strict
    if target.reasons and ask.verbosity is not None:
        text["verbosity"] = ask.verbosity
    return text
