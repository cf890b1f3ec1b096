"""A whole Messages answer to and from the neutral form."""

from __future__ import annotations

from typing import Any

from sluicegate.gateway.dialects.messages import reading_of
from sluicegate.gateway.translate.form import Answer, Call, Object, Reply, Stop, Text, Thought
from sluicegate.gateway.translate.ids import new_id
from sluicegate.gateway.translate.json_text import arguments_object, dumped, wrapped
from sluicegate.gateway.translate.usage import messages_usage

STOPS = {
    "end_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "tool_use": Stop.TOOL,
    "stop_sequence": Stop.SEQUENCE,
    "refusal": Stop.REFUSAL,
    "pause_turn": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
}
REASONS = {
    Stop.END: "end_turn",
    Stop.LENGTH: "max_tokens",
    Stop.TOOL: "tool_use",
    Stop.SEQUENCE: "stop_sequence",
    Stop.REFUSAL: "refusal",
}


def read_answer(body: Object) -> Answer | None:
    """None when it is no answer."""
    content = body.get("content")
    if not isinstance(content, list):
        return None
    parts = [part for block in content if (part := _part(block)) is not None]
    sequence = body.get("stop_sequence")
    return Answer(
        parts,
        STOPS.get(str(body.get("stop_reason")), Stop.END),
        reading_of(body.get("usage"), ended=True),
        sequence if isinstance(sequence, str) else None,
    )


def _part(block: Any) -> Text | Thought | Call | None:
    match block:
        case {"type": "text", "text": str(text)} if text:
            return Text(text)
        case {"type": "thinking", "thinking": str(thought)} if thought:
            return Thought(thought)
        case {"type": "tool_use", "id": str(identity), "name": str(name)}:
            return Call(identity, name, dumped(block.get("input") or {}))
        case _:
            return None


def write_answer(answer: Answer, reply: Reply) -> Object:
    """Thoughts are left out: a block of them without its provider's signature would be refused when it comes back."""
    content = [block for part in answer.parts if (block := _block(part)) is not None]
    usage, _ = answer.reading.completed(reply.input_estimate, answer.size)
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": REASONS[answer.stop],
        "stop_sequence": answer.stop_sequence,
        "usage": messages_usage(usage),
    }


def _block(part: Text | Thought | Call) -> Object | None:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Call():
            arguments = wrapped(part.arguments) if part.freeform else part.arguments
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments_object(arguments)}
        case Thought():
            return None
