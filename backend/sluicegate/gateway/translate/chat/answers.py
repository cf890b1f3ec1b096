"""A whole Chat Completions answer to and from the neutral form."""

from __future__ import annotations

from typing import Any

from sluicegate.gateway.dialects.chat import reading_of
from sluicegate.gateway.translate.form import Answer, Call, Object, Reply, Stop, Text, Thought
from sluicegate.gateway.translate.ids import new_id
from sluicegate.gateway.translate.usage import chat_usage

STOPS = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "tool_calls": Stop.TOOL,
    "function_call": Stop.TOOL,
    "content_filter": Stop.REFUSAL,
}
REASONS = {
    Stop.END: "stop",
    Stop.LENGTH: "length",
    Stop.TOOL: "tool_calls",
    Stop.SEQUENCE: "stop",
    Stop.REFUSAL: "content_filter",
}


def read_answer(body: Object) -> Answer | None:
    """None when it is no answer."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    choice: Object = choices[0]
    message = choice.get("message")
    if message is None and choice.get("finish_reason") == "content_filter":
        # Azure leaves it out where its filter took all of it; the call is charged for all the same.
        message = {}
    if not isinstance(message, dict):
        return None
    parts: list[Text | Thought | Call] = []
    for name in ("reasoning_content", "reasoning"):
        if isinstance(thought := message.get(name), str) and thought:
            parts.append(Thought(thought))
            break
    parts += _texts(message.get("content"))
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        parts.append(Text(refusal))
    calls = message.get("tool_calls")
    parts += [call for value in calls if (call := _call(value))] if isinstance(calls, list) else []
    stop = STOPS.get(str(choice.get("finish_reason")), Stop.END)
    if stop is Stop.END and any(isinstance(part, Call) for part in parts):
        stop = Stop.TOOL
    return Answer(parts, stop, reading_of(body.get("usage")))


def _texts(content: Any) -> list[Text]:
    if isinstance(content, str):
        return [Text(content)] if content else []
    found = content if isinstance(content, list) else []
    return [Text(part["text"]) for part in found if isinstance(part, dict) and isinstance(part.get("text"), str)]


def _call(value: Any) -> Call | None:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments")
    identity = value.get("id")
    return Call(
        identity if isinstance(identity, str) and identity else new_id("call_"),
        function["name"],
        arguments if isinstance(arguments, str) and arguments else "{}",
    )


def write_answer(answer: Answer, reply: Reply) -> Object:
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Thought))
    calls = [written_call(part) for part in answer.parts if isinstance(part, Call)]
    message: Object = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
    if thoughts:
        message["reasoning_content"] = thoughts
    if calls:
        message["tool_calls"] = calls
    usage, _ = answer.reading.completed(reply.input_estimate, answer.size)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": REASONS[answer.stop]}
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [choice],
        "usage": chat_usage(usage),
    }


def written_call(part: Call) -> Object:
    if part.freeform:
        return {"id": part.id, "type": "custom", "custom": {"name": part.name, "input": part.arguments}}
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
