"""A Responses request in the neutral form."""

from __future__ import annotations

from typing import Any

from sluicegate.gateway.translate.chat.reading import (
    allowed,
    format_of,
    read_custom,
    read_file,
    read_function,
    read_image,
)
from sluicegate.gateway.translate.fields import (
    as_list,
    as_object,
    as_text,
    optional_count,
    optional_flag,
    optional_list,
    optional_number,
    optional_object,
    optional_text,
    untranslatable,
    wrong,
)
from sluicegate.gateway.translate.form import (
    Ask,
    Call,
    Choice,
    Document,
    Format,
    Image,
    Object,
    Result,
    Role,
    Text,
    Tool,
    Turn,
)

_ROLES = {"system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}
# Their tools run at the provider, so nobody else can use what they left behind; reasoning is sealed.
_LEFT_OUT = ("reasoning", "compaction")
_SERVER_CALL = ("_call", "_call_output")
_LOG_PROBABILITIES = "message.output_text.logprobs"


def read_request(body: Object) -> Ask:
    """Raises Refusal `invalid_request` that names the field."""
    for name in ("previous_response_id", "conversation", "prompt"):
        if body.get(name) is not None:
            raise untranslatable(name, "a reference to what its provider stores")
    if body.get("background") is True:
        raise untranslatable("background", "a wish to be answered later")
    if body.get("top_logprobs") or _LOG_PROBABILITIES in optional_list(body.get("include"), "include"):
        raise untranslatable("top_logprobs" if body.get("top_logprobs") else "include", "a wish for probabilities")
    instructions = optional_text(body.get("instructions"), "instructions")
    turns = [Turn(Role.SYSTEM, (Text(instructions),))] if instructions else []
    text = optional_object(body.get("text"), "text") or {}
    reasoning = optional_object(body.get("reasoning"), "reasoning") or {}
    return Ask(
        turns=turns + _input(body.get("input")),
        tools=allowed(
            _tools(optional_list(body.get("tools"), "tools"), "tools"),
            _allowed(body.get("tool_choice")),
            "tool_choice.tools",
        ),
        choice=_choice(body.get("tool_choice")),
        parallel=optional_flag(body.get("parallel_tool_calls"), "parallel_tool_calls"),
        max_tokens=optional_count(body.get("max_output_tokens"), "max_output_tokens"),
        temperature=optional_number(body.get("temperature"), "temperature"),
        top_p=optional_number(body.get("top_p"), "top_p"),
        stream=optional_flag(body.get("stream"), "stream") is True,
        effort=optional_text(reasoning.get("effort"), "reasoning.effort"),
        format=_format(text.get("format")),
        cache_key=optional_text(body.get("prompt_cache_key"), "prompt_cache_key"),
        verbosity=optional_text(text.get("verbosity"), "text.verbosity"),
    )


def _input(value: Any) -> list[Turn]:
    if isinstance(value, str):
        return [Turn(Role.USER, (Text(value),))]
    turns: list[Turn] = []
    for index, item in enumerate(as_list(value, "input")):
        turn = _item(as_object(item, f"input.{index}"), f"input.{index}")
        if turn is not None:
            turns.append(turn)
    return turns


def _item(item: Object, field: str) -> Turn | None:
    kind = item.get("type")
    match kind:
        case None | "message":
            return _message(item, field)
        case "function_call" | "custom_tool_call":
            return Turn(Role.ASSISTANT, (_call(item, field, freeform=kind == "custom_tool_call"),))
        case "function_call_output" | "custom_tool_call_output":
            return Turn(Role.USER, (_output(item, field),))
        case "item_reference":
            raise untranslatable(f"{field}.type", "a reference to an item that is stored elsewhere")
        case str() if kind in _LEFT_OUT or kind.endswith(_SERVER_CALL):
            return None
        case _:
            raise untranslatable(f"{field}.type", f"an item of the type '{str(kind)[:60]}'")


def _message(item: Object, field: str) -> Turn:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise wrong(f"{field}.role", "must be 'system', 'developer', 'user' or 'assistant'")
    return Turn(_ROLES[role], tuple(_content(item.get("content"), f"{field}.content")))


def _content(content: Any, field: str) -> list[Text | Image | Document]:
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_part(as_object(p, f"{field}.{i}"), f"{field}.{i}") for i, p in enumerate(as_list(content, field))]


def _part(part: Object, field: str) -> Text | Image | Document:
    match part.get("type"):
        case "input_text" | "output_text" | "text" | "summary_text":
            return Text(as_text(part.get("text"), f"{field}.text"))
        case "refusal":
            return Text(as_text(part.get("refusal"), f"{field}.refusal"))
        case "input_image":
            if part.get("image_url") is None:
                raise untranslatable(f"{field}.file_id", "a file that is stored elsewhere")
            url = as_text(part.get("image_url"), f"{field}.image_url")
            return read_image(url, optional_text(part.get("detail"), f"{field}.detail"))
        case "input_file":
            return read_file(part, field)
        case kind:
            raise untranslatable(f"{field}.type", f"a part of the type '{str(kind)[:60]}'")


def _call(item: Object, field: str, *, freeform: bool) -> Call:
    return Call(
        as_text(item.get("call_id"), f"{field}.call_id"),
        as_text(item.get("name"), f"{field}.name"),
        as_text(item.get("input" if freeform else "arguments"), f"{field}.{'input' if freeform else 'arguments'}"),
        namespace=optional_text(item.get("namespace"), f"{field}.namespace"),
        freeform=freeform,
    )


def _output(item: Object, field: str) -> Result:
    parts = tuple(_content(item.get("output"), f"{field}.output"))
    return Result(as_text(item.get("call_id"), f"{field}.call_id"), parts)


def _tools(values: list[Any], field: str, namespace: str | None = None) -> list[Tool]:
    """Functions and freeform tools, namespaces opened. Others run at OpenAI and are left out."""
    tools: list[Tool] = []
    for index, value in enumerate(values):
        place = f"{field}.{index}"
        tool = as_object(value, place)
        match tool.get("type"):
            case "function":
                tools.append(read_function(tool, place, namespace))
            case "custom":
                tools.append(read_custom(tool, place, namespace))
            case "namespace":
                name = as_text(tool.get("name"), f"{place}.name")
                tools += _tools(optional_list(tool.get("tools"), f"{place}.tools"), f"{place}.tools", name)
            case _:
                pass
    return tools


def _choice(value: Any) -> Choice | None:
    match value:
        case None:
            return None
        case "auto" | "none":
            return Choice(value)
        case "required":
            return Choice("any")
        case {"type": "function" | "custom", "name": str(name)}:
            return Choice("one", name)
        case {"type": "allowed_tools", "mode": str(mode)}:
            return Choice("any" if mode == "required" else "auto")
        case _:
            raise wrong("tool_choice", "must be 'auto', 'none', 'required' or name a function")


def _allowed(choice: Any) -> list[Any] | None:
    match choice:
        case {"type": "allowed_tools", "tools": list(named)}:
            return named
        case _:
            return None


def _format(value: Any) -> Format | None:
    wanted = optional_object(value, "text.format")
    match wanted.get("type") if wanted else None:
        case None | "text":
            return None
        case "json_object":
            return Format(None)
        case "json_schema" if wanted is not None:
            return format_of(wanted, "text.format")
        case _:
            raise wrong("text.format.type", "must be 'text', 'json_object' or 'json_schema'")
