"""Google's Gemini API: reading a request, writing an answer or its pieces. The path names the model and the action."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import msgspec

from sluicegate.adapters.demo import tokens
from sluicegate.adapters.demo.engine import Finish, Plan
from sluicegate.adapters.demo.faults import Fault
from sluicegate.adapters.demo.prompt import Prompt, Tool, Transcript, body_as, items_of, object_of, within
from sluicegate.adapters.demo.wire import Answer, data_event, effort, listed, new_id, stream, whole
from sluicegate.domain.usage import TokenUsage

_PATH = re.compile(r"/v1(?:beta)?/models/([^/:]+):(generateContent|streamGenerateContent|countTokens)")
_FINISH_REASONS = {
    Finish.DONE: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.STOP_SEQUENCE: "STOP",
    Finish.TOOL: "STOP",
}
_CHOICES = {"NONE": "none", "ANY": "any"}
_EFFORTS = {0: "none", -1: "medium"}
_Object = dict[str, Any]


class _Content(msgspec.Struct):
    parts: list[_Object]
    role: str = "user"


class _Body(msgspec.Struct, kw_only=True, rename="camel"):
    contents: list[_Content]
    system_instruction: _Content | None = None
    tools: list[_Object] | None = None
    tool_config: _Object | None = None
    generation_config: _Object | None = None


class _Counting(msgspec.Struct, kw_only=True, rename="camel"):
    contents: list[_Content] | None = None
    generate_content_request: _Body | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What the target of a request asks for."""

    model: str
    action: str
    as_events: bool

    def read(self, raw: bytes) -> Prompt:
        body = body_as(raw, _Body)
        settings = body.generation_config or {}
        limit = settings.get("maxOutputTokens")
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise Fault(400, "max_output_tokens must be positive.")
        transcript = _transcript(body)
        thinking = object_of(settings.get("thinkingConfig"))
        return Prompt(
            model=self.model,
            ask=transcript.ask,
            result=transcript.result,
            segments=tuple(transcript.segments),
            marked_cache=False,
            tools={tool.name: tool for tool in _tools(body.tools or [])},
            tool_choice=_choice(within(body.tool_config, "functionCallingConfig")),
            parallel_calls=True,
            limit=limit,
            stops=tuple(map(str, settings.get("stopSequences") or ())),
            schema=_schema(settings),
            effort=_EFFORTS.get(thinking.get("thinkingBudget", -1), "high"),
            stream=self.action == "streamGenerateContent",
            show_reasoning=bool(thinking.get("includeThoughts")),
        )

    def write(self, prompt: Prompt, plan: Plan, _created: int) -> Answer:
        base = {"modelVersion": prompt.model, "responseId": new_id("")}
        if not prompt.stream:
            parts = [part for part, _ in _parts(prompt, _in_one_piece(plan))]
            body = {"candidates": [_candidate(parts, plan)], "usageMetadata": usage_of(plan.usage), **base}
            return whole(body, tokens=plan.usage.output)
        pieces = list(_pieces(base, prompt, plan))
        return stream([data_event(*piece) for piece in pieces]) if self.as_events else listed(pieces)

    def count(self, raw: bytes) -> Answer:
        body = body_as(raw, _Counting)
        asked = body.generate_content_request or _Body(contents=body.contents or [])
        total = tokens.count_input(sum(segment.weight for segment in _transcript(asked).segments))
        return whole({"totalTokens": total})


def call_of(target: str) -> Call | None:
    """None for a target that is none of this API's."""
    path, _, query = target.partition("?")
    match = _PATH.fullmatch(path)
    return Call(unquote(match[1]), match[2], "alt=sse" in query.split("&")) if match else None


def usage_of(usage: TokenUsage) -> _Object:
    """Thoughts are not among the candidates' tokens, and nothing is written to a cache by the way."""
    report = {
        "promptTokenCount": usage.total_input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.total_input + usage.output,
    }
    if usage.cache_read:
        report["cachedContentTokenCount"] = usage.cache_read
    if usage.reasoning:
        report["thoughtsTokenCount"] = usage.reasoning
    return report


def _transcript(body: _Body) -> Transcript:
    if not body.contents:
        raise Fault(400, "* GenerateContentRequest.contents: contents is not specified")
    transcript = Transcript()
    for tool in body.tools or []:
        transcript.add("tools", tool)
    for part in body.system_instruction.parts if body.system_instruction else []:
        transcript.add("system", part)
    for content in body.contents:
        transcript.turn()
        for part in content.parts:
            transcript.add(content.role, part)
            if returned := part.get("functionResponse"):
                transcript.returns(_result(object_of(returned).get("response")))
            elif content.role != "model" and isinstance(part.get("text"), str):
                transcript.says(part["text"])
    return transcript


def _result(response: Any) -> str:
    values = list(object_of(response).values())
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return msgspec.json.encode(response).decode()


def _tools(tools: list[_Object]) -> Iterator[Tool]:
    for tool in tools:
        declared: list[Any] = tool.get("functionDeclarations") or []
        for one in map(object_of, declared):
            yield Tool(
                str(one.get("name")), object_of(one.get("parametersJsonSchema") or _lowered(one.get("parameters")))
            )


def _lowered(schema: Any) -> Any:
    """Types are written in capitals in this API's own schemas."""
    if isinstance(schema, dict):
        known = object_of(schema)
        return {
            name: value.lower() if name == "type" and isinstance(value, str) else _lowered(value)
            for name, value in known.items()
        }
    return [_lowered(one) for one in items_of(schema)] if isinstance(schema, list) else schema


def _choice(config: Any) -> str:
    allowed = object_of(config).get("allowedFunctionNames")
    choice = _CHOICES.get(str(object_of(config).get("mode")), "auto")
    return str(allowed[0]) if choice == "any" and allowed else choice


def _schema(settings: _Object) -> _Object | None:
    if settings.get("responseMimeType") != "application/json":
        return None
    return object_of(settings.get("responseJsonSchema") or _lowered(settings.get("responseSchema")))


def _parts(prompt: Prompt, plan: Plan) -> Iterator[tuple[_Object, int]]:
    """Each part of the answer as a stream carries it, with the effort that it stands for."""
    for piece in plan.thoughts if prompt.show_reasoning else ():
        yield {"text": piece, "thought": True}, effort(piece)
    for piece in plan.pieces:
        yield {"text": piece}, effort(piece)
    for call in plan.calls:
        arguments = msgspec.Raw(call.arguments.encode())
        yield {"functionCall": {"name": call.name, "args": arguments}}, tokens.count_output(call.arguments)


def _in_one_piece(plan: Plan) -> Plan:
    thoughts, text = "".join(plan.thoughts), plan.text
    return replace(plan, thoughts=(thoughts,) if thoughts else (), pieces=(text,) if text else ())


def _candidate(parts: list[_Object], plan: Plan | None = None) -> _Object:
    candidate: _Object = {"content": {"parts": parts, "role": "model"}, "index": 0}
    return {**candidate, "finishReason": _FINISH_REASONS[plan.finish]} if plan else candidate


def _pieces(base: _Object, prompt: Prompt, plan: Plan) -> Iterator[tuple[_Object, int]]:
    """Every piece tells the usage so far; the last one has the whole, and why it ended."""
    parts = list(_parts(prompt, plan))
    so_far = usage_of(TokenUsage(input=plan.usage.total_input))
    for part, weight in parts[:-1]:
        yield {"candidates": [_candidate([part])], "usageMetadata": so_far, **base}, weight
    last = [part for part, _ in parts[-1:]]
    body = {"candidates": [_candidate(last, plan)], "usageMetadata": usage_of(plan.usage), **base}
    yield body, sum(weight for _, weight in parts[-1:])
