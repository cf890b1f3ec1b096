"""What the test provider says: the demo provider's wire, with fixed figures and with directives in the prompt.

The newest user text may hold `[[say:TEXT]]`, `[[tool:NAME {"json": "arguments"}]]`, `[[status:429]]`, `[[midfail]]` or
`[[midfail:CODE]]`, `[[cut]]`, `[[chunks:N]]`, `[[delay:SECONDS]]`, `[[heartbeat:N]]` and `[[usage]]`, which sends the
usage of a chat stream unasked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import msgspec

from sluicegate.adapters.demo import embeddings, gemini, messages
from sluicegate.adapters.demo.catalogue import DemoModel
from sluicegate.adapters.demo.directives import tool_calls, without_directives
from sluicegate.adapters.demo.engine import Finish, Plan, plan_answer
from sluicegate.adapters.demo.faults import Fault, senders_fault
from sluicegate.adapters.demo.prompt import Prompt, object_of
from sluicegate.adapters.demo.provider import dialect_of, model_list, refusal_for
from sluicegate.adapters.demo.wire import Answer, Frame, data_event, named_event, whole
from sluicegate.domain.usage import TokenUsage
from sluicegate.ports.upstream import RawHeaders

from .script import Step, UsageFault

# Distinct figures, so that a wrong sum shows on every protocol.
USAGE = TokenUsage(input=11, cache_read=100, cache_write_5m=5, cache_write_1h=2, output=17, reasoning=4)
EMBEDDED = 7
COUNTED = 42
TEXT = "hello from the provider"
TEXT_AFTER_TOOL = "done after tool"
MODELS = ("claude-test", "gpt-test", "embed-test")

_CREATED = 1_735_689_600
_DIRECTIVE = re.compile(r"\[\[(\w+)(?::([^\[\]]*))?\]\]")
# Azure's two interfaces: the older one wants a date as its version, and names deployments except for Responses.
_AZURE = re.compile(
    r"^/openai/v1/|^/openai/(?:deployments/[^/]+/(?!responses)|(?=responses))(?=.*[?&]api-version=\d{4}-\d\d-\d\d)"
)
_MODEL = DemoModel("any", "Any")


@dataclass(frozen=True, slots=True)
class Script:
    """What directives ask of the way an answer is sent."""

    delay: float = 0.0
    heartbeats: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    answer: Answer
    script: Script = field(default_factory=Script)


def reply_to(method: str, target: str, headers: RawHeaders, body: bytes, step: Step) -> Reply:
    target = _AZURE.sub("/v1/", target) if any(name == b"api-key" for name, _ in headers) else target
    path = target.partition("?")[0]
    refuse = refusal_for(path, headers)
    try:
        if step.status >= 400:
            raise Fault(step.status, step.message)
        if any(name == b"upgrade" for name, _ in headers):
            raise Fault(426, "This provider speaks no WebSocket.")
        with senders_fault():
            return _reply(method, target, body, step)
    except Fault as fault:
        return Reply(refuse(fault))


def _reply(method: str, target: str, body: bytes, step: Step) -> Reply:
    path = target.partition("?")[0]
    dialect = dialect_of(target)
    if method == "POST" and dialect is not None:
        prompt = dialect.read(body)
        words = _directives(prompt.ask)
        if status := words.get("status"):
            raise Fault(int(status), f"the prompt asked for {status}")
        prompt = replace(prompt, include_usage=prompt.include_usage or "usage" in words)
        usage = step.usage if isinstance(step.usage, TokenUsage) else USAGE
        answer = dialect.write(prompt, _plan(prompt, words, usage), _CREATED)
        if answer.streamed and ("midfail" in words or "cut" in words):
            answer = _broken(path, answer, words)
        script = Script(float(words.get("delay") or 0), int(words.get("heartbeat") or 0), "cut" in words)
        return Reply(answer, script)
    return Reply(_side_answer(method, path, body))


def _side_answer(method: str, path: str, body: bytes) -> Answer:
    match method, path:
        case "POST", _ if call := gemini.call_of(path):
            call.count(body)
            return whole({"totalTokens": COUNTED})
        case "GET", "/v1beta/models":
            return whole({"models": [{"name": f"models/{name}"} for name in MODELS]})
        case "GET", "/v1/models":
            return model_list(DemoModel(name, name) for name in MODELS)
        case "POST", "/v1/messages/count_tokens":
            messages.count(body)
            return whole({"input_tokens": COUNTED})
        case "POST", "/v1/embeddings":
            answer = msgspec.json.decode(embeddings.answer(embeddings.read(body)).body)
            return whole({**answer, "usage": {"prompt_tokens": EMBEDDED, "total_tokens": EMBEDDED}})
        case _:
            raise Fault(404, f"Unknown request URL: {method} {path}.")


def _directives(text: str) -> dict[str, str]:
    return {name: value or "" for name, value in _DIRECTIVE.findall(without_directives(text))}


def _plan(prompt: Prompt, words: dict[str, str], usage: TokenUsage) -> Plan:
    calls = tool_calls(prompt.ask) if prompt.tools and prompt.result is None else ()
    if calls:
        return Plan((), usage, calls=calls, finish=Finish.TOOL)
    if prompt.schema is not None or prompt.tool_choice not in ("auto", "none"):
        # Structured answers must fit what was asked for; only their figures are ours.
        return replace(plan_answer(replace(prompt, limit=None), _MODEL, usage), usage=usage)
    text = words.get("say") or (TEXT if prompt.result is None else TEXT_AFTER_TOOL)
    return Plan(_pieces(text, int(words.get("chunks") or 2)), usage)


def _pieces(text: str, count: int) -> tuple[str, ...]:
    """Exactly `count` pieces, as even as they can be; a text too short for that starts over."""
    while len(text) < count:
        text += f" {text}"
    edges = [len(text) * i // count for i in range(count + 1)]
    return tuple(text[start:end] for start, end in pairwise(edges))


def _broken(path: str, answer: Answer, words: dict[str, str]) -> Answer:
    """Nothing after the last piece of content; with `midfail` the dialect's own error event."""
    last = max(index for index, frame in enumerate(answer.frames) if frame.tokens)
    frames = answer.frames[: last + 1]
    if "midfail" in words:
        frames = (*frames, _error_event(path, frames[0], words["midfail"]))
    return replace(answer, frames=frames)


def _error_event(path: str, first: Frame, code: str) -> Frame:
    message = "the provider broke off"
    if path == "/v1/messages":
        return named_event("error", error={"type": code or "overloaded_error", "message": message})
    if path == "/v1/responses":
        started = msgspec.json.decode(first.data.partition(b"data: ")[2])["response"]
        failed = {**started, "status": "failed", "error": {"code": code or "server_error", "message": message}}
        return named_event("response.failed", sequence_number=1_000, response=failed)
    if gemini.call_of(path) is not None:
        return data_event({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}})
    return data_event({"error": {"message": message, "type": code or "server_error", "param": None, "code": None}})


def spoil_usage(frames: tuple[Frame, ...], fault: UsageFault) -> tuple[Frame, ...]:
    """The same frames with their usage as the fault wants it."""
    with_usage = [
        index for index, frame in enumerate(frames) if b'"usage":{' in frame.data or b'"usageMetadata":{' in frame.data
    ]
    spoiled = list(frames)
    for index in with_usage:
        first, last = index == with_usage[0], index == with_usage[-1]
        if fault is UsageFault.ONLY_IN_FIRST_EVENT and first:
            continue
        if fault is UsageFault.ONLY_OUTPUT_AT_END and not last:
            continue
        spoiled[index] = replace(frames[index], data=_spoil(frames[index].data, fault))
    return tuple(spoiled)


def _spoil(data: bytes, fault: UsageFault) -> bytes:
    start = data.index(b"{")
    document = msgspec.json.decode(data[start:].rstrip(), type=dict[str, Any])
    for owner in (document, object_of(document.get("message")), object_of(document.get("response"))):
        name = "usageMetadata" if "usageMetadata" in owner else "usage"
        usage = object_of(owner.get(name))
        if not usage:
            continue
        match fault:
            case UsageFault.MISSING | UsageFault.ONLY_IN_FIRST_EVENT:
                del owner[name]
            case UsageFault.NULL:
                owner[name] = None
            case UsageFault.ONLY_OUTPUT_AT_END:
                owner[name] = {part: n for part, n in usage.items() if part.startswith("output")}
            case _:
                owner[name] = _each_count(usage, fault)
    return data[:start] + msgspec.json.encode(document) + data[len(data.rstrip()) :]


def _each_count(value: Any, fault: UsageFault) -> Any:
    if isinstance(value, dict):
        return {name: _each_count(inner, fault) for name, inner in object_of(value).items()}
    if not isinstance(value, int):
        return value
    return {
        UsageFault.NULL_COUNTS: None,
        UsageFault.NEGATIVE: -value,
        # Beyond what a signed 64-bit column holds.
        UsageFault.HUGE: (value + 1) * 10**18,
        UsageFault.TEXT: str(value),
    }[fault]
