"""OpenAI's Embeddings, whose calls have input alone."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from sluicegate.domain.catalog import Dialect, ModelKind
from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.dialects.chat import ChatTally, reading_of
from sluicegate.gateway.dialects.wire import ModelInBody
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import UNREADABLE, Reading, loaded
from sluicegate.gateway.stream.meter import StreamMeter


class _Answer(msgspec.Struct):
    usage: msgspec.Raw = msgspec.Raw(b"null")


_decode_answer = msgspec.json.Decoder(_Answer).decode


class Embeddings(ModelInBody):
    """Implements `Wire`."""

    dialect = Dialect.OPENAI
    kind = ModelKind.EMBEDDING
    protocol = None
    path = "/embeddings"
    endpoint = "embeddings"
    bytes_per_token = 4

    def max_tokens(self, envelope: Envelope) -> int | None:
        return 0

    def prepare(self, envelope: Envelope) -> bool:
        return False

    def meter(self, *, hide_usage: bool) -> StreamMeter:
        """For a provider that answers with a stream, though there is none in this protocol."""
        return StreamMeter(ChatTally(hide_usage=hide_usage))

    def read(self, body: bytes) -> Reading | None:
        try:
            reading = reading_of(loaded(_decode_answer(body).usage))
        except UNREADABLE:
            return None
        return replace(reading, usage=TokenUsage(input=reading.usage.total_input), output_known=True)
