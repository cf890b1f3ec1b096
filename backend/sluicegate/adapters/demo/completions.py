"""OpenAI's older Completions, which editors still use to fill in at the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from sluicegate.adapters.demo.chat import FINISH_REASONS, check_limits, stops_of, usage_of
from sluicegate.adapters.demo.engine import Plan
from sluicegate.adapters.demo.faults import Fault
from sluicegate.adapters.demo.prompt import Prompt, Transcript, body_as
from sluicegate.adapters.demo.wire import DONE, Answer, Frame, data_event, effort, new_id, request_id, stream, whole

# What real providers take when a caller names no limit.
_DEFAULT_LIMIT = 16


class _Body(msgspec.Struct, kw_only=True):
    model: str
    prompt: str | list[str | int]
    suffix: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None


def read(raw: bytes) -> Prompt:
    body = body_as(raw, _Body)
    check_limits(body.max_tokens, body.n)
    transcript = Transcript()
    text = _text(body.prompt)
    transcript.says(text)
    transcript.add("prompt", body.prompt if isinstance(body.prompt, str) else text)
    transcript.add("suffix", body.suffix or "")
    return Prompt(
        model=body.model,
        ask=transcript.ask,
        result=None,
        segments=tuple(transcript.segments),
        marked_cache=False,
        tools={},
        tool_choice="none",
        parallel_calls=False,
        limit=body.max_tokens or _DEFAULT_LIMIT,
        stops=stops_of(body.stop),
        schema=None,
        effort="none",
        stream=bool(body.stream),
        include_usage=bool((body.stream_options or {}).get("include_usage")),
    )


def write(prompt: Prompt, plan: Plan, created: int) -> Answer:
    base = {"id": new_id("cmpl-"), "object": "text_completion", "created": created, "model": prompt.model}
    extra = request_id("x-request-id")
    if prompt.stream:
        return stream(list(_chunks(base, prompt, plan)), extra=extra)
    choice = _choice(plan.text, FINISH_REASONS[plan.finish])
    return whole({**base, "choices": [choice], "usage": usage_of(plan.usage)}, tokens=plan.usage.output, extra=extra)


def _text(prompt: str | list[str | int]) -> str:
    if isinstance(prompt, str):
        return prompt
    words = [part for part in prompt if isinstance(part, str)]
    if len(words) > 1:
        raise Fault(400, "The demo provider completes one prompt for each call.", param="prompt")
    # A list of numbers is a prompt in token ids, which mean nothing here beyond their count.
    return words[0] if words else " ".join(map(str, prompt))


def _choice(text: str, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}


def _chunks(base: dict[str, Any], prompt: Prompt, plan: Plan) -> Iterator[Frame]:
    usage = {"usage": None} if prompt.include_usage else {}
    for piece in plan.pieces:
        yield data_event({**base, "choices": [_choice(piece, None)], **usage}, effort(piece))
    yield data_event({**base, "choices": [_choice("", FINISH_REASONS[plan.finish])], **usage})
    if prompt.include_usage:
        yield data_event({**base, "choices": [], "usage": usage_of(plan.usage)})
    yield DONE
