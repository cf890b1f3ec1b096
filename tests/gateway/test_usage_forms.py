"""Usage blocks: the usual form is read at once, and as the general way reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluicegate.gateway.dialects.chat import ChatCompletions, reading_of

pytestmark = pytest.mark.any_stack

_FIGURES = st.one_of(
    st.integers(-2, 30),
    st.sampled_from([10**9 - 1, 10**9, 2**70]),
    st.none(),
    st.booleans(),
    st.floats(-1, 9),
    st.just("12"),
)


def _block(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, _FIGURES))


_DETAILS = st.one_of(st.none(), st.just([]), _block("cached_tokens", "cache_write_tokens"))
_USAGE = st.builds(
    lambda totals, told, made: totals | told | made,
    _block("prompt_tokens", "completion_tokens", "total_tokens"),
    st.fixed_dictionaries({}, optional={"prompt_tokens_details": _DETAILS}),
    st.fixed_dictionaries({}, optional={"completion_tokens_details": st.one_of(st.none(), _block("reasoning_tokens"))}),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_USAGE)
def test_whatever_form_usage_has_it_is_read_as_the_general_way_reads_it(usage: dict[str, Any]) -> None:
    body = json.dumps({"choices": [], "usage": usage}).encode()
    assert ChatCompletions().read(body) == reading_of(json.loads(body)["usage"])
