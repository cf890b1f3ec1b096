"""What a prompt is taken for before its provider has counted it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.gateway.envelope import open_envelope

LONG = 8_192
SIZES = st.one_of(st.integers(0, 300), st.integers(LONG - 3, LONG + 3), st.integers(20_000, 60_000))


@given(
    parts=st.lists(st.tuples(SIZES, st.sampled_from(["A", "/", "a b", "\u00e9", 'x\\"'])), max_size=6),
    told=st.booleans(),
)
def test_images_count_by_a_flat_figure_and_texts_by_their_bytes(parts: list[tuple[int, str]], told: bool) -> None:
    texts = [(piece * size)[:size] for size, piece in parts]
    body = json.dumps({"model": "m", "type": "base64" if told else "text", "parts": texts}, ensure_ascii=False).encode()
    images = [text for text in texts if told and len(text) > LONG and not text.strip("A/")]
    expected = (len(body) - sum(map(len, images))) // 4 + 1_600 * len(images)
    assert open_envelope(body).input_estimate(4) == expected
