"""Requests to Amazon Bedrock: Anthropic's Messages, with the model in the path and the version in the body.

Bedrock refuses fields and betas that it does not know, so what belongs to Anthropic's own platform stays behind (Amazon
Bedrock User Guide, "Anthropic Claude Messages API").
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sluicegate.domain.catalog import ProviderKind
from sluicegate.gateway.reading import loaded
from sluicegate.policy.bedrock import foundation_model, model_path, proven
from sluicegate.policy.compile import Route
from sluicegate.ports.upstream import RawHeaders, Timeouts, UpstreamRequest

COUNTING = "count-tokens"
_VERSION = "bedrock-2023-05-31"
# The first two stand in the path; the others speak of an account, machines and guards that Bedrock does not have.
_LEFT_OUT = ("model", "stream", "metadata", "service_tier", "container", "inference_geo", "safeguards")
# Clients name betas by what they know themselves; any that Bedrock does not know makes it refuse the call.
_BETAS = frozenset(
    {
        "compact-2026-01-12",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dev-full-thinking-2025-05-14",
        "effort-2025-11-24",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "output-128k-2025-02-19",
        "token-efficient-tools-2025-02-19",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
    }
)
_PASSED = (b"user-agent",)
_HEADERS: RawHeaders = [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]
_encode = msgspec.json.Encoder().encode


def is_bedrock(route: Route) -> bool:
    return route.kind is ProviderKind.BEDROCK


def counts(route: Route) -> bool:
    """Whether a backend may be asked to count tokens: Bedrock counts for foundation models alone."""
    return route.kind is not ProviderKind.BEDROCK or foundation_model(route.provider_model) is not None


def cannot_count(route: Route, status: int) -> bool:
    """Whether an answer only says that nothing can be counted: many of Bedrock's models do not, and keys may be good
    for calls alone."""
    return route.kind is ProviderKind.BEDROCK and status in (400, 403, 404)


def request_to(
    route: Route, fields: dict[str, Raw], headers: RawHeaders, timeouts: Timeouts, *, counting: bool = False
) -> UpstreamRequest:
    """What a body of Messages, taken apart into its `fields`, and the caller's headers become; nothing proves yet whose
    request it is."""
    if route.origin is None:
        raise ValueError("a backend without an address")
    streams = bytes(fields.get("stream", b"")) == b"true"
    named = _betas(headers, fields)
    inner = {name: value for name, value in fields.items() if name not in _LEFT_OUT}
    inner["anthropic_version"] = Raw(_encode(_VERSION))
    inner.pop("anthropic_beta", None)
    if named:
        inner["anthropic_beta"] = Raw(_encode(named))
    if counting:
        path = model_path(foundation_model(route.provider_model) or route.provider_model, COUNTING)
        body = _encode({"input": {"invokeModel": {"body": b64encode(_encode(_bounded(inner))).decode()}}})
    else:
        path = model_path(route.provider_model, "invoke-with-response-stream" if streams else "invoke")
        body = _encode(inner)
    sent = [*_HEADERS, (b"accept", b"application/vnd.amazon.eventstream" if streams else b"application/json")]
    sent += [header for header in headers if header[0] in _PASSED]
    return UpstreamRequest(route.origin, "POST", f"{route.base_path}{path}", sent, body, timeouts)


def authorised(request: UpstreamRequest, route: Route, now: datetime) -> UpstreamRequest:
    """With what makes it good for a few minutes. What the caller sends in headers is not signed: proxies change it."""
    if route.credential is None or route.region is None:
        raise ValueError("a backend that cannot be called")
    passed = [header for header in request.headers if header[0] in _PASSED]
    signing = [header for header in request.headers if header[0] not in _PASSED]
    proof = proven(
        signing,
        route.credential,
        region=route.region,
        method=request.method,
        origin=request.origin,
        target=request.target,
        body=request.body,
        now=now,
    )
    return replace(request, headers=[*proof, *passed])


def _betas(headers: RawHeaders, fields: dict[str, Raw]) -> list[str]:
    """Those of the caller's header that Bedrock may know, and those of the body: it is written for Bedrock there."""
    told: Any = loaded(fields["anthropic_beta"]) if "anthropic_beta" in fields else None
    own = [name for name in told if isinstance(name, str)] if isinstance(told, list) else []
    return list(dict.fromkeys([*own, *(name for name in _named(headers) if name in _BETAS)]))


def _named(headers: RawHeaders) -> Iterable[str]:
    for name, value in headers:
        if name == b"anthropic-beta":
            yield from (part.strip() for part in value.decode("latin-1").split(","))


def _bounded(fields: dict[str, Raw]) -> dict[str, Raw]:
    """A body that would be valid as a call: counting asks for no bound on an answer, calls do, above any thinking."""
    if "max_tokens" in fields:
        return fields
    thinking: Any = loaded(fields["thinking"]) if "thinking" in fields else None
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return fields | {"max_tokens": Raw(_encode(budget + 1 if type(budget) is int else 1))}
