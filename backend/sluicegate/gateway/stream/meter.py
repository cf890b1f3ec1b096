"""Reads usage off a stream that is relayed as it comes: the bytes are looked at, never changed or kept.

Only lines that hold `"usage"` are parsed. What a stream said in text is counted roughly, four bytes a token, for
streams that end without a usage block.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from sluicegate.domain.catalog import Dialect
from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.dialects.usage import AbsurdUsage, anthropic_usage, openai_usage

BYTES_PER_TOKEN = 4
_MAX_LINE = 1_048_576
_TEXT = re.compile(
    rb'"(?:content|text|thinking|reasoning_content|partial_json|arguments)"\s*:\s*"((?:[^"\\]|\\.)*)"', re.DOTALL
)


class StreamMeter:
    """`usage` is None as long as the stream has told none; `complete` turns True with the protocol's last event."""

    def __init__(self, dialect: Dialect) -> None:
        self._anthropic = dialect is Dialect.ANTHROPIC
        self._end = b'"message_stop"' if self._anthropic else b"data: [DONE]"
        self._tail = b""
        self._block: dict[str, Any] = {}
        self._text_bytes = 0
        self._absurd = False
        self.finished = False
        self.complete = False

    def feed(self, chunk: bytes) -> None:
        data = self._tail + chunk if self._tail else chunk
        cut = data.rfind(b"\n") + 1
        lines, self._tail = data[:cut], data[cut:]
        if len(self._tail) > _MAX_LINE:
            self._tail = b""
        if not lines:
            return
        for match in _TEXT.finditer(lines):
            self._text_bytes += match.end(1) - match.start(1)
        if b'"usage"' in lines:
            for line in lines.split(b"\n"):
                if b'"usage"' in line:
                    self._read(line)
        if self._end in lines or (not self._anthropic and b"data:[DONE]" in lines):
            self.complete = True
        if not self.finished and not self._anthropic and b'"finish_reason":"' in lines.replace(b'": "', b'":"'):
            self.finished = True

    def _read(self, line: bytes) -> None:
        _, colon, text = line.partition(b":")
        if not colon:
            return
        try:
            event = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return
        if not isinstance(event, dict):
            return
        holder = event.get("message") if event.get("type") == "message_start" else event
        block = holder.get("usage") if isinstance(holder, dict) else None
        if isinstance(block, dict):
            # Later events correct earlier ones field by field; a null corrects nothing.
            self._block.update({k: v for k, v in block.items() if v is not None})
        elif block is not None:
            self._absurd = True

    @property
    def text_tokens(self) -> int:
        """Output as far as text shows, rounded up."""
        return -(-self._text_bytes // BYTES_PER_TOKEN)

    @property
    def usage(self) -> TokenUsage | None:
        """What the stream reported so far; None when it reported nothing, or nothing that can be true."""
        if not self._block or self._absurd:
            return None
        try:
            return anthropic_usage(self._block) if self._anthropic else openai_usage(self._block)
        except AbsurdUsage:
            return None


def whole_usage(body: bytes, dialect: Dialect) -> TokenUsage | None:
    """The usage of an answer that is no stream; None when it has none that can be true.

    Raises msgspec.DecodeError when the body is not a JSON object.
    """
    block = msgspec.json.decode(body, type=_Answer).usage
    if not isinstance(block, dict):
        return None
    try:
        return anthropic_usage(block) if dialect is Dialect.ANTHROPIC else openai_usage(block)
    except AbsurdUsage:
        return None


class _Answer(msgspec.Struct):
    usage: Any = None
