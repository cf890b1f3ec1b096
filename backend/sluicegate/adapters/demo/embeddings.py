"""OpenAI Embeddings: vectors from hashed words, so that texts that share words are near each other."""

from __future__ import annotations

import hashlib
import math
import re
import struct
from base64 import b64encode
from typing import Any

import msgspec

from sluicegate.adapters.demo.faults import Fault
from sluicegate.adapters.demo.prompt import body_as, items_of
from sluicegate.adapters.demo.tokens import count_input
from sluicegate.adapters.demo.wire import Answer, request_id, whole

_DEFAULT_DIMENSIONS = 256
_MOST_DIMENSIONS = 3072
_MOST_INPUTS = 2048
_WORD = re.compile(r"\w+")


class Body(msgspec.Struct, kw_only=True):
    """`input` is one text, one list of token ids, or a list of either."""

    model: str
    input: str | list[Any]
    encoding_format: str | None = None
    dimensions: int | None = None


def read(raw: bytes) -> Body:
    return body_as(raw, Body)


def answer(body: Body) -> Answer:
    dimensions = _DEFAULT_DIMENSIONS if body.dimensions is None else body.dimensions
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise Fault(400, f"dimensions must be between 1 and {_MOST_DIMENSIONS}.", param="dimensions")
    texts = _texts(body.input)
    if not texts or len(texts) > _MOST_INPUTS or "" in texts:
        raise Fault(400, f"'$.input' is invalid: give 1 to {_MOST_INPUTS} texts, none empty.", param="input")
    packed = body.encoding_format == "base64"
    vectors = [vector_of(text, dimensions) for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": _pack(vector) if packed else vector}
        for index, vector in enumerate(vectors)
    ]
    used = sum(count_input(len(text.encode())) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return whole(
        {"object": "list", "data": data, "model": body.model, "usage": usage}, extra=request_id("x-request-id")
    )


def vector_of(text: str, dimensions: int) -> list[float]:
    """A vector of length one; each word moves one coordinate up or down."""
    vector = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [text]:
        place = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
        vector[(place >> 1) % dimensions] += 1.0 if place & 1 else -1.0
    length = math.hypot(*vector)
    if length == 0:
        return [1.0, *vector[1:]]
    return [value / length for value in vector]


def _texts(value: str | list[Any]) -> list[str]:
    if isinstance(value, str):
        return [value]
    if value and all(isinstance(one, int) for one in value):
        return [" ".join(map(str, value))]
    return [one if isinstance(one, str) else " ".join(map(str, items_of(one))) for one in value]


def _pack(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
