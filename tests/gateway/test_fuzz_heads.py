"""Request lines, header fields and framings that nobody would write: each is answered, or was no whole request."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bench import Bench, chat, contents, embeddings, messages, responses
from gateway.fuzz import FUZZED, KEY, Heard, Talker, assert_shaped, assert_well_formed, in_order
from sluicegate.domain.catalog import Dialect

pytestmark = pytest.mark.any_stack

METHODS = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "G@T"]
ROOTS = ["/v1", "/gateway/openai/v1", "/gateway/anthropic/v1", "/gateway/gemini/v1beta", "/v1beta", "/gateway/v1", ""]
ENDS = [
    *("/chat/completions", "/responses", "/completions", "/embeddings", "/messages", "/messages/count_tokens"),
    *("/models", "/models/team-gpt", "/models/claude-team-gpt", "/models/no-such", "/me", "/models/"),
    *("/models/team-gemini:generateContent", "/models/team-gemini:streamGenerateContent", "/models/x:countTokens"),
    *("/models/team-gemini:", "/models/:generateContent", "/models/team-gemini:other", "/responses/resp_1", "/files"),
]
_TWISTS = [
    *(lambda path: path,) * 6,
    lambda path: path + "/",
    lambda path: path.replace("/", "//"),
    lambda path: path.upper(),
    lambda path: path.replace("e", "%65"),
    lambda path: path.replace("/", "%2F"),
    lambda path: path + "%00",
    lambda path: path + "%ff%fe",
    lambda path: path + "%zz",
    lambda path: path + "%",
    lambda path: path + "%0d%0ax-y:%20z",
    lambda path: path + "\udcff\udcc3",
    lambda path: path + ";a=b",
    lambda path: path + "/../../graphql",
    lambda path: "/.." + path,
    lambda path: "/x/%2e%2e" + path,
    lambda path: "http://elsewhere.example" + path,
    lambda path: "http://elsewhere.example:99999999" + path,
    lambda path: path.removeprefix("/"),
    lambda path: path + "x" * 5_000,
    lambda path: path + "#part",
    lambda path: "*",
]
QUERIES = [
    *("", "", "", "?", "?beta=true", "?limit=1000", "?limit=0", "?limit=-1", "?limit=x", "?limit=%D9%A3", "?limit="),
    *("?limit=99999999999999999999", "?after_id=%ff", "?before_id=%00", "?after_id=a&after_id=b", "?kind=chat"),
    *("?kind=x", "?kind=%00", "?alt=sse", "?alt=x", "?key=", "?key=sg_wrong", "?key=%ff", "?=&&=", "?%", "?a=\udcff"),
    *("?" + "a&" * 2_000, "?pageSize=1&pageToken=x"),
]
FIELDS: list[bytes] = [
    *(b"content-type: text/plain", b"content-type: application/json; charset=utf-16", b"content-type: \xff"),
    *(b"content-type:", b"content-type: multipart/form-data; boundary=x", b"content-encoding: identity"),
    *(b"content-encoding: br", b"content-encoding: gzip, gzip", b"content-encoding: \xff\xfe", b"content-encoding:"),
    *(b"accept: */*;q=x", b"accept-encoding: gzip;q=NaN", b"anthropic-version: 2023-06-01", b"anthropic-version: \xff"),
    *(b"anthropic-beta: " + b"a," * 500, b"expect: 100-continue", b"expect: x", b"connection: close"),
    *(b"connection: keep-alive, x-a", b"connection: upgrade", b"connection: \xff", b"x-client-app: \xff\x00"),
    *(b"x-client-app: caf\xc3\xa9", b"x-project: " + b"p" * 9_000, b"session-id: \xf0\x9f", b"x-session-id:   "),
    *(b"user-agent: \xff\xff", b"user-agent:", b"cookie: a=b", b"host: other", b"x-api-key: sg_wrong", b"x-api-key:"),
    *(b"x-goog-api-key: " + b"\xe9" * 600, b"authorization: Basic eDp5", b"authorization:", b"x-stainless-x: y"),
    *(b"forwarded: for=1", b"x-forwarded-for: \xff", b"range: bytes=0-1", b"te: trailers", b"trailer: x"),
    *(
        b"no colon here",
        b": no name",
        b"sp ace: x",
        b"x\xff: y",
        b"x-fold: a\r\n b",
        b"x-null: a\x00b",
    ),
    b"x-lf: a\nx-b: c",
    *(b"x-tab:\ta\t", b"idempotency-key: x", b"x-request-id: mine", b"proxy-authorization: Basic x", b"if-match: *"),
    b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: "
    + b"A" * 22
    + b"==",
    b"upgrade: websocket\r\nconnection: upgrade",
    b"upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk",
]
BODIES = [
    *(b"", b"{}", b"x", b"\xff" * 100, json.dumps(chat()).encode(), json.dumps(messages(stream=True)).encode()),
    *(json.dumps(responses(stream=True)).encode(), json.dumps(embeddings()).encode(), json.dumps(contents()).encode()),
    json.dumps(chat(padding="x" * 120_000)).encode(),
]
VERSIONS = [*(b"HTTP/1.1",) * 8, b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.1 x", b"", b"ICY"]


@dataclass(frozen=True, slots=True)
class Said:
    """`whole` tells that it is a request for certain, by all that has a say in that; then it must be answered."""

    text: bytes
    method: str
    path: str
    whole: bool


def chunks(body: bytes, size: int, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in parts) + b"0\r\n" + trailer + b"\r\n"


@st.composite
def framings(draw: st.DrawFn) -> tuple[list[bytes], bytes, bool]:
    """Header fields, body as sent, and whether the two fit."""
    body, chunked = draw(st.sampled_from(BODIES)), b"transfer-encoding: chunked"
    sized = b"content-length: %d" % len(body)
    squeezed = gzip.compress(body)
    gzipped = b"content-encoding: gzip"
    return draw(
        st.sampled_from(
            [
                *(([sized], body, True),) * 5,
                ([chunked], chunks(body, 7), len(body) < 1_000),
                ([chunked], chunks(body, 50_000, b";a=b", b"x-trailer: y\r\n"), True),
                ([b"content-length: %d" % len(squeezed), gzipped], squeezed, True),
                ([chunked, gzipped], chunks(squeezed, 1_000), True),
                ([sized, gzipped], body, True),
                ([b"content-length: %d" % len(squeezed[:-9]), gzipped], squeezed[:-9], True),
                ([sized, b"content-encoding: deflate"], zlib.compress(body)[: len(body)], False),
                ([], body, not body),
                ([b"content-length: %d" % (len(body) + 5)], body, False),
                ([b"content-length: %d" % (len(body) // 2)], body, False),
                ([b"content-length: -1"], body, False),
                ([b"content-length: 99999999999999999999999"], body, False),
                ([b"content-length: 20000000"], body, False),
                ([b"content-length: 1e3"], body, False),
                ([b"content-length: "], body, False),
                ([sized, b"content-length: 3"], body, False),
                ([sized, chunked], chunks(body, 100), False),
                ([b"transfer-encoding: gzip, chunked"], chunks(body, 100), False),
                ([b"transfer-encoding: chunked, identity"], body, False),
                ([b"transfer-encoding: x"], body, False),
                ([chunked], b"zz\r\n" + body, False),
                ([chunked], b"ffffffffffffffffff\r\n" + body, False),
                ([chunked], b"-5\r\n" + body, False),
                ([chunked], chunks(body, 100)[:-5], False),
                ([chunked], b"5\r\nabcdefgh\r\n0\r\n\r\n", False),
            ]
        )
    )


@st.composite
def requests(draw: st.DrawFn) -> Said:
    method = draw(st.sampled_from([*METHODS, *["POST"] * 8, *["GET"] * 3]))
    plain = draw(st.sampled_from(ROOTS)) + draw(st.sampled_from(ENDS))
    path = draw(st.sampled_from(_TWISTS))(plain)
    version = draw(st.sampled_from(VERSIONS))
    framing, body, fits = draw(framings())
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=2, unique=True))
    keys = draw(st.sampled_from([[KEY], [KEY], [KEY], []]))
    first = f"{method} {path}{draw(st.sampled_from(QUERIES))} ".encode("utf-8", "surrogateescape") + version
    text = b"\r\n".join([first, b"host: x", *keys, *fields, *framing, b"", b""]) + body
    whole = fits and not fields and path == plain and version == b"HTTP/1.1" and method in METHODS[:7]
    return Said(text, method, path, whole)


def dialects_of(path: str, heard: Heard) -> list[Dialect]:
    """In which one an answer may be. Paths that a gateway reads in its own way leave it open, and so do heads that
    cannot be read to their end."""
    if b"not valid HTTP/1.1" in heard.body:
        return list(Dialect)
    for root, dialect in (
        ("/gateway/openai/v1/", Dialect.OPENAI),
        ("/gateway/anthropic/v1/", Dialect.ANTHROPIC),
        ("/gateway/gemini/v1beta/", Dialect.GEMINI),
        ("/v1beta/", Dialect.GEMINI),
    ):
        if path.startswith(root) and unquote(path) == path:
            return [dialect]
    if path in ("/v1/messages", "/v1/messages/count_tokens"):
        return [Dialect.ANTHROPIC]
    return list(Dialect)


def assert_answered(said: Said, heard: Heard | None) -> None:
    if heard is None:
        assert not said.whole, said.text[:500]
        return
    assert heard.status not in (500, 502, 503, 504), (said.text[:500], heard)
    if said.method == "HEAD" or heard.status == 426 or heard.status < 400:
        return
    faults: list[AssertionError] = []
    for dialect in dialects_of(said.path, heard):
        try:
            assert_shaped(heard, dialect)
        except (AssertionError, KeyError) as fault:
            faults.append(AssertionError(dialect, fault))
        else:
            return
    raise ExceptionGroup(f"{said.text[:500]!r}\n{heard}", faults)


@pytest.fixture
async def talker(bench: Bench) -> AsyncIterator[Talker]:
    talker = Talker(bench.port)
    async with in_order(bench):
        yield talker


@FUZZED
@given(said=requests())
async def test_heads_that_cannot_be(talker: Talker, said: Said) -> None:
    assert_answered(said, await talker.ask(said.text, head_only=said.method == "HEAD", ends=not said.whole))
    talker.hang_up()


@FUZZED
@given(noise=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
async def test_what_is_no_http(talker: Talker, noise: bytes) -> None:
    heard = await talker.ask(noise + b"\r\n\r\n", ends=True)
    talker.hang_up()
    if heard is not None:
        assert heard.status in (400, 404, 405, 401), (noise, heard)
        assert_well_formed(heard, Dialect.OPENAI)
