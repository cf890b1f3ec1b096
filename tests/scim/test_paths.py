"""Paths and filters as identity providers write them."""

from __future__ import annotations

import pytest

from sluicegate.services.scim.faults import ScimFault
from sluicegate.services.scim.paths import Path, parse_filter, parse_path
from sluicegate.services.scim.reading import assignments, boolean

pytestmark = pytest.mark.any_stack
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("displayName", Path("displayname")),
        (" userName ", Path("username")),
        ("name.givenName", Path("name", "givenname")),
        ('members[value eq "a b"]', Path("members", None, (("value", "a b"),))),
        ('emails[type eq "work"].value', Path("emails", "value", (("type", "work"),))),
        ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", Path("name", "familyname")),
        (f"{ENTERPRISE}:department", Path("department", foreign=True)),
        (f"{ENTERPRISE}:manager.value", Path("manager", "value", foreign=True)),
        ('members[value eq "a]b"]', Path("members", None, (("value", "a]b"),))),
    ],
)
def test_paths(written: str, path: Path) -> None:
    assert parse_path(written) == path


@pytest.mark.parametrize("written", ["", " ", "a b", "name.", ".name", "a.b.c", "members[", "a]", 7, None, "x" * 3000])
def test_what_is_no_path_is_refused(written: object) -> None:
    with pytest.raises(ScimFault) as refused:
        parse_path(written)
    assert refused.value.scim_type == "invalidPath"


@pytest.mark.parametrize(
    ("written", "conditions"),
    [
        ('userName eq "Ada@Example.com"', [("username", "Ada@Example.com")]),
        ('USERNAME EQ "ada@example.com"', [("username", "ada@example.com")]),
        ('externalId eq "a\\"b" and active eq True', [("externalid", 'a"b'), ("active", True)]),
        ('  id eq "1"  AND  members eq "2" ', [("id", "1"), ("members", "2")]),
        ('emails[type eq "work"].value eq "a@b.de"', [("emails.value", "a@b.de")]),
        ('displayName eq "x and y eq z"', [("displayname", "x and y eq z")]),
        (f'{ENTERPRISE}:department eq "x"', [("foreign:department", "x")]),
    ],
)
def test_filters(written: str, conditions: list[tuple[str, object]]) -> None:
    assert parse_filter(written) == conditions


@pytest.mark.parametrize(
    "written",
    [
        "",
        "userName",
        "userName eq",
        "userName eq ada",
        'userName co "a"',
        "userName pr",
        'userName eq "a" or userName eq "b"',
        'userName eq "a"and id eq "b"',
        'userName eq "a" and',
        '(userName eq "a")',
        'userName eq "\\u0000"',
        'userName eq "\\ud800"',
        'userName eq "\\x"',
        " and ".join(['id eq "1"'] * 11),
        'userName eq "' + "x" * 3000 + '"',
    ],
)
def test_other_filters_are_refused(written: str) -> None:
    with pytest.raises(ScimFault) as refused:
        parse_filter(written)
    assert refused.value.scim_type == "invalidFilter"


def test_attributes_are_found_under_the_urn_of_their_schema_and_names_that_are_none_are_passed_over() -> None:
    body = {
        "urn:ietf:params:scim:schemas:core:2.0:User": {"userName": "a"},
        "urn:ietf:params:scim:schemas:core:2.0:User:displayName": "b",
        ENTERPRISE: {"department": "c"},
        f"{ENTERPRISE}:department": "d",
        'emails[type eq "work"].value': "e",
        "no name": "f",
    }
    assert [(path.name, value) for path, value in assignments(body)] == [
        ("username", "a"),
        ("displayname", "b"),
        ("emails.value", "e"),
    ]


@pytest.mark.parametrize(("given", "read"), [(True, True), ("True", True), ("false", False), (" FALSE ", False)])
def test_truth_comes_as_text_too(given: object, read: bool) -> None:
    assert boolean(given, "active") is read


@pytest.mark.parametrize("given", ["yes", "", 1, None, []])
def test_what_is_neither_true_nor_false_is_refused(given: object) -> None:
    with pytest.raises(ScimFault):
        boolean(given, "active")
