"""Patterns that are refused and why, and that one pass over many texts finds what each text holds by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.secret_rule import MAX_PATTERN_LENGTH, SecretAction, SecretCheck, SecretRule, passes_luhn
from sluicegate.policy.secret_patterns import SENTINEL, Filter, fault_of
from sluicegate.policy.secrets import MAX_COUNTED, MAX_REPLACED, Hit, SecretRules

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def rule(pattern: str, name: str = "r", action: SecretAction = SecretAction.REDACT, **values: object) -> SecretRule:
    known = {"check": SecretCheck.NONE, "enabled": True, "template": None, "created_at": NOW} | values
    return SecretRule(id=name, name=name, description="", pattern=pattern, action=action, **known)  # type: ignore[arg-type]


def found(rules: list[SecretRule], *texts: str) -> list[tuple[str, int, str]]:
    """Rule, text and what was matched."""
    return [(hit.rule.name, hit.text, part(texts, hit)) for hit in SecretRules(rules).scan(texts).hits]


def part(texts: tuple[str, ...], hit: Hit) -> str:
    return texts[hit.text].encode("utf-8", "surrogatepass")[hit.start : hit.end].decode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("pattern", "reason", "position"),
    [
        ("", "it is empty", None),
        ("x" * (MAX_PATTERN_LENGTH + 1), f"it has more than {MAX_PATTERN_LENGTH} characters", None),
        ("a(?=b)", "look-around", 1),
        ("(?<!a)b", "look-around", 0),
        ("(a)\\1", "back-references", 3),
        ("end\\Z", "\\z", 3),
        ("a*+", "possessive", 1),
        ("*a", "nothing to repeat", 0),
        ("a{1001}", "at most 1000", 1),
        ("ab[cd", "not closed by ]", 2),
        ("x(a(b)", "not closed by )", 1),
        ("[(](a", "not closed by )", 3),
        ("a)b", "no group for this )", 1),
        ("[z-a]", "range", 1),
        ("a\\", "ends in a backslash", 1),
        ("x\\C", "cut characters in two", 1),
        ("\\p{L}{900}", "too large", None),
        ("a*", "every text", None),
        ("\\b", "every text", None),
        ("(?m)$", "every text", None),
        ("a|", "every text", None),
        ("a\0b", "no text may hold", None),
        ("\ud800", "no text may hold", None),
    ],
)
def test_a_pattern_that_cannot_be_used_is_explained(pattern: str, reason: str, position: int | None) -> None:
    fault = fault_of(pattern)
    assert fault is not None
    assert reason in fault.reason
    assert fault.position == position
    assert pattern == "" or len(str(fault)) < 400


@given(st.text(alphabet="ab01()[]{}?*+|\\^$.-:<=!PnZzC,é\n", max_size=30))
def test_whatever_is_accepted_compiles_and_never_matches_nothing(pattern: str) -> None:
    if fault_of(pattern) is None:
        for text in ("", "ab01", "a\nb", "é(0)"):
            for hit in SecretRules([rule(pattern)]).scan([text]).hits:
                assert hit.end > hit.start


def test_a_match_never_reaches_from_one_text_into_the_next() -> None:
    anything = rule("(?s)a.*")
    assert found([anything], "xay", "", "bab", "z") == [("r", 0, "ay"), ("r", 2, "ab")]
    assert found([rule("password\\s*=\\s*\\w+")], "password =", "hunter2", "password = hunter2") == [
        ("r", 2, "password = hunter2")
    ]


def test_anchors_mean_lines_and_texts() -> None:
    assert found([rule("^key$")], "a\nkey\nb", "key", "keys") == [("r", 0, "key"), ("r", 1, "key")]
    assert found([rule("\\Akey")], "a\nkey", "key\nkey") == [("r", 1, "key")]
    assert found([rule("key\\z")], "key\na", "a key") == [("r", 1, "key")]
    assert found([rule("(?-m:^)key")], "a\nkey", "key") == [("r", 1, "key")]


def test_of_a_group_only_the_group_is_the_secret() -> None:
    assert found([rule("pw=(\\w+);")], "pw=abc; pw=d;") == [("r", 0, "abc"), ("r", 0, "d")]
    assert found([rule("pw=(\\w+)?;")], "pw=;") == [("r", 0, "pw=;")]


def test_a_card_number_is_found_within_longer_numbers_and_only_with_its_check_digit() -> None:
    card = rule("\\b[2-6]\\d{3}(?: ?\\d{4}){3}\\b", check=SecretCheck.LUHN)
    assert found([card], "4322 4111 1111 1111 1111", "4111 1111 1111 1112") == [("r", 0, "4111 1111 1111 1111")]
    assert not passes_luhn(b"0000 0000 0000 0000")


def test_a_rule_that_matches_without_end_is_counted_to_a_bound_and_not_half_replaced() -> None:
    text = "ab " * (MAX_REPLACED + 1)
    scan = SecretRules([rule("ab", "counted", SecretAction.LOG), rule("b", "replaced")]).scan([text])
    assert len([hit for hit in scan.hits if hit.rule.name == "counted"]) == MAX_COUNTED
    assert [flooding.name for flooding in scan.flooding] == ["replaced"]
    assert SecretRules([rule("b")]).scan([text[: -len("ab ")]]).flooding == []


def test_when_the_filter_fails_every_rule_is_asked() -> None:
    """Out of memory it gives nothing, and its own sentinel is what it then misses."""
    whole = Filter(["abc", "xyz"])
    assert whole.candidates(b"an abc here" + SENTINEL) == [0]
    assert whole.candidates(b"nothing here, not even the end") == [0, 1]


PATTERNS = [
    "ab+",
    "(?i)KEY",
    "a.b",
    "\\bx\\b",
    "^a",
    "b$",
    "[^a]{2}",
    "a(b)?",
    "é|ü",
    "\\s+k",
    "\\Aab",
    "b\\z",
    "(?s)a.*b",
]


@given(
    st.lists(st.text(alphabet="abkxKeyé\n ü\ud800", max_size=12), max_size=6),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=5, unique=True),
)
def test_one_pass_over_all_finds_what_each_rule_finds_in_each_text(texts: list[str], patterns: list[str]) -> None:
    together = found([rule(pattern, pattern) for pattern in patterns], *texts)
    alone = [
        (pattern, index, what)
        for pattern in patterns
        for index, text in enumerate(texts)
        for _, _, what in found([rule(pattern, pattern)], text)
    ]
    assert sorted(together) == sorted(alone)
