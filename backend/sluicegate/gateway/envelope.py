"""The few fields of a request body that the gateway reads; everything else stays the bytes that the caller sent."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

from sluicegate.gateway.reading import UNREADABLE, loaded
from sluicegate.policy.refusals import Refusal, invalid_request

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_whole = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode

# Shorter strings are left to the byte count: they cost less than a look at them.
_LONG_STRING = 8_192
_IMAGE_TOKENS = 1_600
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\"
_SAMPLE = 64
# What stands beside data in base64, in one protocol or another.
_ATTACHED = re.compile(rb'base64|"inline_?[dD]ata"|"input_audio"')


class Envelope:
    """A body taken apart at its top level. `model` is the name that the caller gave."""

    __slots__ = ("_fields", "_raw", "model", "stream")

    def __init__(self, raw: bytes, fields: dict[str, Raw], model: str) -> None:
        self._raw = raw
        self._fields = fields
        self.model = model
        stream = fields.get("stream")
        self.stream = stream is not None and bytes(stream) == b"true"

    def get(self, name: str) -> Any:
        """A field's value; None also for one that is null, missing or no text."""
        raw = self._fields.get(name)
        return None if raw is None else loaded(raw)

    def has(self, name: str) -> bool:
        return name in self._fields

    def part(self, name: str) -> bytes:
        """A field as it was sent; empty for one that is missing."""
        raw = self._fields.get(name)
        return b"" if raw is None else bytes(raw)

    @property
    def fields(self) -> dict[str, Raw]:
        """A copy of the body's fields, with what was put into them."""
        return dict(self._fields)

    def whole(self) -> dict[str, Any]:
        """All of the body, as the caller sent it; raises Refusal `invalid_request` where a value deep inside is none,
        which nobody has looked at before."""
        try:
            value: dict[str, Any] = _decode_whole(self._raw)
        except UNREADABLE as error:
            raise _unreadable(error) from None
        return value

    @property
    def raw(self) -> bytes:
        return self._raw

    def replace(self, raw: bytes) -> None:
        """Goes on with another body in place of the caller's, before anything was put into it."""
        self._raw, self._fields = raw, fields_of(raw)
        if "model" in self._fields and loaded(self._fields["model"]) != self.model:
            self.put("model", self.model)

    def put(self, name: str, value: Any) -> None:
        self._fields[name] = Raw(_encode(value))

    def count(self, *names: str) -> int | None:
        """The first of the fields that holds a whole number above zero."""
        for name in names:
            value = self.get(name)
            if type(value) is int and value > 0:
                return value
        return None

    def body_for(self, provider_model: str) -> bytes:
        """The body as one provider gets it: each value as it came, and each field once. Of a field that is named twice
        the gateway reads the last, and a provider that took the first would serve another call than was decided on."""
        return _encode(self._fields | {"model": provider_model})

    def input_estimate(self, bytes_per_token: int) -> int:
        """Roughly the tokens of the whole body; images count by a flat figure rather than by their bytes."""
        size = len(self._raw)
        images = 0
        if size > _LONG_STRING and _holds_long_base64(self._raw):
            for part in self._raw.split(b'"'):
                if len(part) > _LONG_STRING and not _after_comma(part).translate(None, _BASE64):
                    size -= len(part)
                    images += 1
        return max(1, size // bytes_per_token + images * _IMAGE_TOKENS)


def _holds_long_string(raw: bytes) -> bool:
    """Whether there are more bytes in a row than those of a long string, and no quotation mark among them."""
    at, last = 0, len(raw) - _LONG_STRING
    while at < last:
        mark = raw.rfind(b'"', at, at + _LONG_STRING + 1)
        if mark < 0:
            return True
        at = mark + 1
    return False


def _holds_long_base64(raw: bytes) -> bool:
    """False when no string in `raw` can be an image: one of that length would fill at least one of the samples."""
    if not _holds_long_string(raw):
        return False
    steps = range(_LONG_STRING // 2, len(raw), _LONG_STRING // 2)
    return (
        any(not raw[at : at + _SAMPLE].translate(None, _BASE64) for at in steps) and _ATTACHED.search(raw) is not None
    )


def _after_comma(text: bytes) -> bytes:
    """The payload of a data URL; anything else as it is."""
    return text[text.index(b",") + 1 :] if text.startswith(b"data:") and b"," in text[:200] else text


def fields_of(body: bytes) -> dict[str, Raw]:
    """The fields of a JSON object; raises Refusal `invalid_request` when the body is none."""
    try:
        return _decode_object(body)
    except msgspec.ValidationError:
        raise invalid_request("The request body must be a JSON object.") from None
    except UNREADABLE as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> Refusal:
    reason = {RecursionError: "nested too deeply", UnicodeDecodeError: "not all of it is UTF-8"}.get(type(error))
    return invalid_request(f"The request body is not valid JSON: {reason or error}.")


def open_envelope(body: bytes) -> Envelope:
    """Raises Refusal `invalid_request` unless the body is a JSON object that names a model."""
    fields = fields_of(body)
    raw = fields.get("model")
    if raw is None:
        raise invalid_request("The field 'model' is missing.", field="model")
    model = loaded(raw)
    if not isinstance(model, str) or not model:
        raise invalid_request("The field 'model' must be a model's name, as text.", field="model")
    return Envelope(body, fields, model)
