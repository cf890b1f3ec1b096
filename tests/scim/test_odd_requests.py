"""Whatever is sent, the answer is one of the protocol's, and what is refused has changed nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim.desk import Desk
from sluicegate.domain.user import Role

pytestmark = pytest.mark.slow
NAMES = st.sampled_from(
    [
        "userName",
        "DISPLAYNAME",
        "externalId",
        "active",
        "name",
        "name.givenName",
        "givenName",
        "familyName",
        "formatted",
        "members",
        "emails",
        'emails[type eq "work"].value',
        'members[value eq "ada"]',
        "members.value",
        "value",
        "type",
        "groups",
        "id",
        "meta",
        "schemas",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "",
        "[",
        "a b",
    ]
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["ada", "ada@example.com", "new@example.com", "true", "False", "", "x" * 300, "\u202e", "é", "Group"]
    ),
    st.text(max_size=8),
)
VALUES = st.recursive(
    PLAIN, lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(NAMES, below, max_size=4)), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
OPERATIONS = st.lists(
    st.one_of(
        VALUES,
        st.fixed_dictionaries(
            {"op": st.sampled_from(["add", "Replace", "REMOVE", "move", 1])},
            optional={"path": st.one_of(NAMES, PLAIN), "value": VALUES},
        ),
    ),
    max_size=4,
)
PATCHES = st.one_of(OBJECTS, st.fixed_dictionaries({"Operations": OPERATIONS}))
FILTERS = st.one_of(
    st.text(max_size=30),
    st.builds(
        "{} {} {}".format, NAMES, st.sampled_from(["eq", "EQ", "co", "and"]), st.sampled_from(['"x"', "true", "7"])
    ),
)


@pytest.fixture
async def group(desk: Desk) -> str:
    return await desk.group("Team", "ada")


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    kind=st.sampled_from(["Users", "Groups"]),
    method=st.sampled_from(["POST", "PUT", "PATCH", "GET", "SEARCH"]),
    body=OBJECTS,
    patch=PATCHES,
    written=FILTERS,
)
async def test_every_answer_is_one_of_the_protocols(
    desk: Desk, group: str, kind: str, method: str, body: dict[str, Any], patch: dict[str, Any], written: str
) -> None:
    path = f"/{kind}/{'ada' if kind == 'Users' else group}"
    before = len(await desk.written())
    match method:
        case "POST":
            answer = await desk.send("POST", f"/{kind}", body)
        case "PUT":
            answer = await desk.send("PUT", path, body)
        case "PATCH":
            answer = await desk.send("PATCH", path, patch)
        case "GET":
            answer = await desk.send("GET", f"/{kind}", params={"filter": written, "attributes": written})
        case _:
            answer = await desk.send("POST", f"/{kind}/.search", body | {"filter": written})
    assert answer.status_code in (200, 201, 204, 400, 403, 409), answer.text
    if answer.status_code >= 400:
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        # At most the hundred newest are looked at.
        assert before >= 100 or len(await desk.written()) == before


async def test_of_the_last_two_administrators_who_are_suspended_at_once_one_stays(desk: Desk) -> None:
    await desk.services.users.update(desk.root, "ada", role=Role.ADMIN)
    off = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
    for _ in range(3):
        answers = await asyncio.gather(*(desk.send("PATCH", f"/Users/{who}", off) for who in ("root", "ada")))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        on = {"Operations": [{"op": "replace", "path": "active", "value": True}]}
        await asyncio.gather(*(desk.send("PATCH", f"/Users/{who}", on) for who in ("root", "ada")))
    answers = await asyncio.gather(*(desk.send("DELETE", f"/Users/{who}") for who in ("root", "ada")))
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_two_changes_of_one_person_at_once_lose_nothing(desk: Desk) -> None:
    grace = await desk.hire("grace", displayName="Grace")
    for number in range(5):
        await asyncio.gather(
            desk.patch(f"/Users/{grace}", {"op": "replace", "path": "displayName", "value": f"Grace {number}"}),
            desk.patch(f"/Users/{grace}", {"op": "replace", "path": "externalId", "value": f"id {number}"}),
            desk.patch(f"/Users/{grace}", {"op": "replace", "path": "active", "value": number % 2 == 0}),
        )
        found = await desk.ok("GET", f"/Users/{grace}")
        assert (found["displayName"], found["externalId"]) == (f"Grace {number}", f"id {number}")
        assert found["active"] is (number % 2 == 0)
