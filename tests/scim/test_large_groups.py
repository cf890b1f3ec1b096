"""Groups of ten thousand, while calls go on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from scim.desk import Desk

pytestmark = pytest.mark.slow
MANY = 10_000
# Far more than they take: a machine that is busy with other tests is no fault of ours.
SECONDS = 30.0


@pytest.fixture
async def people(desk: Desk) -> list[str]:
    ids = [f"user-{number:05}" for number in range(MANY)]
    row = {"name": "", "role": "member", "status": "active", "at": desk.container.clock.now().replace(tzinfo=None)}
    statement = text(
        "INSERT INTO users (id, email, name, sort_name, role, status, created_at, last_active_at) "
        "VALUES (:id, :email, :name, :email, :role, :status, :at, :at)"
    )
    async with desk.container.engine.begin() as connection:
        await connection.execute(statement, [row | {"id": each, "email": f"{each}@example.com"} for each in ids])
    return ids


@asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    """How long the loop did not come to what was due, in seconds."""
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            gaps.append(time.perf_counter() - before - 0.005)

    task = asyncio.create_task(watch())
    yield gaps
    task.cancel()


async def test_ten_thousand_members_come_and_go_while_the_loop_stays_free(desk: Desk, people: list[str]) -> None:
    group = await desk.group("Everybody")
    whole = json.dumps({"displayName": "Everybody", "members": [{"value": each} for each in people]})
    half = json.dumps({"displayName": "Everybody", "members": [{"value": each} for each in people[::2]]})
    operations = [{"op": "remove", "path": f'members[value eq "{each}"]'} for each in people[::20]]
    headers = {"content-type": "application/scim+json"}
    path = f"/scim/v2/Groups/{group}"

    async def timed(method: str, body: str | None, members: int | None) -> None:
        began = time.perf_counter()
        async with watched() as gaps:
            answer = await desk.http.request(method, path, content=body, headers=headers)
        took = time.perf_counter() - began
        assert answer.is_success, answer.text
        print(f"{method}: {took:.2f} s, longest gap {max(gaps) * 1000:.0f} ms, {len(answer.content)} bytes")
        assert took < SECONDS
        if members is not None:
            assert len(answer.json()["members"]) == members

    await timed("PUT", whole, MANY)
    await timed("PUT", whole, MANY)
    await timed("GET", None, MANY)
    await timed("PUT", half, MANY // 2)
    await timed("PATCH", json.dumps({"Operations": operations}), None)
    assert len(await desk.members(group)) == MANY // 2 - len(operations)
    added = {"op": "add", "path": "members", "value": [{"value": each} for each in people]}
    await timed("PATCH", json.dumps({"Operations": [added]}), None)
    assert len(await desk.members(group)) == MANY
    await timed("DELETE", None, None)


async def test_lists_of_groups_hold_as_many_as_have_a_bearable_number_of_members(desk: Desk, people: list[str]) -> None:
    groups = [await desk.group(f"Team {number}", *people) for number in range(3)]
    page = await desk.ok("GET", "/Groups")
    assert (page["totalResults"], page["itemsPerPage"]) == (3, 2)
    assert [each["id"] for each in page["Resources"]] == groups[:2]
    rest = await desk.ok("GET", "/Groups", params={"startIndex": 3})
    assert [each["id"] for each in rest["Resources"]] == groups[2:]
    bare = await desk.ok("GET", "/Groups", params={"excludedAttributes": "members"})
    assert [each["id"] for each in bare["Resources"]] == groups


async def test_bodies_are_bounded(desk: Desk) -> None:
    group = await desk.group("Team", "ada")
    too_many = {"displayName": "Team", "members": [{"value": f"u{number}"} for number in range(20_001)]}
    assert await desk.refused("PUT", f"/Groups/{group}", too_many) == (400, "tooMany")
    too_large = {"displayName": "x" * (4 * 1024 * 1024)}
    assert await desk.refused("PUT", f"/Groups/{group}", too_large) == (413, None)
    deep: object = "x"
    for _ in range(20):
        deep = [deep]
    assert await desk.refused("PUT", f"/Groups/{group}", {"displayName": "Team", "x": deep}) == (400, "invalidSyntax")
    for content in (b"", b"{", b"[]", b'"text"', b"{" * 100_000, b'{"a":' * 100_000, b"\xff"):
        answer = await desk.http.put(
            f"/scim/v2/Groups/{group}", content=content, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")
    for value in ("a\0b", "\ud800"):
        body = json.dumps({"displayName": value})
        answer = await desk.http.put(
            f"/scim/v2/Groups/{group}", content=body, headers={"content-type": "application/scim+json; charset=utf-8"}
        )
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    for kind in ("text/plain", ""):
        answer = await desk.http.put(f"/scim/v2/Groups/{group}", content=b"{}", headers={"content-type": kind})
        assert answer.status_code == 415
    assert await desk.refused("PUT", "/Groups", {}) == (405, None)
    assert await desk.refused("POST", "/Bulk", {}) == (501, None)
    assert await desk.members(group) == ["ada"]
