"""Requests that nobody would write, the means to send them byte for byte, and what every answer has to be."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from structlog.processors import format_exc_info
from structlog.testing import capture_logs

from fakes.provider import Outcome
from gateway.bench import CREDENTIAL, Bench
from sluicegate.domain.catalog import Dialect
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter

WITHIN = 10.0
KEY = b"authorization: Bearer " + CREDENTIAL.text.encode()
Path = tuple[str | int, ...]
FUZZED = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Bodies

ODD: tuple[bytes, ...] = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1", b"1.5", b"-0.0", b"1e308", b"1e400", b"-1e400", b"1e-400"),
    *(b"18446744073709551616", b"9" * 400, b"NaN", b"Infinity", b"01", b"+1", b"'x'", b"undefined"),
    *(b'""', b'"x"', b'" "', b'"\\u0000"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"'),
    *(b'"\n"', b'"\\x"', b'"team-gpt"', b'"data:image/png;base64,AAAA"', b'"data:,"', b'"' + b"a" * 70_000 + b'"'),
    *(b"[]", b"{}", b"[null]", b"[[]]", b"[{}]", b'[""]', b"[1,2,3]", b'{"":0}', b'{"type":null}', b'{"type":{}}'),
    *(b'{"type":["text"]}', b'{"type":"text"}', b'{"type":"text","text":1}', b'{"role":"user"}', b'{"a":1,"a":2}'),
    b"[" * 300 + b"]" * 300,
    b"[" * 20_000 + b"]" * 20_000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b"[" + b"0," * 3_000 + b"0]",
)


def rendered(value: Any, edits: dict[Path, list[bytes]], path: Path = ()) -> bytes:
    """JSON in which what stands at a path is replaced: by nothing, by one thing, or, in an object, by several of the
    same name."""
    if path in edits and (not path or isinstance(path[-1], int)):
        return edits[path][0] if edits[path] else b"null"
    if isinstance(value, dict):
        members: list[bytes] = []
        for name, inner in value.items():
            given = edits.get((*path, name))
            pieces = [rendered(inner, edits, (*path, name))] if given is None else given
            members += [b"%s:%s" % (json.dumps(name).encode(), piece) for piece in pieces]
        return b"{%s}" % b",".join(members)
    if isinstance(value, list):
        return b"[%s]" % b",".join(rendered(inner, edits, (*path, index)) for index, inner in enumerate(value))
    return json.dumps(value).encode()


def places(value: Any, path: Path = ()) -> list[Path]:
    """The paths of all that stands in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


_SPOILS: tuple[Callable[[bytes], bytes], ...] = (
    lambda body: body,
    lambda body: body,
    lambda body: body,
    lambda body: body,
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body[: len(body) // 2],
    lambda body: body[:-1],
    lambda body: body + b"x",
    lambda body: body + b"\n \t",
    lambda body: body + body,
    lambda body: b"[%s]" % body,
    lambda body: body.decode("latin-1").encode("utf-16"),
    lambda body: body.replace(b":", b" : ").replace(b",", b" ,\n"),
    lambda body: body.replace(b'"', b"'"),
    lambda body: b"",
    lambda body: b"\0" + body,
)


@st.composite
def bodies(draw: st.DrawFn, sample: dict[str, Any]) -> bytes:
    """The sample with a few things in it that cannot be."""
    every = places(sample)
    edits: dict[Path, list[bytes]] = {}
    for _ in range(draw(st.integers(0, 3))):
        edits[draw(st.sampled_from(every))] = draw(st.lists(st.sampled_from(ODD), max_size=2))
    return draw(st.sampled_from(_SPOILS))(rendered(sample, edits))


# Talking


@dataclass(frozen=True, slots=True)
class Heard:
    status: int
    headers: dict[str, str]
    body: bytes


class Talker:
    """One connection after the other, each kept as long as the gateway keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, said: bytes, *, head_only: bool = False, ends: bool = False) -> Heard | None:
        """What comes back; None when the gateway closes without a word. `ends` says nothing more after it."""
        async with asyncio.timeout(WITHIN):
            try:
                return await self._heard(said, head_only=head_only, ends=ends)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.hang_up()
                return None

    def hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _heard(self, said: bytes, *, head_only: bool, ends: bool) -> Heard:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1_000_000)
        reader, writer = self._streams
        writer.write(said)
        if ends:
            writer.write_eof()
        status, headers = 100, dict[str, str]()
        while status < 200:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
            status = int(first.split()[1])
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = b"" if head_only else await _body_of(reader, headers)
        if ends or headers.get("connection") == "close":
            self.hang_up()
        return Heard(status, headers, body)


async def _body_of(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    assert headers.get("transfer-encoding") == "chunked", headers
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body


def request(path: str, body: bytes, *headers: bytes, method: str = "POST", sized: bool = True) -> bytes:
    lines = [KEY, *headers, *([b"content-length: %d" % len(body)] if sized else [])]
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\n".encode("utf-8", "surrogateescape")
    return head + b"\r\n".join(lines) + b"\r\n\r\n" + body


# Answers


def assert_well_formed(heard: Heard, dialect: Dialect) -> None:
    """As its dialect has it, and no fault of ours."""
    said = (heard.status, heard.body[:500])
    assert heard.status not in (500, 502, 503, 504), said
    assert_shaped(heard, dialect)


def assert_shaped(heard: Heard, dialect: Dialect) -> None:
    said = (heard.status, heard.body[:500])
    assert heard.headers.get("x-request-id"), said
    assert b"Traceback" not in heard.body
    if heard.status < 400:
        assert 200 <= heard.status < 300, said
        return
    value = json.loads(heard.body)
    error = value["error"]
    assert isinstance(error["message"], str), said
    assert error["message"], said
    match dialect:
        case Dialect.ANTHROPIC:
            assert value["type"] == "error", said
            assert isinstance(error["type"], str), said
            assert heard.headers.get("request-id"), said
        case Dialect.OPENAI:
            assert {"type", "param", "code"} <= error.keys(), said
        case Dialect.GEMINI:
            assert error["code"] == heard.status, said
            assert isinstance(error["status"], str), said


# What must not be


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))


@asynccontextmanager
async def in_order(bench: Bench) -> AsyncIterator[None]:
    """Afterwards nothing went wrong by the log, no task, slot or reservation is left, and the ledger holds every call
    that a provider was sent once."""
    loop, kept, loose = asyncio.get_running_loop(), _Kept(), list[str]()
    loop.set_exception_handler(lambda _, context: loose.append(repr(context)))
    logging.getLogger().addHandler(kept)
    try:
        with capture_logs(processors=[format_exc_info]) as said:
            yield
        mistakes = [entry for entry in said if "exception" in entry or entry["log_level"] in ("error", "critical")]
        assert mistakes == []
        assert (kept.records, loose) == ([], [])
        await bench.until_settled(WITHIN)
        await bench.assert_settled()
        async with asyncio.timeout(WITHIN):
            while any(exchange.outcome is Outcome.OPEN for exchange in bench.provider.log):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await assert_metered_once(bench)
    finally:
        loop.set_exception_handler(None)
        logging.getLogger().removeHandler(kept)


async def assert_metered_once(bench: Bench) -> None:
    await bench.container.journal.flush()
    page = await bench.container.usage_reader.calls(CallFilter(), PageRequest(first=20_000))
    records = [record for record, _ in page.items]
    assert len({record.call_id for record in records}) == len(records)
    calls = [exchange for exchange in bench.provider.log if not _free(exchange.path)]
    assert len(records) == len(calls), Counter(record.outcome for record in records)


def _free(path: str) -> bool:
    return path.endswith(("/count_tokens", ":countTokens"))
