"""Looks for secrets in what callers send, and takes them out of the very bytes of the body.

Every string of the JSON is looked at as the text that it stands for: escapes hide nothing, and neither does a field
that is there twice. Only the bytes of what was found are replaced.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from sluicegate.domain.secret_rule import SecretAction, SecretFinding, SecretRule
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import loaded
from sluicegate.kit.aside import in_turn
from sluicegate.kit.clock import Clock
from sluicegate.kit.ids import new_id
from sluicegate.policy.principals import Principal
from sluicegate.policy.refusals import invalid_request
from sluicegate.policy.secrets import Hit, Scan, SecretRules, cut, placeholder, secret_blocked, secrets_flooded
from sluicegate.policy.service import PolicyService

# What takes longer is done beside the event loop, and no more than two at once.
_AT_ONCE_SECONDS = 0.0005
_THREADS = 2

_STRING = re.compile(rb'"([^"]*+)"[ \t\r\n]*+(:?)')
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_decode_texts = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.Encoder().encode

# By these the parts of a conversation name each other, or a provider knows its own words again: opaque, and of no use
# once they are changed.
_OPAQUE = frozenset(
    {
        *(b"tool_use_id", b"tool_call_id", b"call_id", b"item_id", b"previous_response_id", b"response_id"),
        *(b"signature", b"encrypted_content", b"thoughtSignature", b"thought_signature", b"prompt_cache_key"),
    }
)
_OWN_ID = re.compile(rb"(?:toolu|srvtoolu|call|msg|rs|fc|ctc|resp|item|chatcmpl|ws|ci)_[\w-]{4,80}")
_WORD = re.compile(rb"[a-z][a-z0-9_]{0,40}")
_ATTACHED = frozenset({b"data", b"file_data", b"url", b"image_url", b"image"})
_LONG = 512
_STEP = 256 * 1024
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\"
# A value of this size or less is also looked at together with its name, as in an assignment.
_PAIRED = 256
_TEXTUAL = frozenset({b"text", b"content", b"type", b"role", b"model", b"name", b"description", b"title", b"input"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One text for the rules, and the string that it came from: `start` and `end` are within its quotes. `prefix` bytes
    were put before it; `inner` is JSON that the string itself holds, and `index` is the text's place in that."""

    start: int
    end: int
    prefix: int = 0
    inner: Body | None = None
    index: int = 0


class Body:
    """JSON with its strings laid out."""

    __slots__ = ("pieces", "raw", "texts")

    def __init__(self, raw: bytes, *, nested: bool = False) -> None:
        """Raises Refusal `invalid_request` for text that cannot be read."""
        self.raw = raw
        self.pieces: list[Piece] = []
        self.texts: list[str] = []
        self._lay_out(nested)

    def _lay_out(self, nested: bool) -> None:
        raw = self.raw
        spans = list(_spans(raw))
        decoded = _texts([raw[start:end] for _, start, end in spans])
        for (name, start, end), text in zip(spans, decoded, strict=True):
            if name == b"arguments" and not nested and text.lstrip()[:1] in ("{", "["):
                inner = text.encode("utf-8", "surrogatepass")
                if loaded(inner) is not None:
                    body = Body(inner, nested=True)
                    self.pieces.extend(Piece(start, end, 0, body, index) for index in range(len(body.texts)))
                    self.texts.extend(body.texts)
                    continue
            self.pieces.append(Piece(start, end))
            self.texts.append(text)
            if name and len(text) <= _PAIRED and name not in _TEXTUAL:
                shown = _text(name) + ": "
                self.pieces.append(Piece(start, end, prefix=len(shown.encode("utf-8", "surrogatepass"))))
                self.texts.append(shown + text)

    def without(self, hits: Sequence[Hit]) -> bytes:
        """The body with every hit replaced by the name of its rule; all else is the same bytes."""
        cuts: list[tuple[int, int, bytes]] = []
        within: dict[Piece, list[Hit]] = {}
        for hit in hits:
            piece = self.pieces[hit.text]
            start, end = max(hit.start, piece.prefix), hit.end
            if piece.inner is not None:
                whole = Piece(piece.start, piece.end, inner=piece.inner)
                within.setdefault(whole, []).append(Hit(hit.rule, piece.index, hit.start, hit.end))
            elif start < end:
                first, last = _in_raw(self.raw[piece.start : piece.end], start - piece.prefix, end - piece.prefix)
                cuts.append((piece.start + first, piece.start + last, _quoted(placeholder(hit.rule))))
        for piece, own in within.items():
            if piece.inner is not None:
                text = piece.inner.without(own).decode("utf-8", "surrogatepass")
                cuts.append((piece.start, piece.end, _quoted(text)))
        return cut(self.raw, cuts)

    def places(self, hits: Sequence[Hit]) -> dict[SecretRule, set[tuple[int, ...]]]:
        """Where each rule matched: what it found in a value by itself and beside its name is in one place."""
        found: dict[SecretRule, set[tuple[int, ...]]] = {}
        for hit in hits:
            if place := self._place(hit.text, hit.start, hit.end):
                found.setdefault(hit.rule, set()).add(place)
        return found

    def _place(self, text: int, start: int, end: int) -> tuple[int, ...]:
        piece = self.pieces[text]
        if piece.inner is not None:
            inner = piece.inner._place(piece.index, start, end)
            return (piece.start, *inner) if inner else ()
        start, end = max(start, piece.prefix) - piece.prefix, end - piece.prefix
        return (piece.start, start, end) if start < end else ()


def _spans(raw: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, beginning and end of every string that rules are shown; a name is empty where there is none."""
    name, name_end = b"", -1
    # Without the quotes that are escaped, every other one ends a string.
    bare = raw.replace(rb"\\", b"__").replace(rb"\"", b"__")
    for found in _STRING.finditer(bare):
        start, end = found.span(1)
        if found.end(2) > found.start(2):
            name, name_end = raw[start:end], found.end()
            if end > start:
                yield b"", start, end
            continue
        own = name if name_end >= 0 and not raw[name_end : start - 1].strip() else b""
        name_end = -1
        if end > start and not _passed_over(own, raw, start, end):
            yield own, start, end


def _passed_over(name: bytes, raw: bytes, start: int, end: int) -> bool:
    if not name:
        return False
    if name in _OPAQUE:
        return True
    if name == b"id":
        return _OWN_ID.fullmatch(raw, start, end) is not None
    if name in (b"type", b"role"):
        return _WORD.fullmatch(raw, start, end) is not None
    return name in _ATTACHED and end - start > _LONG and _is_base64(raw, start, end)


def _is_base64(raw: bytes, start: int, end: int) -> bool:
    """Whether a value is an attachment: base64, by itself or in a data URL."""
    if raw.startswith(b"data:", start):
        comma = raw.find(b",", start, start + 200)
        if comma < 0 or not raw[start:comma].endswith(b";base64"):
            return False
        start = comma + 1
    return not any(raw[at : min(at + _STEP, end)].translate(None, _BASE64) for at in range(start, end, _STEP))


def _texts(raws: list[bytes]) -> list[str]:
    """What strings stand for, all in one go where that works."""
    if not raws:
        return []
    try:
        return _decode_texts(b'["' + b'","'.join(raws) + b'"]')
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Programs that cut a text in the middle of an emoji send half of a pair.
        return [_text(raw) for raw in raws]


def _text(raw: bytes) -> str:
    try:
        text = json.loads(f'"{raw.decode()}"', strict=False)
    except ValueError:
        raise invalid_request("The request body is not valid JSON: a text in it cannot be read.") from None
    return str(text)


def _in_raw(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where bytes of a text lie in the JSON string that it came from: whole characters, whole escapes."""
    first, last, text_at, raw_at = -1, len(raw), 0, 0
    for text_size, raw_size in _units(raw):
        if first < 0 and text_at + text_size > start:
            first = raw_at + (start - text_at if text_size == raw_size else 0)
        if text_at + text_size >= end:
            last = raw_at + (end - text_at if text_size == raw_size else raw_size)
            break
        text_at += text_size
        raw_at += raw_size
    return max(first, 0), last


def _units(raw: bytes) -> Iterator[tuple[int, int]]:
    """The sizes of each escape and of each stretch between them: in the text as UTF-8, and as written."""
    at = 0
    escapes = _ESCAPE.finditer(raw)
    held: re.Match[bytes] | None = next(escapes, None)
    while held is not None:
        if held.start() > at:
            yield held.start() - at, held.start() - at
        following = next(escapes, None)
        size, at = 1, held.end()
        if held[1] is not None:
            point = int(held[1], 16)
            low = following is not None and following.start() == at and following[1] is not None
            if 0xD800 <= point < 0xDC00 and low and following is not None and 0xDC00 <= int(following[1], 16) < 0xE000:
                size, at = 4, following.end()
                following = next(escapes, None)
            else:
                size = 1 if point < 0x80 else 2 if point < 0x800 else 3
        yield size, at - held.start()
        held = following
    if at < len(raw):
        yield len(raw) - at, len(raw) - at


def _quoted(text: str) -> bytes:
    """As it stands between the quotes of a JSON string."""
    try:
        return _encode(text)[1:-1]
    except UnicodeEncodeError:
        return json.dumps(text)[1:-1].encode()


class Guard:
    """Clears bodies before anything leaves."""

    def __init__(self, policy: PolicyService, found: Callable[[Sequence[SecretFinding]], None], clock: Clock) -> None:
        self._policy = policy
        self._found = found
        self._clock = clock
        self._threads = asyncio.Semaphore(_THREADS)

    async def clear(self, envelope: Envelope, principal: Principal, model_slug: str, call_id: str) -> None:
        """Takes out of a body what the rules of this moment say; raises Refusal for a call that they block."""
        raw = envelope.raw
        while (rules := await self._policy.secret_rules()) is not None:
            body, (hits, flooding) = await self._look(rules, raw)
            # Rules that changed meanwhile decide anew: the change may have been answered by now.
            if rules is not await self._policy.secret_rules():
                continue
            places = body.places(hits)
            blocking = [rule for rule in places if rule.action is SecretAction.BLOCK] or flooding
            self._tell(
                {rule: len(places.get(rule, "?")) for rule in blocking or places}, principal, model_slug, call_id
            )
            if blocking:
                raise secret_blocked(blocking) if blocking is not flooding else secrets_flooded(flooding)
            if replaced := [hit for hit in hits if hit.rule.action is SecretAction.REDACT]:
                envelope.replace(body.without(replaced))
            return

    async def _look(self, rules: SecretRules, raw: bytes) -> tuple[Body, Scan]:
        if rules.cost_of(len(raw)) <= _AT_ONCE_SECONDS:
            return _look(rules, raw)
        return await in_turn(self._threads, _look, rules, raw)

    def _tell(self, found: dict[SecretRule, int], principal: Principal, model_slug: str, call_id: str) -> None:
        if not found:
            return
        user_id, user_label, key_id, key_label, _ = principal.named
        now = self._clock.now()
        caller = user_id, user_label, key_id, key_label, model_slug, call_id
        self._found(
            [SecretFinding(new_id(), now, rule.id, rule.name, rule.action, n, *caller) for rule, n in found.items()]
        )


def _look(rules: SecretRules, raw: bytes) -> tuple[Body, Scan]:
    body = Body(raw)
    return body, rules.scan(body.texts)
