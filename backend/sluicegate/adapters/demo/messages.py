"""Anthropic Messages: reading a request, writing an answer or its events."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import msgspec

from sluicegate.adapters.demo import tokens
from sluicegate.adapters.demo.engine import Finish, Plan
from sluicegate.adapters.demo.faults import Fault
from sluicegate.adapters.demo.prompt import CacheMark, Prompt, Tool, Transcript, body_as, object_of, text_of, within
from sluicegate.adapters.demo.wire import Answer, Frame, effort, named_event, new_id, request_id, stream, whole
from sluicegate.domain.usage import TokenUsage

_MAX_MARKS = 4
_STOP_REASONS = {
    Finish.DONE: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.TOOL: "tool_use",
}
_Block = dict[str, Any]


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Countable(msgspec.Struct, kw_only=True):
    model: str
    messages: list[_Message]
    system: str | list[_Block] | None = None
    tools: list[_Block] | None = None
    cache_control: _Block | None = None


class _Body(_Countable, kw_only=True):
    max_tokens: int
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    tool_choice: _Block | None = None
    thinking: _Block | None = None
    output_config: _Block | None = None


def read(raw: bytes) -> Prompt:
    body = body_as(raw, _Body)
    if body.max_tokens < 1:
        raise Fault(400, "max_tokens: Input should be greater than or equal to 1")
    transcript = _transcript(body)
    output = body.output_config or {}
    choice = body.tool_choice or {}
    thinks = (body.thinking or {}).get("type") in ("enabled", "adaptive")
    return Prompt(
        model=body.model,
        ask=transcript.ask,
        result=transcript.result,
        segments=tuple(transcript.segments),
        marked_cache=True,
        tools=_tools(body.tools or []),
        tool_choice=str(choice.get("name") or choice.get("type") or "auto"),
        parallel_calls=not choice.get("disable_parallel_tool_use"),
        limit=body.max_tokens,
        stops=tuple(body.stop_sequences or ()),
        schema=_schema(output.get("format")),
        effort=str(output.get("effort") or "high") if thinks else "none",
        stream=bool(body.stream),
        show_reasoning=True,
    )


def count(raw: bytes) -> Answer:
    segments = _transcript(body_as(raw, _Countable)).segments
    total = tokens.count_input(sum(segment.weight for segment in segments))
    return whole({"input_tokens": total}, extra=request_id("request-id"))


def write(prompt: Prompt, plan: Plan, _created: int) -> Answer:
    """Unlike the other dialects, Messages tell no time."""
    message = {"id": new_id("msg_"), "type": "message", "role": "assistant", "model": prompt.model}
    ending = {"stop_reason": _STOP_REASONS[plan.finish], "stop_sequence": plan.stop_sequence}
    blocks = _blocks(plan)
    extra = request_id("request-id")
    if prompt.stream:
        return stream(list(_events(message, ending, blocks, plan)), extra=extra)
    body = {**message, "content": [block for block, _ in blocks], **ending, "usage": _usage(plan.usage)}
    return whole(body, tokens=plan.usage.output, extra=extra)


def _transcript(body: _Countable) -> Transcript:
    if not body.messages:
        raise Fault(400, "messages: at least one message is required")
    transcript = Transcript()
    for tool in body.tools or []:
        _add(transcript, "tools", tool)
    for block in _as_blocks(body.system or []):
        _add(transcript, "system", block)
    for message in body.messages:
        transcript.turn()
        for block in _as_blocks(message.content):
            _add(transcript, message.role, block)
            if message.role == "user" and block.get("type") == "text":
                transcript.says(text_of(block))
            elif block.get("type") == "tool_result":
                transcript.returns(text_of(block.get("content")))
    if body.cache_control and transcript.segments:
        transcript.mark_last(_mark(body.cache_control))
    marks = sum(segment.mark is not None for segment in transcript.segments)
    if marks > _MAX_MARKS:
        raise Fault(400, f"A maximum of {_MAX_MARKS} blocks with cache_control may be provided. Found {marks}.")
    return transcript


def _as_blocks(content: str | list[_Block]) -> list[_Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _add(transcript: Transcript, role: str, block: _Block) -> None:
    # The mark moves along from call to call and must not change what the prefix is.
    control = block.get("cache_control")
    plain = {name: value for name, value in block.items() if name != "cache_control"}
    transcript.add(role, plain, _mark(object_of(control)) if control else None)


def _mark(control: _Block) -> CacheMark:
    return "1h" if control.get("ttl") == "1h" else "5m"


def _tools(tools: list[_Block]) -> dict[str, Tool]:
    return {str(tool.get("name")): Tool(str(tool.get("name")), object_of(tool.get("input_schema"))) for tool in tools}


def _schema(wanted: Any) -> _Block | None:
    return object_of(within(wanted, "schema")) if within(wanted, "type") == "json_schema" else None


def _usage(usage: TokenUsage) -> _Block:
    report: _Block = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "service_tier": "standard",
    }
    if usage.reasoning:
        report["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return report


def _blocks(plan: Plan) -> list[tuple[_Block, list[tuple[_Block, int]]]]:
    """Each finished block with the deltas that make it."""
    blocks: list[tuple[_Block, list[tuple[_Block, int]]]] = []
    if plan.thoughts:
        thinking = "".join(plan.thoughts)
        signature = b64encode(hashlib.sha256(thinking.encode()).digest()).decode()
        steps = [({"type": "thinking_delta", "thinking": piece}, effort(piece)) for piece in plan.thoughts]
        steps.append(({"type": "signature_delta", "signature": signature}, 0))
        blocks.append(({"type": "thinking", "thinking": thinking, "signature": signature}, steps))
    if plan.pieces:
        steps = [({"type": "text_delta", "text": piece}, effort(piece)) for piece in plan.pieces]
        blocks.append(({"type": "text", "text": plan.text}, steps))
    for call in plan.calls:
        block = {
            "type": "tool_use",
            "id": new_id("toolu_"),
            "name": call.name,
            "input": msgspec.Raw(call.arguments.encode()),
        }
        parts = tokens.deltas(tokens.split(call.arguments))
        steps = [({"type": "input_json_delta", "partial_json": part}, effort(part)) for part in parts]
        blocks.append((block, steps))
    return blocks


_EMPTY: _Block = {"text": "", "thinking": "", "signature": "", "input": {}}


def _events(
    message: _Block, ending: _Block, blocks: list[tuple[_Block, list[tuple[_Block, int]]]], plan: Plan
) -> Iterator[Frame]:
    first = {**_usage(plan.usage), "output_tokens": 1}
    first.pop("output_tokens_details", None)
    start: _Block = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": first}
    yield named_event("message_start", message=start)
    yield named_event("ping")
    for index, (block, steps) in enumerate(blocks):
        opened = {name: _EMPTY.get(name, value) for name, value in block.items()}
        yield named_event("content_block_start", index=index, content_block=opened)
        for delta, weight in steps:
            yield named_event("content_block_delta", weight, index=index, delta=delta)
        yield named_event("content_block_stop", index=index)
    # The usage here is cumulative: it repeats the input side and replaces the output side.
    final = {
        name: value for name, value in _usage(plan.usage).items() if name not in ("cache_creation", "service_tier")
    }
    yield named_event("message_delta", delta=ending, usage=final)
    yield named_event("message_stop")
