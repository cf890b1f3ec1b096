"""OpenAI Chat Completions: reading a request, writing an answer or its chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from sluicegate.adapters.demo import tokens
from sluicegate.adapters.demo.engine import Finish, Plan
from sluicegate.adapters.demo.faults import Fault
from sluicegate.adapters.demo.prompt import Prompt, Tool, Transcript, body_as, object_of, text_of, within
from sluicegate.adapters.demo.wire import DONE, Answer, Frame, data_event, effort, new_id, request_id, stream, whole
from sluicegate.domain.usage import TokenUsage

FINISH_REASONS = {
    Finish.DONE: "stop",
    Finish.LENGTH: "length",
    Finish.STOP_SEQUENCE: "stop",
    Finish.TOOL: "tool_calls",
}
_Object = dict[str, Any]


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Object] | None = None
    tool_calls: list[_Object] | None = None


class _Body(msgspec.Struct, kw_only=True):
    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _Object | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    tools: list[_Object] | None = None
    tool_choice: str | _Object | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Object | None = None
    reasoning_effort: str | None = None


def read(raw: bytes) -> Prompt:
    body = body_as(raw, _Body)
    if not body.messages:
        raise Fault(400, "[] is too short - 'messages'", param="messages")
    limit = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
    check_limits(limit, body.n)
    transcript = _transcript(body)
    return Prompt(
        model=body.model,
        ask=transcript.ask,
        result=transcript.result,
        segments=tuple(transcript.segments),
        marked_cache=False,
        tools=_tools(body.tools or []),
        tool_choice=_choice(body.tool_choice),
        parallel_calls=body.parallel_tool_calls is not False,
        limit=limit,
        stops=stops_of(body.stop),
        schema=_schema(body.response_format),
        effort=body.reasoning_effort or "medium",
        stream=bool(body.stream),
        include_usage=bool((body.stream_options or {}).get("include_usage")),
    )


def write(prompt: Prompt, plan: Plan, created: int) -> Answer:
    base = {"id": new_id("chatcmpl-"), "created": created, "model": prompt.model}
    extra = request_id("x-request-id")
    if prompt.stream:
        return stream(list(_chunks({**base, "object": "chat.completion.chunk"}, prompt, plan)), extra=extra)
    message: _Object = {"role": "assistant", "content": None if plan.calls else plan.text, "refusal": None}
    if plan.calls:
        message["tool_calls"] = _calls(plan)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH_REASONS[plan.finish]}
    body = {**base, "object": "chat.completion", "choices": [choice], "usage": usage_of(plan.usage)}
    return whole(body, tokens=plan.usage.output, extra=extra)


def usage_of(usage: TokenUsage) -> _Object:
    """Totals include their details, unlike in Messages."""
    details = {"cached_tokens": usage.cache_read}
    if written := usage.cache_write_5m + usage.cache_write_1h:
        details["cache_write_tokens"] = written
    return {
        "prompt_tokens": usage.total_input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total_input + usage.output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def check_limits(limit: int | None, n: int | None) -> None:
    if limit is not None and limit < 1:
        raise Fault(400, f"Invalid value: integer below minimum value. Expected a value >= 1, but got {limit} instead.")
    if n not in (None, 1):
        raise Fault(400, "The demo provider gives one choice for each call: n must be 1.", param="n")


def stops_of(stop: str | list[str] | None) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def _transcript(body: _Body) -> Transcript:
    transcript = Transcript()
    for tool in body.tools or []:
        transcript.add("tools", tool)
    for message in body.messages:
        transcript.turn()
        transcript.add(message.role, message.content if message.content is not None else "")
        if message.tool_calls:
            transcript.add(message.role, message.tool_calls)
        if message.role == "user":
            transcript.says(text_of(message.content))
        elif message.role == "tool":
            transcript.returns(text_of(message.content))
    return transcript


def _tools(tools: list[_Object]) -> dict[str, Tool]:
    functions = [object_of(tool.get("function")) for tool in tools]
    return {
        str(one["name"]): Tool(str(one["name"]), object_of(one.get("parameters"))) for one in functions if "name" in one
    }


def _choice(choice: str | _Object | None) -> str:
    if isinstance(choice, dict):
        return str(within(choice, "function", "name") or "any")
    return "any" if choice == "required" else choice or "auto"


def _schema(wanted: _Object | None) -> _Object | None:
    if within(wanted, "type") not in ("json_object", "json_schema"):
        return None
    return object_of(within(wanted, "json_schema", "schema"))


def _calls(plan: Plan) -> list[_Object]:
    return [
        {"id": new_id("call_"), "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in plan.calls
    ]


def _chunks(base: _Object, prompt: Prompt, plan: Plan) -> Iterator[Frame]:
    def chunk(delta: _Object, weight: int = 0, finish: str | None = None) -> Frame:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if prompt.include_usage else {}
        return data_event({**base, "choices": [choice], **usage}, weight)

    # Hidden thoughts only take time: nothing of them is on this wire but their count.
    thinking = sum(map(effort, plan.thoughts))
    yield chunk({"role": "assistant", "content": None if plan.calls else "", "refusal": None}, thinking)
    for piece in plan.pieces:
        yield chunk({"content": piece}, effort(piece))
    for index, call in enumerate(_calls(plan)):
        function: _Object = call["function"]
        yield chunk({"tool_calls": [{"index": index, **call, "function": {**function, "arguments": ""}}]})
        for part in tokens.deltas(tokens.split(function["arguments"])):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]}, effort(part))
    yield chunk({}, finish=FINISH_REASONS[plan.finish])
    if prompt.include_usage:
        yield data_event({**base, "choices": [], "usage": usage_of(plan.usage)})
    yield DONE
