"""Groups by SCIM: Sluicegate's own, with what hangs on them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scim.desk import GROUP, Desk
from sluicegate.domain.audit import ActorKind
from sluicegate.domain.policy import Grant, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Role, User, UserStatus


async def test_a_group_is_made_found_changed_and_removed(desk: Desk) -> None:
    grace = await desk.hire("grace")
    body = {"schemas": [GROUP], "externalId": "g1", "displayName": "Compilers", "members": [{"value": grace}]}
    answer = await desk.send("POST", "/Groups", body)
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, made["meta"]["location"])
    group = made["id"]
    assert {name: made[name] for name in made if name not in ("id", "meta")} == {
        "schemas": [GROUP],
        "externalId": "g1",
        "displayName": "Compilers",
        "members": [{"value": grace, "$ref": f"{desk.services.scim_tokens.base_url}/Users/{grace}", "type": "User"}],
    }
    assert await desk.ok("GET", f"/Groups/{group}") == made
    for written in ('displayName eq "COMPILERS"', 'externalId eq "g1"', f'id eq "{group}" and members eq "{grace}"'):
        found = await desk.ok("GET", "/Groups", params={"filter": written, "excludedAttributes": "members"})
        assert [each["id"] for each in found["Resources"]] == [group]
        assert "members" not in found["Resources"][0]
    assert (await desk.ok("GET", "/Groups", params={"filter": f'id eq "{group}" and members eq "ada"'}))[
        "totalResults"
    ] == 0
    assert await desk.refused("GET", "/Groups", params={"filter": "active eq true"}) == (400, "invalidFilter")
    assert await desk.refused("POST", "/Groups", {"displayName": "compilers"}) == (409, "uniqueness")
    cafe = await desk.group("Cafe\u0301")
    assert await desk.refused("POST", "/Groups", {"displayName": "Caf\u00e9"}) == (409, "uniqueness")
    found = await desk.ok("GET", "/Groups", params={"filter": 'displayName eq "Cafe\u0301"'})
    assert [each["id"] for each in found["Resources"]] == [cafe]
    await desk.patch(f"/Groups/{group}", {"op": "replace", "path": "displayName", "value": "Languages"})
    assert (await desk.ok("GET", f"/Groups/{group}"))["displayName"] == "Languages"
    assert (await desk.send("DELETE", f"/Groups/{group}")).status_code == 204
    assert await desk.refused("GET", f"/Groups/{group}") == (404, None)
    events = await desk.written(target_id=group)
    assert [event.action for event in events] == [
        "group.create",
        "group.update",
        "group.add_members",
        "group.update",
        "group.delete",
    ]
    assert {event.actor.kind for event in events} == {ActorKind.SCIM}


async def test_a_group_of_the_console_is_matched_by_its_name_and_keeps_what_hangs_on_it(desk: Desk) -> None:
    team = await desk.services.groups.create(desk.root, "Contractors", "By hand")
    subject = Subject(SubjectKind.GROUP, team.id)
    await desk.services.limits.set(desk.root, subject, RateLimits(requests=0))
    assert await desk.refused("POST", "/Groups", {"displayName": "Contractors"}) == (409, "uniqueness")
    (found,) = (await desk.ok("GET", "/Groups", params={"filter": 'displayName eq "Contractors"'}))["Resources"]
    assert (await desk.call()).status_code == 200
    await desk.patch(f"/Groups/{found['id']}", {"op": "add", "path": "members", "value": [{"value": "ada"}]})
    assert (await desk.call()).status_code == 429
    await desk.patch(f"/Groups/{found['id']}", {"op": "remove", "path": 'members[value eq "ada"]'})
    assert (await desk.call()).status_code == 200
    assert (await desk.services.groups.get(desk.root, team.id)).description == "By hand"


async def test_a_group_that_is_removed_takes_its_grants_with_it_at_once(desk: Desk) -> None:
    grants = await _grants(desk, Subject(SubjectKind.USER, "ada"))
    group = await desk.group("Models", "ada")
    for grant in grants:
        await desk.services.grants.add(desk.root, Subject(SubjectKind.GROUP, group), [grant.model_id])
        await desk.services.grants.revoke(desk.root, grant.id)
    assert (await desk.call()).status_code == 200
    await desk.send("DELETE", f"/Groups/{group}")
    assert (await desk.call()).status_code == 403
    assert await _grants(desk, Subject(SubjectKind.GROUP, group)) == []


async def test_members_are_put_added_and_taken_away_in_every_way_that_is_in_use(desk: Desk) -> None:
    a, b, c = [await desk.hire(name) for name in ("a", "b", "c")]
    group = await desk.group("Team", a)

    async def after(*operations: dict[str, Any]) -> list[str]:
        await desk.patch(f"/Groups/{group}", *operations)
        return await desk.members(group)

    assert await after({"op": "add", "path": "members", "value": [{"value": b}, {"value": b}]}) == [a, b]
    assert await after({"op": "add", "path": "members", "value": {"value": c}}) == [a, b, c]
    assert await after({"op": "add", "value": {"members": [{"value": c}]}}) == [a, b, c]
    assert await after({"op": "remove", "path": f'members[value eq "{c}"]'}) == [a, b]
    assert await after({"op": "remove", "path": f'members[value eq "{c}"]'}) == [a, b]
    assert await after({"op": "remove", "path": "members", "value": [{"value": b}]}) == [a]
    assert await after({"op": "replace", "path": "members", "value": [{"value": b}, {"value": c}]}) == [b, c]
    assert await after({"op": "replace", "value": {"members": [{"value": a}]}}) == [a]
    # In the order in which they are given.
    assert await after(
        {"op": "remove", "path": f'members[value eq "{a}"]'},
        {"op": "add", "path": "members", "value": [{"value": a}, {"value": b}]},
        {"op": "remove", "path": f'members[value eq "{b}"]'},
        {"op": "add", "path": "members", "value": [{"value": c}]},
    ) == sorted([a, c])
    assert await after({"op": "remove", "path": "members"}) == []
    assert await after({"op": "remove", "path": 'members[value eq "gone"]'}) == []
    put = {"displayName": "Team", "members": [{"value": a}, {"value": b}]}
    assert len((await desk.ok("PUT", f"/Groups/{group}", put))["members"]) == 2
    assert await desk.ok("PUT", f"/Groups/{group}", {"displayName": "Team"}) is not None
    assert await desk.members(group) == []


async def test_a_patch_with_one_bad_operation_changes_nothing(desk: Desk) -> None:
    a = await desk.hire("a")
    group, other = await desk.group("Team", "ada"), await desk.group("Other")
    good = [
        {"op": "replace", "path": "displayName", "value": "New"},
        {"op": "add", "path": "members", "value": [{"value": a}]},
    ]
    written = len(await desk.written())
    bad: list[tuple[Any, tuple[int, str | None]]] = [
        ({"op": "add", "path": "members", "value": [{"value": "nobody"}]}, (400, "invalidValue")),
        ({"op": "add", "path": "members", "value": [{"display": "x"}]}, (400, "invalidValue")),
        ({"op": "add", "path": "members", "value": [{"value": other, "type": "Group"}]}, (400, "invalidValue")),
        ({"op": "replace", "path": f'members[value eq "{a}"]', "value": {}}, (400, "invalidPath")),
        ({"op": "remove", "path": 'members[type eq "User"]'}, (400, "invalidPath")),
        ({"op": "remove", "path": f'members[value eq "{a}"].display'}, (400, "invalidPath")),
        ({"op": "remove", "path": f'members[value sw "{a}"]'}, (400, "invalidFilter")),
        ({"op": "remove", "path": "displayName"}, (400, "mutability")),
        ({"op": "replace", "path": "id", "value": "x"}, (400, "mutability")),
        ({"op": "replace", "path": "displayName", "value": "other"}, (409, "uniqueness")),
        ({"op": "replace", "path": "displayName", "value": ""}, (400, "invalidValue")),
        ({"op": "remove"}, (400, "noTarget")),
    ]
    for operation, error in bad:
        assert await desk.refused_patch(f"/Groups/{group}", *good, operation) == error
    assert await desk.members(group) == ["ada"]
    assert (await desk.ok("GET", f"/Groups/{group}"))["displayName"] == "Team"
    assert len(await desk.written()) == written
    assert await desk.refused_patch("/Groups/nothing", *good) == (404, None)


@pytest.mark.parametrize("whole", [False, True])
async def test_two_who_change_a_group_at_once_lose_nothing(desk: Desk, whole: bool) -> None:
    people = [User(f"u{n:03}", f"u{n}@example.com", "", *_member(desk)) for n in range(40)]
    async with desk.container.store.write() as tx:
        for person in people:
            await tx.users.add(person)
    first, second = [p.id for p in people[:20]], [p.id for p in people[20:]]
    group = await desk.group("Team", *(second if whole else ()))

    def added(user_id: str) -> Any:
        return desk.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user_id}]})

    def removed(user_id: str) -> Any:
        return desk.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{user_id}"]'})

    if whole:
        # Some join one by one while others leave one by one.
        await asyncio.gather(*map(added, first), *map(removed, second))
        assert await desk.members(group) == first
    else:
        await asyncio.gather(*map(added, first + second))
        assert await desk.members(group) == first + second
    # Nobody is said to have joined, or left, twice.
    names = [name for event in await desk.written(target_id=group) for name in event.after.get("members", ())]
    assert len(names) == len(set(names))


async def test_of_those_who_take_one_name_at_once_one_gets_it(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.send("POST", "/Groups", {"displayName": "Team"}) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json().get("scimType") for answer in answers} == {None, "uniqueness"}
    people = await asyncio.gather(*(desk.send("POST", "/Users", {"userName": "x@example.com"}) for _ in range(6)))
    assert sorted(answer.status_code for answer in people) == [201] + [409] * 5
    assert {answer.json().get("scimType") for answer in people} == {None, "uniqueness"}


def _member(desk: Desk) -> Any:
    return Role.MEMBER, UserStatus.ACTIVE, desk.container.clock.now()


async def _grants(desk: Desk, subject: Subject) -> list[Grant]:
    async with desk.container.store.read() as tx:
        return await tx.policy.grants_of([subject])
