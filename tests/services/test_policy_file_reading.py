"""What a policy file says, and every way in which it can be wrong: each fault with its line, all of them at once."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from sluicegate.kit.money import NANOS_PER_USD
from sluicegate.services.absent import ABSENT
from sluicegate.services.policy_file.nodes import MAX_CHARACTERS, InvalidDocument
from sluicegate.services.policy_file.reading import GroupEntry, PolicyFile, read_policy
from sluicegate.services.policy_file.schema import json_schema

DOCS = Path(__file__).resolve().parents[2] / "docs/policy-file.md"


def example() -> str:
    found = re.search(r"^```yaml\n(.*?)^```$", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def groups_of(file: PolicyFile) -> dict[str, GroupEntry]:
    assert file.groups is not ABSENT
    return {group.name.value: group for group in file.groups}


def group(text: str) -> GroupEntry:
    return groups_of(read_policy(f"version: 1\ngroups:\n  A: {text}\n"))["A"]


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read_policy(text)
    assert caught.value.field == "document"
    assert caught.value.message.startswith(str(caught.value.faults[0]))
    return [str(fault) for fault in caught.value.faults]


def test_the_documented_example_is_read() -> None:
    file = read_policy(example())
    assert file.models is not ABSENT
    sonnet, embed = file.models
    assert (sonnet.slug.value, sonnet.name, sonnet.kind, embed.backends) == (
        "claude-sonnet",
        "Claude Sonnet",
        ABSENT,
        ABSENT,
    )
    assert sonnet.backends is not ABSENT
    assert [(b.provider.value, b.model.value, b.priority, b.weight) for b in sonnet.backends] == [
        ("Anthropic", "claude-sonnet-4-5", 0, 1),
        ("Fallback", "claude-sonnet-4-5", 1, 1),
    ]
    groups = groups_of(file)
    engineering, contractors = groups["Engineering"], groups["Contractors"]
    assert engineering.each.limits == {"requests": 120, "input_tokens": None}
    assert engineering.each.thresholds == (50, 80, 100)
    assert engineering.pool.caps == {"month": 5_000 * NANOS_PER_USD}
    # By anchor.
    assert contractors.each.limits == {"requests": 30, "concurrent_requests": 4}
    assert contractors.each.caps == {"day": 12_500_000_000, "month": 100 * NANOS_PER_USD}


def test_what_is_left_out_differs_from_what_is_emptied() -> None:
    nothing = group("{}")
    assert (nothing.description, nothing.grants, nothing.members) == (ABSENT, ABSENT, ABSENT)
    assert (nothing.each.limits, nothing.each.caps, nothing.each.thresholds) == ({}, {}, ABSENT)
    emptied = group(
        "{description: '', grants: [], limits: {requests_per_minute: null}, budget: {alert_thresholds: []}}"
    )
    assert (emptied.description, emptied.grants) == ("", ())
    assert (emptied.each.limits, emptied.each.thresholds) == ({"requests": None}, ())
    assert read_policy("version: 1").groups is ABSENT
    assert read_policy("version: 1\ngroups: {}").groups == ()


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("200", 200_000_000_000),
        ("0.1", 100_000_000),
        ("0.000000001", 1),
        ('"12.50"', 12_500_000_000),
        # As a float this would be 999999999.9999999 or a billion.
        ("999999999.999999999", 999_999_999_999_999_999),
        ("null", None),
        ("~", None),
    ],
)
def test_money_is_read_exactly(text: str, nanos: int | None) -> None:
    assert group(f"{{budget: {{monthly: {text}}}}}").each.caps == {"month": nanos}


@pytest.mark.parametrize(
    "text", ["-1", "1e12", "0.0000000001", ".inf", ".nan", "$5", "1,5", "1_000", "0x10", "1:30", "''", "true", "[1]"]
)
def test_amounts_that_cannot_be(text: str) -> None:
    (fault,) = faults(f"version: 1\ngroups:\n  A:\n    budget:\n      weekly: {text}\n")
    assert fault.startswith("line 5: groups.A.budget.weekly: ")


@pytest.mark.parametrize(
    "text", ["-1", "2000000001", "1.5", "1e3", "0x10", "010", "1_000", "'5'", "true", "many", "[]"]
)
def test_limits_that_cannot_be(text: str) -> None:
    (fault,) = faults(f"version: 1\ngroups:\n  A:\n    limits:\n      concurrent_requests: {text}\n")
    assert fault.startswith("line 5: groups.A.limits.concurrent_requests: must ")


@pytest.mark.parametrize(
    "text", ["null", "[0]", "[101]", "[1.5]", "['80']", "80", "[1,2,3,4,5,6,7,8,9,10,11]", "[null]"]
)
def test_thresholds_that_cannot_be(text: str) -> None:
    found = faults(f"version: 1\ngroups:\n  A:\n    budget:\n      alert_thresholds: {text}\n")
    assert all(fault.startswith("line 5: groups.A.budget.alert_thresholds") for fault in found)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty; begin with `version: 1`"),
        ("groups: {}", "line 1: version: is missing; begin with `version: 1`"),
        ("version: 2", "line 1: version: must be 1, the only one that this release reads"),
        ("version: 1\nversion: 1", "line 2: version: stands at line 1 already"),
        ("version: 1\ngroup: {}", "line 2: group: is not known here; did you mean groups?"),
        ("version: 1\nquux: {}", "line 2: quux: is not known here; the document takes version, models, groups"),
        ("version: 1\ngroups:", "line 2: groups: is empty; leave it out, or write {}"),
        ("version: 1\ngroups: []", "line 2: groups: must be a mapping: lines of `name: value`"),
        ("version: 1\ngroups:\n  Team:", "line 3: groups.Team: is empty; leave it out, or write {}"),
        ("version: 1\ngroups:\n  A: {}\n  a: {}", "line 4: groups.a: stands at line 3 already"),
        ("version: 1\ngroups:\n  no: {}", "line 3: groups.no: YAML reads no as yes or no; put quotes around it"),
        ("version: 1\ngroups:\n  7: {}", "line 3: groups.7: YAML reads 7 as a number; put quotes around it"),
        ("version: 1\ngroups:\n  a.b: {x: 1}", "line 3: groups.'a.b'.x: is not known here; a group takes description"),
        ("version: 1\ngroups:\n  A: {limit: {}}", "line 3: groups.A.limit: is not known here; did you mean limits?"),
        ("version: 1\ngroups:\n  A: {grants: fast}", "line 3: groups.A.grants: must be a list; write [] for none"),
        ("version: 1\ngroups:\n  A: {grants: [Fast]}", "line 3: groups.A.grants[0]: may hold lower-case letters"),
        (
            "version: 1\ngroups:\n  A:\n    grants:\n      - fast\n      - fast",
            "line 6: groups.A.grants[1]: fast stands at line 5 already",
        ),
        ("version: 1\ngroups:\n  A: {members: [nobody]}", "line 3: groups.A.members[0]: 'nobody' is not an e-mail"),
        ("version: 1\ngroups:\n  A: {description: 2026-11-29}", "line 3: groups.A.description: YAML reads 2026-11-29"),
        ("version: 1\nmodels:\n  Big One: {}", "line 3: models.Big One: may hold lower-case letters"),
        ("version: 1\nmodels:\n  m: {kind: image}", "line 3: models.m.kind: must be one of chat, embedding"),
        ("version: 1\nmodels:\n  m: {status: on}", "line 3: models.m.status: YAML reads on as yes or no"),
        ("version: 1\nmodels:\n  m: {backends: [{model: x}]}", "line 3: models.m.backends[0]: must name its provider"),
        (
            "version: 1\nmodels:\n  m: {backends: [{provider: P, model: x, weight: 0}]}",
            "line 3: models.m.backends[0].weight: must lie between 1 and 1000",
        ),
        ("a: [", "line 2: did not find expected node content"),
        ("\ta: 1", "line 1: found character that cannot start any token (indent with blanks"),
        ("version: 1\n---\nversion: 1", "line 2: holds a second document"),
        ("a: *b", "line 1: *b stands for nothing yet"),
        ("x-a: &a [*a]", "line 1: *a stands for nothing yet"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: the tag tag:yaml.org,2002:python/object/apply:os.system"),
        ("version: 1\nx-a: {<<: 5}", "line 2: << takes a mapping"),
        ("? [a]\n: 1", "line 1: a key must be text"),
        ("a\x00", "is not YAML"),
        ("a: \ud800", "must not contain broken Unicode"),
        ('version: 1\ngroups: {A: {description: "a\\0b"}}', "line 2: must not contain NUL"),
        (f"# {'x' * MAX_CHARACTERS}", "may have at most 500000"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, sentence: str) -> None:
    (fault,) = faults(text)
    assert sentence in fault


def test_all_faults_are_named_at_once_in_their_order() -> None:
    found = faults(
        "version: 1\n"
        "groups:\n"
        "  A:\n"
        "    limits: {requests_per_minute: -1}\n"
        "    budgets: {}\n"
        "models:\n"
        "  B b: {}\n"
        "  c: {backends: [{}]}\n"
    )
    assert [fault.partition(": ")[0] for fault in found] == ["line 4", "line 5", "line 7", "line 8"]


@pytest.mark.parametrize("text", ["[" * 300_000, "{a: " * 100_000, "- " * 20_000, "? " * 20_000])
def test_deep_nesting_is_refused_before_it_hurts(text: str) -> None:
    (fault,) = faults(text)
    assert "nested deeper than 20 levels" in fault


def test_a_short_text_cannot_stand_for_an_endless_one() -> None:
    lines = ["x-0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x-{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    (fault,) = faults("\n".join(lines))
    assert "stands for more than 200000 values" in fault


def test_what_stands_at_the_place_goes_before_what_is_merged() -> None:
    text = (
        "version: 1\n"
        "x-a: &a {requests_per_minute: 1, concurrent_requests: 2}\n"
        "x-b: &b {concurrent_requests: 3, output_tokens_per_minute: 4}\n"
        "groups:\n"
        "  A: {limits: {<<: [*a, *b], requests_per_minute: 9}}\n"
    )
    limits = groups_of(read_policy(text))["A"].each.limits
    assert limits == {"requests": 9, "concurrent_requests": 2, "output_tokens": 4}


def test_the_json_schema_takes_the_example_and_refuses_what_the_reader_refuses() -> None:
    validator = jsonschema_rs.validator_for(json_schema())
    validator.validate(yaml.safe_load(example()))
    for text in (
        "groups: {}",
        "version: 2",
        "version: 1\nquux: 1",
        "version: 1\ngroups: {A: null}",
        "version: 1\ngroups: {A: {limits: {requests_per_minute: -1}}}",
        "version: 1\ngroups: {A: {budget: {alert_thresholds: [0]}}}",
        "version: 1\ngroups: {A: {grants: [a, a]}}",
        "version: 1\nmodels: {A b: {}}",
        "version: 1\nmodels: {a: {kind: image}}",
        "version: 1\nmodels: {a: {backends: [{provider: P}]}}",
    ):
        assert not validator.is_valid(yaml.safe_load(text)), text
        assert faults(text)
