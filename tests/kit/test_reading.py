"""Values as operators write them."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.kit.reading import Reader, flag, number, one_of, optional, whole

_PORT, _SECONDS, _SOME_SECONDS = whole(0, 65535), number(0, 3600), number(0, 3600, above=True)
_STATUS, _LEVEL = one_of(Literal[402, 403, 429]), one_of(Literal["debug", "info"])


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (_PORT, "8080", 8080),
        (_PORT, "+5", 5),
        (_PORT, " 5\n", 5),
        (_PORT, "1_000", 1000),
        (_PORT, "-0", 0),
        (_SECONDS, "0", 0.0),
        (_SECONDS, "1e3", 1000.0),
        (_SECONDS, " .5 ", 0.5),
        (_SECONDS, "1_0.5", 10.5),
        (_SOME_SECONDS, "3600", 3600.0),
        *((flag, text, True) for text in ("1", "true", "TRUE", "t", "Yes", "y", "on", " true ")),
        *((flag, text, False) for text in ("0", "false", "False", "F", "no", "N", "OFF")),
        (_STATUS, "402", 402),
        (_LEVEL, "INFO", "info"),
        (optional(_PORT), "", None),
        (optional(_PORT), "25", 25),
    ],
)
def test_it_is_read_in_every_usual_way(read: Reader[Any], text: str, value: Any) -> None:
    found = read(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (_PORT, "65536", "must be a whole number from 0 to 65535, not '65536'"),
        *((_PORT, text, f"must be a whole number from 0 to 65535, not '{text}'") for text in ("", "-1", "5.0", "0x10")),
        (_PORT, "9" * 5000, "must be a whole number from 0 to 65535"),
        *(
            (_SECONDS, text, f"must be a number from 0 to 3600, not '{text}'")
            for text in ("", "nan", "inf", "-1", "1e")
        ),
        (_SOME_SECONDS, "0", "must be a number above 0 and at most 3600, not '0'"),
        *((flag, text, f"must be true or false, not '{text}'") for text in ("", "2", "perhaps")),
        (_STATUS, "200", "must be 402, 403 or 429, not '200'"),
        (_LEVEL, "", "must be debug or info, not ''"),
        (optional(_PORT), " ", "must be a whole number from 0 to 65535, not ' '"),
    ],
)
def test_anything_else_is_told_what_it_must_be(read: Reader[Any], text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^must be ") as caught:
        read(text)
    assert str(caught.value).startswith(sentence)


@given(st.integers(0, 65535), st.floats(0, 3600))
def test_what_is_written_is_read_back(whole_number: int, seconds: float) -> None:
    assert _PORT(str(whole_number)) == whole_number
    assert _SECONDS(str(seconds)) == seconds


@given(st.one_of(st.text(), st.floats().map(str), st.text("0123456789_+-.eE nainf", max_size=8)))
def test_nothing_is_read_beyond_its_bounds(text: str) -> None:
    for read, most in ((_PORT, 65535), (_SECONDS, 3600)):
        try:
            value = read(text)
        except ValueError as error:
            assert repr(text) in str(error)  # noqa: PT017 - most texts are none
        else:
            assert math.isfinite(value)
            assert 0 <= value <= most
