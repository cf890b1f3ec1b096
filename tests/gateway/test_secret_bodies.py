"""What rules are shown of a body, and that taking something out changes nothing else."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.test_secrets import rule
from sluicegate.domain.secret_rule import SecretAction
from sluicegate.gateway.secrets import Body
from sluicegate.policy.refusals import Refusal
from sluicegate.policy.secrets import SecretRules

pytestmark = pytest.mark.any_stack

KEY = "AKIAIOSFODNN7EXAMPLE"
RULE = rule("AKIA[A-Z2-7]{16}", "AWS key")
RULES = SecretRules([RULE])
GONE = "[REDACTED: AWS key]"


def shown(value: Any) -> list[str]:
    return Body(json.dumps(value).encode()).texts


def redacted(raw: bytes, rules: SecretRules = RULES) -> bytes:
    body = Body(raw)
    return body.without(rules.scan(body.texts).hits)


def escaped(text: str, chance: random.Random) -> bytes:
    """A JSON string with every character written in one of the ways that there are."""

    def written(char: str) -> str:
        units = char.encode("utf-16-be", "surrogatepass")
        long = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
        plain = json.dumps(char, ensure_ascii="\ud800" <= char <= "\udfff")[1:-1]
        return chance.choice((long, long.upper().replace("\\U", "\\u"), plain, "\\/" if char == "/" else plain))

    return ('"' + "".join(map(written, text)) + '"').encode()


@pytest.mark.parametrize(
    "field", ["text", "content", "input", "thinking", "arguments", "description", "name", "title", "data", "id", "url"]
)
def test_a_secret_is_found_wherever_it_is(field: str) -> None:
    for value in ({field: KEY}, {"x": [{field: f"here: {KEY}."}]}, [[{field: {"deep": KEY}}]], {"a": {KEY: 1}}):
        raw = json.dumps({"messages": value}).encode()
        assert redacted(raw) == raw.replace(KEY.encode(), GONE.encode())


def test_escapes_hide_nothing_and_what_is_not_secret_stays_the_same_bytes() -> None:
    raw = rb'{"a" : "\u00e9\uD83D\uDE00 \u0041KIAIOSF\u004fDNN7EXAMPLE\/\n" ,"n":1.50,"b":"\u0041"}'
    assert redacted(raw) == rb'{"a" : "\u00e9\uD83D\uDE00 [REDACTED: AWS key]\/\n" ,"n":1.50,"b":"\u0041"}'


def test_a_field_that_is_there_twice_is_looked_at_twice() -> None:
    raw = b'{"text":"%s","text":"fine"}' % KEY.encode()
    assert redacted(raw) == b'{"text":"[REDACTED: AWS key]","text":"fine"}'


def test_arguments_are_json_within_json() -> None:
    inner = json.dumps({"path": "a\nb", "key": f"x{KEY}".replace("K", "\u212a") + KEY, "n": [1, 2.50]})
    hidden = inner.replace(KEY, "\\u0041" + KEY[1:])
    raw = json.dumps({"arguments": hidden, "after": "same"}).encode()
    told = json.loads(redacted(raw))
    assert json.loads(told["arguments"]) == json.loads(inner.replace(KEY, GONE))
    assert told["after"] == "same"
    # What only looks like JSON is a text.
    assert json.loads(redacted(json.dumps({"arguments": "{" + KEY}).encode()))["arguments"] == "{" + GONE


def test_a_value_is_looked_at_together_with_its_name() -> None:
    rules = SecretRules([rule("password: (\\S{8,})", "Password")])
    raw = json.dumps({"input": {"password": "hunter2hunter2", "user": "ada"}, "p": "password: hunter2hunter2"}).encode()
    told = json.loads(redacted(raw, rules))
    assert told["input"] == {"password": "[REDACTED: Password]", "user": "ada"}
    nested = json.dumps({"arguments": json.dumps({"password": "hunter2hunter2"})}).encode()
    assert json.loads(json.loads(redacted(nested, rules))["arguments"]) == {"password": "[REDACTED: Password]"}


def test_one_find_is_counted_once() -> None:
    for value in ({"key": KEY}, {"arguments": json.dumps({"key": KEY})}, {"text": KEY}):
        body = Body(json.dumps(value).encode())
        assert {found.name: len(places) for found, places in body.places(RULES.scan(body.texts).hits).items()} == {
            "AWS key": 1
        }


def test_attachments_and_names_of_parts_are_not_shown() -> None:
    image = "AKIAIOSFODNN7EXAMPLE" * 60
    parts = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": image}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + image}},
        {"inlineData": {"mimeType": "image/png", "data": image}},
        {"type": "tool_use", "id": "toolu_AKIAIOSFODNN7EXAMPLE", "name": "x", "input": {}},
        {"type": "tool_result", "tool_use_id": "toolu_AKIAIOSFODNN7EXAMPLE"},
        {"type": "thinking", "thinking": "hm", "signature": image},
        {"type": "reasoning", "encrypted_content": image},
    ]
    raw = json.dumps(parts).encode()
    assert redacted(raw) == raw
    # Text in the same fields is text.
    for value in ({"data": KEY}, {"url": "data:text/plain;base64," + KEY}, {"data": f"{image} {KEY}"}, {"id": KEY}):
        assert GONE.encode() in redacted(json.dumps(value).encode())


def test_half_a_surrogate_pair_is_no_reason_to_look_away() -> None:
    raw = b'{"text":"cut \\ud83d %s \\ude00","b":"\\ud83d"}' % KEY.encode()
    assert redacted(raw) == raw.replace(KEY.encode(), GONE.encode())


@pytest.mark.parametrize("raw", [b'{"a":"\\x41"}', b'{"a":"\xff\xfe"}', b'{"a":"\\u12"}'])
def test_text_that_cannot_be_read_is_refused(raw: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        Body(raw)
    assert (refused.value.code, refused.value.status) == ("invalid_request", 400)


def test_overlapping_finds_are_replaced_as_one() -> None:
    rules = SecretRules(
        [rule("abcd", "one"), rule("cdef", "two"), rule("bc", "three"), rule("log", "x", SecretAction.LOG)]
    )
    assert redacted(b'["xabcdefy"]', rules) == b'["x[REDACTED: one]y"]'


WORDS = st.text(alphabet='aZ0 "\\/\n\té€😀\ud83d\u2028', max_size=8)
TEXTS = st.lists(st.one_of(WORDS, st.just(KEY)), max_size=5).map("".join)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["text", "content", "input", "arguments", "data", "k\n"]), inner, max_size=4),
    ),
    max_leaves=12,
)


def without_key(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(KEY, GONE)
    if isinstance(value, list):
        return [without_key(inner) for inner in value]
    if isinstance(value, dict):
        return {name: without_key(inner) for name, inner in value.items()}
    return value


def written(value: Any, chance: random.Random) -> bytes:
    if isinstance(value, str):
        return escaped(value, chance)
    space = b" " * chance.randrange(2)
    if isinstance(value, list):
        return b"[" + (space + b",").join(written(inner, chance) for inner in value) + b"]"
    if isinstance(value, dict):
        pairs = (escaped(name, chance) + space + b":" + written(inner, chance) for name, inner in value.items())
        return b"{" + b",".join(pairs) + b"}"
    return json.dumps(value).encode()


@settings(max_examples=300)
@given(VALUES, st.integers(0, 2**32))
def test_redaction_changes_what_is_secret_and_nothing_else(value: Any, seed: int) -> None:
    raw = written(value, random.Random(seed))
    assert json.loads(raw) == value
    told = redacted(raw)
    assert json.loads(told) == without_key(value)
    if without_key(value) == value:
        assert told == raw
    assert redacted(told) == told


@settings(max_examples=150)
@given(
    st.text(alphabet='ab1 "\\\né😀', max_size=40),
    st.sampled_from(["a", "b+", '"', "\\\\", "[^a]", "é", "😀", "(a)b", "(?s)a.*?b", "\\n"]),
    st.integers(0, 2**32),
)
def test_whatever_is_replaced_the_body_stays_json(text: str, pattern: str, seed: int) -> None:
    raw = b'[[1,"x\\u00e9"],' + escaped(text, random.Random(seed)) + b',{"n":0}]'
    rules = SecretRules([rule(pattern, "r")])
    told = json.loads(redacted(raw, rules))
    hits = [hit for hit in rules.scan([text]).hits if hit.end > hit.start]
    expected, at, data = b"", 0, text.encode()
    for hit in sorted(hits, key=lambda hit: hit.start):
        expected += data[at : hit.start] + b"[REDACTED: r]"
        at = hit.end
    assert told[1].encode() == expected + data[at:]


def code_of(raw: bytes) -> str:
    try:
        redacted(raw)
    except Refusal as refusal:
        return refusal.code
    return "ok"


@given(st.binary(max_size=60))
def test_no_bytes_bring_it_to_fall(raw: bytes) -> None:
    assert code_of(raw) in ("ok", "invalid_request")
