"""A Messages request in the neutral form."""

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
    Thought,
    Tool,
    Turn,
)
from sluicegate.gateway.translate.json_text import dumped

# Claude Code's first system block: accounting for its own provider, of no use to another one.
_BILLING = "x-anthropic-billing-header:"
# What the provider's own tools left in the conversation; whoever answers now cannot use it.
_SERVER_BLOCKS = ("server_tool_use", "redacted_thinking", "web_search_tool_result", "web_fetch_tool_result")
_SERVER_RESULT = "_tool_result"
_CHOICES = {"auto": "auto", "any": "any", "none": "none", "tool": "one"}
# Budgets in tokens up to which thinking counts as little or as middling effort.
_LOW, _MEDIUM = 4_096, 16_384


def read_request(body: Object) -> Ask:
    """Raises Refusal `invalid_request` that names the field."""
    turns = [*_system(body.get("system"))]
    for index, message in enumerate(as_list(body.get("messages"), "messages")):
        turns.append(_turn(as_object(message, f"messages.{index}"), f"messages.{index}"))
    choice = optional_object(body.get("tool_choice"), "tool_choice")
    output = optional_object(body.get("output_config"), "output_config") or {}
    return Ask(
        turns=turns,
        tools=_tools(optional_list(body.get("tools"), "tools")),
        choice=_choice(choice),
        parallel=_parallel(choice),
        max_tokens=optional_count(body.get("max_tokens"), "max_tokens"),
        temperature=optional_number(body.get("temperature"), "temperature"),
        top_p=optional_number(body.get("top_p"), "top_p"),
        top_k=optional_count(body.get("top_k"), "top_k"),
        stop=[as_text(s, "stop_sequences") for s in optional_list(body.get("stop_sequences"), "stop_sequences")],
        stream=optional_flag(body.get("stream"), "stream") is True,
        effort=_effort(body, output),
        format=_format(output.get("format")),
    )


def _system(value: Any) -> list[Turn]:
    if value is None:
        return []
    if isinstance(value, str):
        return [Turn(Role.SYSTEM, (Text(value),))] if value else []
    texts: list[Part] = []
    for index, block in enumerate(as_list(value, "system")):
        text = as_text(as_object(block, f"system.{index}").get("text"), f"system.{index}.text")
        if text and not text.startswith(_BILLING):
            texts.append(Text(text))
    return [Turn(Role.SYSTEM, tuple(texts))] if texts else []


def _turn(message: Object, field: str) -> Turn:
    match message.get("role"):
        case "user":
            role = Role.USER
        case "assistant":
            role = Role.ASSISTANT
        case "system":
            role = Role.SYSTEM
        case _:
            raise wrong(f"{field}.role", "must be 'user', 'assistant' or 'system'")
    content = message.get("content")
    if isinstance(content, str):
        return Turn(role, (Text(content),) if content else ())
    parts: list[Part] = []
    for index, block in enumerate(as_list(content, f"{field}.content")):
        place = f"{field}.content.{index}"
        parts += _parts(as_object(block, place), place)
    return Turn(role, tuple(parts))


def _parts(block: Object, field: str) -> list[Part]:
    kind = block.get("type")
    match kind:
        case "tool_use":
            arguments = dumped(optional_object(block.get("input"), f"{field}.input") or {})
            identity = as_text(block.get("id"), f"{field}.id")
            return [Call(identity, as_text(block.get("name"), f"{field}.name"), arguments)]
        case "tool_result":
            return [_result(block, field)]
        case "thinking":
            return [Thought(as_text(block.get("thinking"), f"{field}.thinking"))]
        case str() if kind in _SERVER_BLOCKS or kind.endswith(_SERVER_RESULT):
            return []
        case _:
            part = _content(block, field)
            return [part] if part is not None else []


def _content(block: Object, field: str) -> Text | Image | Document | None:
    match block.get("type"):
        case "text":
            text = as_text(block.get("text"), f"{field}.text")
            return Text(text) if text else None
        case "image":
            return _image(as_object(block.get("source"), f"{field}.source"), f"{field}.source")
        case "document":
            return _document(block, field)
        case "search_result":
            return Text(dumped({name: block.get(name) for name in ("title", "source", "content")}))
        case "tool_reference":
            return Text(f"The tool '{block.get('tool_name')}' is available now.")
        case kind:
            raise untranslatable(f"{field}.type", f"a block of the type '{str(kind)[:60]}'")


def _image(source: Object, field: str) -> Image:
    match source.get("type"):
        case "base64":
            media_type = as_text(source.get("media_type"), f"{field}.media_type")
            return Image(media_type, as_text(source.get("data"), f"{field}.data"))
        case "url":
            return Image(url=as_text(source.get("url"), f"{field}.url"))
        case kind:
            raise untranslatable(f"{field}.type", f"an image source of the type '{str(kind)[:60]}'")


def _document(block: Object, field: str) -> Text | Document:
    source, place = as_object(block.get("source"), f"{field}.source"), f"{field}.source"
    name = optional_text(block.get("title"), f"{field}.title") or "document"
    match source.get("type"):
        case "base64":
            media_type = as_text(source.get("media_type"), f"{place}.media_type")
            return Document(media_type, as_text(source.get("data"), f"{place}.data"), name=name)
        case "text":
            return Document("text/plain", text=as_text(source.get("data"), f"{place}.data"), name=name)
        case "url":
            return Document("application/pdf", url=as_text(source.get("url"), f"{place}.url"), name=name)
        case "content" if isinstance(source.get("content"), str):
            return Document("text/plain", text=source["content"], name=name)
        case kind:
            raise untranslatable(f"{place}.type", f"a document source of the type '{str(kind)[:60]}'")


def _result(block: Object, field: str) -> Result:
    content, parts = block.get("content"), list[Text | Image | Document]()
    if isinstance(content, str):
        parts.append(Text(content))
    else:
        for index, inner in enumerate(optional_list(content, f"{field}.content")):
            place = f"{field}.content.{index}"
            part = _content(as_object(inner, place), place)
            if part is not None:
                parts.append(part)
    failed = optional_flag(block.get("is_error"), f"{field}.is_error") is True
    return Result(as_text(block.get("tool_use_id"), f"{field}.tool_use_id"), tuple(parts), failed)


def _tools(values: list[Any]) -> list[Tool]:
    tools: list[Tool] = []
    for index, value in enumerate(values):
        field = f"tools.{index}"
        tool = as_object(value, field)
        # Any other type names a tool that Anthropic itself defines or runs.
        if tool.get("type") in (None, "custom"):
            schema = optional_object(tool.get("input_schema"), f"{field}.input_schema") or {}
            description = optional_text(tool.get("description"), f"{field}.description") or ""
            strict = optional_flag(tool.get("strict"), f"{field}.strict")
            tools.append(Tool(as_text(tool.get("name"), f"{field}.name"), description, schema, strict=strict))
    return tools


def _choice(choice: Object | None) -> Choice | None:
    if choice is None:
        return None
    kind = choice.get("type")
    match _CHOICES.get(kind) if isinstance(kind, str) else None:
        case "auto":
            return Choice("auto")
        case "any":
            return Choice("any")
        case "none":
            return Choice("none")
        case "one":
            return Choice("one", as_text(choice.get("name"), "tool_choice.name"))
        case _:
            raise wrong("tool_choice.type", "must be 'auto', 'any', 'none' or 'tool'")


def _parallel(choice: Object | None) -> bool | None:
    return False if choice is not None and choice.get("disable_parallel_tool_use") is True else None


def _effort(body: Object, output: Object) -> str | None:
    effort = output.get("effort")
    if isinstance(effort, str):
        return {"max": "high", "xhigh": "high"}.get(effort, effort)
    thinking = optional_object(body.get("thinking"), "thinking") or {}
    budget = thinking.get("budget_tokens")
    if thinking.get("type") != "enabled" or type(budget) is not int:
        return None
    return "low" if budget <= _LOW else "medium" if budget <= _MEDIUM else "high"


def _format(value: Any) -> Format | None:
    wanted = optional_object(value, "output_config.format")
    if wanted is None:
        return None
    if wanted.get("type") != "json_schema":
        raise wrong("output_config.format.type", "must be 'json_schema'")
    return Format(as_object(wanted.get("schema"), "output_config.format.schema"))
