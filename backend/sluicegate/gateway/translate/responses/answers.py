"""A whole Responses answer to and from the neutral form."""

from __future__ import annotations

from typing import Any

from sluicegate.gateway.dialects.responses import reading_of
from sluicegate.gateway.translate.form import Answer, Ask, Call, Object, Reply, Stop, Text, Thought
from sluicegate.gateway.translate.ids import new_id
from sluicegate.gateway.translate.usage import responses_usage

_INCOMPLETE = {Stop.LENGTH: "max_output_tokens", Stop.REFUSAL: "content_filter"}


def read_answer(body: Object) -> Answer | None:
    """None when it is no answer, or one that has failed."""
    output = body.get("output")
    if not isinstance(output, list) or body.get("status") == "failed":
        return None
    parts = [part for item in output for part in _parts(item)]
    return Answer(parts, stop_of(body, called=any(isinstance(p, Call) for p in parts)), reading_of(body.get("usage")))


def stop_of(body: Object, *, called: bool) -> Stop:
    if body.get("status") == "incomplete":
        details = body.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return Stop.REFUSAL if reason == "content_filter" else Stop.LENGTH
    return Stop.TOOL if called else Stop.END


def _parts(item: Any) -> list[Text | Thought | Call]:
    match item:
        case {"type": "message", "content": list(content)}:
            return [Text(text) for part in content if (text := _text(part))]
        case {"type": "reasoning"}:
            return [Thought(text) for name in ("summary", "content") for text in _thoughts(item.get(name))]
        case {"type": "function_call", "call_id": str(identity), "name": str(name)}:
            return [Call(identity, name, str(item.get("arguments") or "{}"))]
        case _:
            return []


def _text(part: Any) -> str:
    match part:
        case {"type": "output_text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            return text
        case _:
            return ""


def _thoughts(value: Any) -> list[str]:
    if not isinstance(value, list):
        return []
    return [part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str)]


def write_answer(answer: Answer, reply: Reply) -> Object:
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Thought))
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    items: list[Object] = [reasoning_item(new_id("rs_"), thoughts)] if thoughts else []
    if text:
        items.append(message_item(new_id("msg_"), text))
    items += [call_item(part) for part in answer.parts if isinstance(part, Call)]
    usage, _ = answer.reading.completed(reply.input_estimate, answer.size)
    return opened(reply) | ending(answer.stop) | {"output": items, "usage": responses_usage(usage)}


def opened(reply: Reply) -> Object:
    """An answer that has begun."""
    ask = reply.ask
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": reply.created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": reply.model,
        "output": [],
        "usage": None,
        "instructions": None,
        "metadata": {},
        "store": False,
        "previous_response_id": None,
        "parallel_tool_calls": ask.parallel is not False,
        "tool_choice": _choice(ask),
        "tools": [],
        "temperature": ask.temperature,
        "top_p": ask.top_p,
        "max_output_tokens": ask.max_tokens,
        "reasoning": {"effort": ask.effort, "summary": None},
        "text": {"format": {"type": "text"}},
        "truncation": "disabled",
    }


def _choice(ask: Ask) -> str:
    return "required" if ask.choice and ask.choice.mode in ("any", "one") else ask.choice.mode if ask.choice else "auto"


def ending(stop: Stop) -> Object:
    reason = _INCOMPLETE.get(stop)
    if reason is None:
        return {"status": "completed"}
    return {"status": "incomplete", "incomplete_details": {"reason": reason}}


def reasoning_item(identity: str, thoughts: str) -> Object:
    return {"type": "reasoning", "id": identity, "summary": [{"type": "summary_text", "text": thoughts}]}


def message_item(identity: str, text: str, status: str = "completed") -> Object:
    return {"type": "message", "id": identity, "status": status, "role": "assistant", "content": [text_part(text)]}


def text_part(text: str) -> Object:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(call: Call, status: str = "completed") -> Object:
    """A call as an item; an empty one when it has just begun."""
    named: Object = {"status": status, "call_id": call.id, "name": call.name}
    if call.namespace is not None:
        named["namespace"] = call.namespace
    if call.freeform:
        return {"type": "custom_tool_call", "id": new_id("ctc_"), **named, "input": call.arguments}
    return {"type": "function_call", "id": new_id("fc_"), **named, "arguments": call.arguments}
