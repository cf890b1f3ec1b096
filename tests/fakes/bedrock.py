"""Amazon Bedrock on a real socket: it checks every signature, refuses what AWS refuses, and streams binary messages."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from sluicegate.ports.upstream import RawHeaders

from .http_server import Connection
from .provider import Answer, Exchange, Outcome, Provider
from .wire import MESSAGE_EVENTS, framed, message

REGION = "eu-central-1"
ACCESS = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
BEARER = "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxl"
NEWEST = "global.anthropic.claude-opus-4-7"
FOUNDATION = "anthropic.claude-haiku-4-5-20251001-v1:0"
PROFILE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
OWN_PROFILE = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123"
COUNT = 321
_STEERED = {NEWEST, OWN_PROFILE}
_SKEW_SECONDS = 300
_BETAS = {"interleaved-thinking-2025-05-14", "context-1m-2025-08-07", "made-for-bedrock-2026-01-01"}
_FIELDS = {
    "anthropic_version",
    "anthropic_beta",
    "max_tokens",
    "messages",
    "stop_sequences",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
}
METRICS = {"inputTokenCount": 118, "outputTokenCount": 17, "invocationLatency": 812, "firstByteLatency": 300}


class Refused(Exception):
    def __init__(self, status: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.status, self.kind, self.text = status, kind, text


class Bedrock(Provider):
    """Runtime and control plane at one address. `refusals` counts requests whose proof was not good."""

    def __init__(self, *, session: str | None = None) -> None:
        super().__init__()
        self.session = session
        self.refusals = 0

    async def _serve(self, connection: Connection, method: str, target: str, headers: RawHeaders, body: bytes) -> None:
        exchange = Exchange(method, target, headers, body, connection.number)
        self.log.append(exchange)
        try:
            try:
                self._check(exchange)
                answer = self._scripted() or _answer_to(exchange)
            except Refused as refused:
                self.refusals += refused.status == 403
                answer = failing(refused.status, refused.kind, refused.text)
            await answer(connection, exchange)
            exchange.end(Outcome.CUT if connection.closing else Outcome.COMPLETE)
        except BaseException:
            exchange.end(Outcome.DISCONNECTED)
            raise

    def _scripted(self) -> Answer | None:
        step = self._steps.popleft() if self._steps else None
        assert step is None or callable(step)
        return step

    def _check(self, exchange: Exchange) -> None:
        proof = exchange.header("authorization") or ""
        if proof.startswith("Bearer "):
            if proof != f"Bearer {BEARER}":
                raise Refused(403, "AccessDeniedException", "Authentication failed: the API key is not valid.")
            return
        if exchange.header("x-amz-security-token") != self.session:
            raise Refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        if proof != _expected(exchange):
            raise Refused(403, "InvalidSignatureException", "The request signature we calculated does not match.")


def _expected(exchange: Exchange) -> str:
    """The Authorization header that the request must have, worked out from what came over the wire."""
    found = {name.decode(): " ".join(value.decode().split()) for name, value in exchange.headers}
    stamp = found.get("x-amz-date", "")
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token") from None
    if abs((datetime.now(UTC) - at).total_seconds()) > _SKEW_SECONDS:
        raise Refused(403, "InvalidSignatureException", "Signature expired")
    names = found.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
    if names != sorted(names) or not {"host", "x-amz-date"} <= set(names) or not set(names) <= set(found):
        raise Refused(403, "InvalidSignatureException", "Signed headers are not as they must be")
    path, _, query = exchange.target.partition("?")
    lines = [exchange.method, quote(path, safe="/~"), "&".join(sorted(query.split("&")))]
    lines += [f"{name}:{found[name]}" for name in names]
    lines += ["", ";".join(names), hashlib.sha256(exchange.body).hexdigest()]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    scope = [stamp[:8], REGION, "bedrock", "aws4_request"]
    key = f"AWS4{SECRET}".encode()
    for part in (*scope, f"AWS4-HMAC-SHA256\n{stamp}\n{'/'.join(scope)}\n{digest}"):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{ACCESS}/{'/'.join(scope)}"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(names)}, Signature={key.hex()}"


def _answer_to(exchange: Exchange) -> Answer:
    path = exchange.path
    if exchange.method == "GET":
        listed = {"/foundation-models": _foundation_models, "/inference-profiles": _inference_profiles}.get(path)
        if listed is None:
            raise Refused(404, "UnknownOperationException", "no such operation")
        return answering(listed(exchange.target))
    _, _, rest = path.partition("/model/")
    model, _, action = rest.partition("/")
    if action == "count-tokens":
        if unquote(model).partition(".")[0] != "anthropic":
            raise Refused(400, "ValidationException", "The provided model doesn't support counting tokens.")
        inner = exchange.json["input"]["invokeModel"]["body"]
        _check_body(json.loads(b64decode(inner, validate=True)), unquote(model))
        return answering({"inputTokens": COUNT})
    _check_body(exchange.json, unquote(model))
    if action == "invoke":
        return answering(message())
    if action != "invoke-with-response-stream":
        raise Refused(404, "UnknownOperationException", "no such operation")
    return streaming(*pieces(MESSAGE_EVENTS))


def _check_body(body: dict[str, Any], model: str) -> None:
    """Only some models know an effort, and the newest take no budget of thinking."""
    if body.get("anthropic_version") != "bedrock-2023-05-31":
        raise Refused(400, "ValidationException", "anthropic_version: field required")
    if unknown := sorted(body.keys() - _FIELDS - ({"output_config"} if model in _STEERED else set())):
        raise Refused(400, "ValidationException", f"{unknown[0]}: Extra inputs are not permitted")
    if model in _STEERED and body.get("thinking", {}).get("type") == "enabled":
        text = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".'
        raise Refused(400, "ValidationException", text)
    if not set(body.get("anthropic_beta", ())) <= _BETAS:
        raise Refused(400, "ValidationException", "invalid beta flag")
    if type(body.get("max_tokens")) is not int:
        raise Refused(400, "ValidationException", "max_tokens: field required")


def _foundation_models(target: str) -> dict[str, Any]:
    assert target.endswith("?byProvider=Anthropic"), target
    rows = [
        {"modelId": FOUNDATION, "inferenceTypesSupported": ["ON_DEMAND", "INFERENCE_PROFILE"]},
        {"modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0", "inferenceTypesSupported": ["INFERENCE_PROFILE"]},
    ]
    return {"modelSummaries": [{"providerName": "Anthropic", "outputModalities": ["TEXT"], **row} for row in rows]}


def _inference_profiles(target: str) -> dict[str, Any]:
    wanted = target.rpartition("type=")[2]
    arn = f"arn:aws:bedrock:{REGION}::foundation-model/"
    rows = [
        {"inferenceProfileId": PROFILE, "type": "SYSTEM_DEFINED", "models": [{"modelArn": f"{arn}{PROFILE[3:]}"}]},
        {
            "inferenceProfileId": "eu.amazon.nova-pro-v1:0",
            "type": "SYSTEM_DEFINED",
            "models": [{"modelArn": f"{arn}amazon.nova-pro-v1:0"}],
        },
        {
            "inferenceProfileId": "abc123",
            "inferenceProfileArn": OWN_PROFILE,
            "type": "APPLICATION",
            "models": [{"modelArn": f"{arn}{FOUNDATION}"}],
        },
    ]
    return {"inferenceProfileSummaries": [row for row in rows if row["type"] == wanted]}


def answering(value: Any, status: int = 200, **headers: str) -> Answer:
    body = json.dumps(value).encode()
    sent = [(b"content-type", b"application/json"), (b"x-amzn-requestid", b"aws-request-1")]
    sent += [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]

    async def answer(connection: Connection, exchange: Exchange) -> None:
        exchange.status = status
        await connection.send_head(status, sent, length=len(body), chunked=False)
        await connection.send(body, only=len(body))

    return answer


def failing(status: int, kind: str, text: str) -> Answer:
    return answering({"message": text}, status, x_amzn_errortype=f"{kind}:http://internal.amazon.com/coral/")


def streaming(*parts: bytes, ends: bool = True) -> Answer:
    """The parts as they are; without `ends` the connection breaks after them."""
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nx-amzn-requestid: aws-request-1\r\n"
        b"x-amzn-bedrock-content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )

    async def answer(connection: Connection, exchange: Exchange) -> None:
        await connection.write(head)
        for part in parts:
            await connection.write(framed(part))
        if ends:
            await connection.write(b"0\r\n\r\n")
        else:
            connection.close(reset=True)

    return answer


def pieces(events: Iterable[bytes]) -> list[bytes]:
    """Messages for server-sent events, as Bedrock would send what Anthropic's model says."""
    return [piece(json.loads(event.partition(b"data: ")[2])) for event in events]


def piece(event: dict[str, Any]) -> bytes:
    if event["type"] == "message_stop":
        event = {**event, "amazon-bedrock-invocationMetrics": METRICS}
    payload = {"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abcdefghijk"}
    return frame({":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(kind: str, text: str) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, {"message": text})


def frame(headers: dict[str, str], payload: Any) -> bytes:
    block = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(block) + len(data), len(block))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    return prelude + block + data + struct.pack(">I", zlib.crc32(prelude + block + data))
