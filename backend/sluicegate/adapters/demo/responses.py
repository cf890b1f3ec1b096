"""OpenAI Responses: reading a request, writing an answer or its events. Nothing is stored between calls."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from sluicegate.adapters.demo import tokens
from sluicegate.adapters.demo.chat import check_limits
from sluicegate.adapters.demo.engine import Finish, Plan
from sluicegate.adapters.demo.faults import Fault
from sluicegate.adapters.demo.prompt import Prompt, Tool, Transcript, body_as, items_of, object_of, text_of, within
from sluicegate.adapters.demo.wire import Answer, Frame, effort, named_event, new_id, request_id, stream, whole
from sluicegate.domain.usage import TokenUsage

_Object = dict[str, Any]
_Event = Callable[..., Frame]


class _Body(msgspec.Struct, kw_only=True):
    model: str
    input: str | list[_Object]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    tools: list[_Object] | None = None
    tool_choice: str | _Object | None = None
    parallel_tool_calls: bool | None = None
    text: _Object | None = None
    reasoning: _Object | None = None
    previous_response_id: str | None = None
    metadata: _Object | None = None
    store: bool | None = None
    temperature: float | None = None
    top_p: float | None = None


def read(raw: bytes) -> Prompt:
    body = body_as(raw, _Body)
    check_limits(body.max_output_tokens, None)
    if body.previous_response_id:
        message = f"Previous response with id '{body.previous_response_id}' not found."
        raise Fault(400, message, code="previous_response_not_found", param="previous_response_id")
    transcript = _transcript(body)
    reasoning = body.reasoning or {}
    return Prompt(
        model=body.model,
        ask=transcript.ask,
        result=transcript.result,
        segments=tuple(transcript.segments),
        marked_cache=False,
        tools={tool.name: tool for tool in _tools(body.tools or [])},
        tool_choice=_choice(body.tool_choice),
        parallel_calls=body.parallel_tool_calls is not False,
        limit=body.max_output_tokens,
        stops=(),
        schema=_schema((body.text or {}).get("format")),
        effort=str(reasoning.get("effort") or "medium"),
        stream=bool(body.stream),
        show_reasoning=bool(reasoning.get("summary")),
        echo=_echo(body),
    )


def write(prompt: Prompt, plan: Plan, created: int) -> Answer:
    response = {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": created,
        "model": prompt.model,
        "error": None,
        "incomplete_details": None,
        **prompt.echo,
    }
    items = _items(prompt, plan)
    cut = plan.finish is Finish.LENGTH
    final = {
        **response,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": items,
        "usage": usage_of(plan.usage),
    }
    extra = request_id("x-request-id")
    if prompt.stream:
        return stream(list(_events(response, final, plan)), extra=extra)
    return whole(final, tokens=plan.usage.output, extra=extra)


def usage_of(usage: TokenUsage) -> _Object:
    details = {"cached_tokens": usage.cache_read}
    if written := usage.cache_write_5m + usage.cache_write_1h:
        details["cache_write_tokens"] = written
    return {
        "input_tokens": usage.total_input,
        "input_tokens_details": details,
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total_input + usage.output,
    }


def _transcript(body: _Body) -> Transcript:
    transcript = Transcript()
    for tool in body.tools or []:
        transcript.add("tools", tool)
    if body.instructions:
        transcript.add("developer", body.instructions)
    items: list[_Object] = [{"role": "user", "content": body.input}] if isinstance(body.input, str) else body.input
    for item in items:
        transcript.turn()
        role = str(item.get("role") or item.get("type"))
        transcript.add(role, item.get("content") or item)
        if role == "user":
            transcript.says(text_of(item.get("content")))
        elif role.endswith("_output"):
            transcript.returns(text_of(item.get("output")))
    return transcript


def _tools(tools: list[_Object]) -> Iterator[Tool]:
    for tool in tools:
        match tool.get("type"):
            case "function":
                yield Tool(str(tool.get("name")), object_of(tool.get("parameters")))
            case "custom":
                yield Tool(str(tool.get("name")), {}, freeform=True)
            case "namespace":
                yield from _tools([object_of(inner) for inner in items_of(tool.get("tools"))])
            case _:
                pass


def _choice(choice: str | _Object | None) -> str:
    if isinstance(choice, dict):
        return str(choice.get("name") or "any")
    return "any" if choice == "required" else choice or "auto"


def _schema(wanted: Any) -> _Object | None:
    asked = within(wanted, "type") in ("json_object", "json_schema")
    return object_of(within(wanted, "schema")) if asked else None


def _echo(body: _Body) -> _Object:
    return {
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "metadata": body.metadata or {},
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": None,
        "reasoning": body.reasoning or {"effort": None, "summary": None},
        "store": body.store is not False,
        "temperature": 1.0 if body.temperature is None else body.temperature,
        "text": body.text or {"format": {"type": "text"}},
        "tool_choice": body.tool_choice or "auto",
        "tools": body.tools or [],
        "top_p": 1.0 if body.top_p is None else body.top_p,
        "truncation": "disabled",
    }


def _items(prompt: Prompt, plan: Plan) -> list[_Object]:
    items: list[_Object] = []
    if plan.thoughts:
        items.append(_reasoning(prompt, "".join(plan.thoughts)))
    if plan.pieces:
        status = "incomplete" if plan.finish is Finish.LENGTH else "completed"
        part: _Object = {"type": "output_text", "text": plan.text, "annotations": [], "logprobs": []}
        items.append(
            {"type": "message", "id": new_id("msg_"), "role": "assistant", "status": status, "content": [part]}
        )
    for call in plan.calls:
        base = {"call_id": new_id("call_"), "name": call.name, "status": "completed"}
        tool = prompt.tools.get(call.name)
        if tool is not None and tool.freeform:
            items.append({"type": "custom_tool_call", "id": new_id("ctc_"), **base, "input": call.arguments})
        else:
            items.append({"type": "function_call", "id": new_id("fc_"), **base, "arguments": call.arguments})
    return items


def _reasoning(prompt: Prompt, thinking: str) -> _Object:
    sealed = b64encode(hashlib.sha256(thinking.encode()).digest()).decode()
    summary = [{"type": "summary_text", "text": thinking}] if prompt.show_reasoning else []
    return {"type": "reasoning", "id": new_id("rs_"), "summary": summary, "encrypted_content": sealed}


def _events(response: _Object, final: _Object, plan: Plan) -> Iterator[Frame]:
    number = -1

    def event(kind: str, weight: int = 0, /, **fields: Any) -> Frame:
        nonlocal number
        number += 1
        return named_event(kind, weight, sequence_number=number, **fields)

    started: _Object = {**response, "status": "in_progress", "output": [], "usage": None}
    yield event("response.created", response=started)
    yield event("response.in_progress", response=started)
    for index, item in enumerate(final["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        match item["type"]:
            case "reasoning":
                yield event("response.output_item.added", output_index=index, item={**item, "summary": []})
                yield from _reasoning_events(event, place, item, plan)
            case "message":
                opened: _Object = {**item, "content": [], "status": "in_progress"}
                yield event("response.output_item.added", output_index=index, item=opened)
                yield from _text_events(event, place, item, plan)
            case "custom_tool_call":
                yield event(
                    "response.output_item.added",
                    output_index=index,
                    item={**item, "input": "", "status": "in_progress"},
                )
                yield from _argument_events(event, place, "custom_tool_call_input", "input", item["input"])
            case _:
                opened = {**item, "arguments": "", "status": "in_progress"}
                yield event("response.output_item.added", output_index=index, item=opened)
                yield from _argument_events(event, place, "function_call_arguments", "arguments", item["arguments"])
        yield event("response.output_item.done", output_index=index, item=item)
    yield event(f"response.{final['status']}", response=final)


def _reasoning_events(event: _Event, place: _Object, item: _Object, plan: Plan) -> Iterator[Frame]:
    if not item["summary"]:
        return
    where = {**place, "summary_index": 0}
    yield event("response.reasoning_summary_part.added", **where, part={"type": "summary_text", "text": ""})
    for piece in plan.thoughts:
        yield event("response.reasoning_summary_text.delta", effort(piece), **where, delta=piece)
    yield event("response.reasoning_summary_text.done", **where, text=item["summary"][0]["text"])
    yield event("response.reasoning_summary_part.done", **where, part=item["summary"][0])


def _text_events(event: _Event, place: _Object, item: _Object, plan: Plan) -> Iterator[Frame]:
    where = {**place, "content_index": 0}
    part: _Object = item["content"][0]
    yield event("response.content_part.added", **where, part={**part, "text": ""})
    for piece in plan.pieces:
        yield event("response.output_text.delta", effort(piece), **where, delta=piece, logprobs=[])
    yield event("response.output_text.done", **where, text=part["text"], logprobs=[])
    yield event("response.content_part.done", **where, part=part)


def _argument_events(event: _Event, place: _Object, kind: str, field: str, text: str) -> Iterator[Frame]:
    for piece in tokens.deltas(tokens.split(text)):
        yield event(f"response.{kind}.delta", effort(piece), **place, delta=piece)
    yield event(f"response.{kind}.done", **place, **{field: text})
