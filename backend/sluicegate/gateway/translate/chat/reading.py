"""A Chat Completions request in the neutral form."""

from __future__ import annotations

from typing import Any

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
    split_data_url,
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
    Part,
    Result,
    Role,
    Text,
    Tool,
    Turn,
)

_ROLES = {"system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}
_UNABLE = ("audio", "functions", "function_call", "logit_bias", "web_search_options")


def read_request(body: Object) -> Ask:
    """Raises Refusal `invalid_request` that names the field."""
    _refuse_the_untranslatable(body)
    turns: list[Turn] = []
    for index, message in enumerate(as_list(body.get("messages"), "messages")):
        turns.append(_turn(as_object(message, f"messages.{index}"), f"messages.{index}"))
    limit = optional_count(body.get("max_completion_tokens"), "max_completion_tokens")
    tools = [_tool(as_object(t, f"tools.{i}"), f"tools.{i}") for i, t in enumerate(_listed(body, "tools"))]
    return Ask(
        turns=turns,
        tools=allowed(tools, _allowed(body.get("tool_choice")), "tool_choice.allowed_tools.tools"),
        choice=_choice(body.get("tool_choice")),
        parallel=optional_flag(body.get("parallel_tool_calls"), "parallel_tool_calls"),
        max_tokens=limit or optional_count(body.get("max_tokens"), "max_tokens"),
        temperature=optional_number(body.get("temperature"), "temperature"),
        top_p=optional_number(body.get("top_p"), "top_p"),
        stop=_stops(body.get("stop")),
        stream=optional_flag(body.get("stream"), "stream") is True,
        effort=optional_text(body.get("reasoning_effort"), "reasoning_effort"),
        format=read_format(body.get("response_format"), "response_format"),
        cache_key=optional_text(body.get("prompt_cache_key"), "prompt_cache_key"),
        verbosity=optional_text(body.get("verbosity"), "verbosity"),
    )


def _refuse_the_untranslatable(body: Object) -> None:
    for name in _UNABLE:
        if body.get(name):
            raise untranslatable(name, "a value")
    if body.get("n") not in (None, 1):
        raise untranslatable("n", "more than one choice")
    if body.get("logprobs") is True:
        raise untranslatable("logprobs", "a wish for probabilities")


def _listed(body: Object, field: str) -> list[Any]:
    return optional_list(body.get(field), field)


def _turn(message: Object, field: str) -> Turn:
    role = message.get("role")
    if role == "tool":
        parts = tuple(_content(message.get("content"), f"{field}.content"))
        return Turn(Role.USER, (Result(as_text(message.get("tool_call_id"), f"{field}.tool_call_id"), parts),))
    if not isinstance(role, str) or role not in _ROLES:
        raise wrong(f"{field}.role", "must be 'system', 'developer', 'user', 'assistant' or 'tool'")
    parts = list[Part](_content(message.get("content"), f"{field}.content"))
    if role == "assistant":
        if refusal := message.get("refusal"):
            parts.append(Text(as_text(refusal, f"{field}.refusal")))
        for index, call in enumerate(optional_list(message.get("tool_calls"), f"{field}.tool_calls")):
            place = f"{field}.tool_calls.{index}"
            parts.append(_call(as_object(call, place), place))
    return Turn(_ROLES[role], tuple(parts))


def _content(content: Any, field: str) -> list[Text | Image | Document]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Text(content)]
    return [_part(as_object(p, f"{field}.{i}"), f"{field}.{i}") for i, p in enumerate(as_list(content, field))]


def _part(part: Object, field: str) -> Text | Image | Document:
    match part.get("type"):
        case "text":
            return Text(as_text(part.get("text"), f"{field}.text"))
        case "refusal":
            return Text(as_text(part.get("refusal"), f"{field}.refusal"))
        case "image_url":
            image = as_object(part.get("image_url"), f"{field}.image_url")
            url = as_text(image.get("url"), f"{field}.image_url.url")
            return read_image(url, optional_text(image.get("detail"), f"{field}.image_url.detail"))
        case "file":
            return read_file(as_object(part.get("file"), f"{field}.file"), f"{field}.file")
        case kind:
            raise untranslatable(f"{field}.type", f"a part of the type '{str(kind)[:60]}'")


def read_image(url: str, detail: str | None) -> Image:
    found = split_data_url(url)
    return Image(*found, detail=detail) if found else Image(url=url, detail=detail)


def read_file(file: Object, field: str) -> Document:
    name = optional_text(file.get("filename"), f"{field}.filename") or ""
    if (data := file.get("file_data")) is not None:
        text = as_text(data, f"{field}.file_data")
        media_type, payload = split_data_url(text) or ("application/pdf", text)
        return Document(media_type, payload, name=name)
    if (url := file.get("file_url")) is not None:
        return Document("application/pdf", url=as_text(url, f"{field}.file_url"), name=name)
    raise untranslatable(f"{field}.file_id", "a file that is stored elsewhere")


def _call(call: Object, field: str) -> Call:
    identity = as_text(call.get("id"), f"{field}.id")
    if call.get("type") == "custom":
        custom = as_object(call.get("custom"), f"{field}.custom")
        name = as_text(custom.get("name"), f"{field}.custom.name")
        return Call(identity, name, as_text(custom.get("input"), f"{field}.custom.input"), freeform=True)
    function = as_object(call.get("function"), f"{field}.function")
    arguments = optional_text(function.get("arguments"), f"{field}.function.arguments") or ""
    return Call(identity, as_text(function.get("name"), f"{field}.function.name"), arguments)


def _tool(tool: Object, field: str) -> Tool:
    match tool.get("type"):
        case "function":
            return read_function(as_object(tool.get("function"), f"{field}.function"), f"{field}.function")
        case "custom":
            return read_custom(as_object(tool.get("custom"), f"{field}.custom"), f"{field}.custom")
        case kind:
            raise untranslatable(f"{field}.type", f"a tool of the type '{str(kind)[:60]}'")


def read_function(function: Object, field: str, namespace: str | None = None) -> Tool:
    return Tool(
        as_text(function.get("name"), f"{field}.name"),
        optional_text(function.get("description"), f"{field}.description") or "",
        optional_object(function.get("parameters"), f"{field}.parameters") or {},
        namespace=namespace,
        strict=optional_flag(function.get("strict"), f"{field}.strict"),
    )


def read_custom(custom: Object, field: str, namespace: str | None = None) -> Tool:
    """A freeform tool. Its grammar can't be enforced elsewhere, so it goes along as a description."""
    description = optional_text(custom.get("description"), f"{field}.description") or ""
    grammar = optional_object(custom.get("format"), f"{field}.format") or {}
    # Chat nests what Responses has flat.
    inner = grammar.get("grammar") if isinstance(grammar.get("grammar"), dict) else grammar
    if isinstance(inner, dict) and isinstance(definition := inner.get("definition"), str):
        description = (
            f"{description}\n\nThe input must match this {inner.get('syntax', '')} grammar:\n{definition}".strip()
        )
    name = as_text(custom.get("name"), f"{field}.name")
    return Tool(name, description, namespace=namespace, freeform=True)


def _choice(value: Any) -> Choice | None:
    match value:
        case None:
            return None
        case "auto" | "none":
            return Choice(value)
        case "required":
            return Choice("any")
        case {"type": "function", "function": {"name": str(name)}} | {"type": "custom", "custom": {"name": str(name)}}:
            return Choice("one", name)
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode)}}:
            return Choice("any" if mode == "required" else "auto")
        case _:
            raise wrong("tool_choice", "must be 'auto', 'none', 'required' or name a function")


def _allowed(choice: Any) -> Any:
    match choice:
        case {"type": "allowed_tools", "allowed_tools": {"tools": list(named)}}:
            return [tool.get(tool.get("type")) if isinstance(tool, dict) else tool for tool in named]
        case _:
            return None


def allowed(tools: list[Tool], named: list[Any] | None, field: str) -> list[Tool]:
    """The tools that a choice names, where it narrows them."""
    if named is None:
        return tools
    names = {as_text(as_object(tool, f"{field}.{i}").get("name"), f"{field}.{i}.name") for i, tool in enumerate(named)}
    left = [tool for tool in tools if tool.name in names]
    if not left:
        raise wrong(field, "must name at least one of the tools")
    return left


def _stops(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    return [as_text(stop, "stop") for stop in as_list(value, "stop")]


def read_format(value: Any, field: str) -> Format | None:
    wanted = optional_object(value, field)
    match wanted.get("type") if wanted else None:
        case None | "text":
            return None
        case "json_object":
            return Format(None)
        case "json_schema" if wanted is not None:
            inner = as_object(wanted.get("json_schema"), f"{field}.json_schema")
            return format_of(inner, f"{field}.json_schema")
        case _:
            raise wrong(f"{field}.type", "must be 'text', 'json_object' or 'json_schema'")


def format_of(inner: Object, field: str) -> Format:
    return Format(
        as_object(inner.get("schema"), f"{field}.schema"),
        optional_text(inner.get("name"), f"{field}.name") or "answer",
        optional_flag(inner.get("strict"), f"{field}.strict"),
    )
