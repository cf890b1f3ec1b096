"""People by SCIM: made, found, changed, suspended and removed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from scim.desk import ENTERPRISE, USER, Desk
from sluicegate.domain.audit import ActorKind
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.usage import CallRecord
from sluicegate.domain.user import LinkKind, OneTimeLink, Role, UserStatus
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter
from sluicegate.services.sessions import open_session

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


async def test_somebody_new_is_active_at_once_and_shown_as_given(desk: Desk) -> None:
    body = {
        "schemas": [USER, ENTERPRISE],
        "externalId": "00u1",
        "userName": "Grace@Example.com",
        "name": {"givenName": "Grace", "familyName": "Hopper", "middleName": "B"},
        "emails": [{"value": "other@example.com", "primary": True}],
        "phoneNumbers": [{"value": "1"}],
        "password": "ignored-and-never-kept",
        "active": True,
        ENTERPRISE: {"department": "Navy", "manager": {"value": "x"}},
    }
    answer = await desk.send("POST", "/Users", body)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["content-type"] == "application/scim+json"
    assert answer.headers["location"] == made["meta"]["location"]
    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    assert {name: made[name] for name in made if name not in ("id", "meta")} == {
        "schemas": [USER],
        "externalId": "00u1",
        "userName": "grace@example.com",
        "name": {"givenName": "Grace", "familyName": "Hopper"},
        "displayName": "Grace Hopper",
        "emails": [{"value": "grace@example.com", "type": "work", "primary": True}],
        "active": True,
    }
    assert await desk.ok("GET", f"/Users/{made['id']}") == made
    kept = await desk.person(made["id"])
    assert kept is not None
    assert (kept.status, kept.role, kept.name) == (UserStatus.ACTIVE, Role.MEMBER, "Grace Hopper")
    (event,) = await desk.written(target_id=made["id"])
    assert (event.action, event.actor.kind, event.actor.label) == ("user.create", ActorKind.SCIM, "SCIM: Okta")
    assert event.after["external_id"] == "00u1"
    async with desk.container.store.read() as tx:
        assert await tx.users.password_hash(made["id"]) is None


async def test_addresses_are_checked_as_in_the_console(desk: Desk) -> None:
    assert await desk.refused("POST", "/Users", {"userName": "ADA@example.com"}) == (409, "uniqueness")
    for name in ("ada", "a@b", "", 7, None, ["a@example.com"]):
        assert await desk.refused("POST", "/Users", {"userName": name}) == (400, "invalidValue")
    assert await desk.refused("POST", "/Users", {"displayName": "Nobody"}) == (400, "invalidValue")
    too_long = {"userName": "b@example.com", "displayName": "x" * 121}
    assert await desk.refused("POST", "/Users", too_long) == (400, "invalidValue")
    assert await desk.refused("POST", "/Users", {"userName": "b@example.com", "externalId": "x" * 256}) == (
        400,
        "invalidValue",
    )
    assert await desk.refused("POST", "/Users", {"userName": "b@example.com", "active": "maybe"}) == (
        400,
        "invalidValue",
    )
    assert (await desk.ok("GET", "/Users"))["totalResults"] == 2


async def test_people_are_found_by_what_providers_ask_for(desk: Desk) -> None:
    grace = await desk.hire("grace", externalId="00u1", displayName="Grace Hopper")
    linus = await desk.hire("linus", externalId="00U1", active=False)
    team = await desk.group("Compilers", grace)

    async def found(written: str) -> list[str]:
        answer = await desk.ok("GET", "/Users", params={"filter": written})
        assert answer["schemas"] == [LIST]
        assert answer["totalResults"] == answer["itemsPerPage"] == len(answer["Resources"])
        return [each["id"] for each in answer["Resources"]]

    assert await found('userName eq "GRACE@example.com"') == [grace]
    assert await found('username eq "grace@example.com" and active eq true') == [grace]
    assert await found('userName eq "grace@example.com" and active eq "False"') == []
    assert await found("active eq false") == [linus]
    assert await found('externalId eq "00u1"') == [grace]
    assert await found(f'id eq "{linus}"') == [linus]
    assert await found('displayName eq "grace hopper"') == [grace]
    assert await found('emails[type eq "work"].value eq "grace@example.com"') == [grace]
    assert await found(f'groups.value eq "{team}"') == [grace]
    assert await found('userName eq "nobody@example.com"') == []
    # One way of writing a letter is as good as another.
    rene = await desk.hire("rene", name={"givenName": "Rene\u0301", "familyName": "Lee"})
    assert await found('displayName eq "Ren\u00e9 Lee"') == [rene]
    assert await found('displayName eq "Rene\u0301 Lee"') == [rene]
    await desk.patch(f"/Users/{rene}", {"op": "replace", "path": "name.familyName", "value": "L."})
    assert await found('displayName eq "Ren\u00e9 L."') == [rene]
    for written in ('title eq "x"', 'userName sw "g"', "id eq 7", f'{ENTERPRISE}:department eq "x"'):
        refused = await desk.refused("GET", "/Users", params={"filter": written})
        assert refused == (400, "invalidFilter")
    searched = await desk.ok("POST", "/Users/.search", {"filter": 'externalId eq "00u1"', "attributes": ["userName"]})
    assert searched["Resources"] == [{"schemas": [USER], "id": grace, "userName": "grace@example.com"}]


async def test_lists_come_in_pages(desk: Desk) -> None:
    hired = [await desk.hire(f"p{number}") for number in range(5)]

    async def page(**params: object) -> tuple[int, int, list[str]]:
        answer = await desk.ok("GET", "/Users", params=params)
        ids = [each["id"] for each in answer["Resources"]]
        assert answer["itemsPerPage"] == len(ids)
        return answer["totalResults"], answer["startIndex"], ids

    everybody = (await page())[2]
    assert sorted(everybody) == sorted(["ada", "root", *hired])
    assert await page(startIndex=1, count=3) == (7, 1, everybody[:3])
    assert await page(startIndex=4, count=3) == (7, 4, everybody[3:6])
    assert await page(startIndex=7, count=3) == (7, 7, everybody[6:])
    assert await page(startIndex=8) == (7, 8, [])
    assert await page(count=0) == (7, 1, [])
    assert await page(count=-1) == (7, 1, [])
    assert await page(startIndex=0, count=1) == (7, 1, everybody[:1])
    assert await page(startIndex=10**30) == (7, 10_000_000, [])
    assert await desk.refused("GET", "/Users", params={"count": "many"}) == (400, "invalidValue")


async def test_answers_hold_what_was_asked_for(desk: Desk) -> None:
    grace = await desk.hire("grace", name={"givenName": "Grace", "familyName": "Hopper"})
    await desk.group("Compilers", grace)

    async def names(**params: str) -> set[str]:
        return set(await desk.ok("GET", f"/Users/{grace}", params=params))

    assert "groups" in await names()
    assert await names(attributes="USERNAME, urn:ietf:params:scim:schemas:core:2.0:User:active") == {
        "schemas",
        "id",
        "userName",
        "active",
    }
    assert "groups" not in await names(excludedAttributes="groups,id")
    assert "id" in await names(excludedAttributes="groups,id")
    part = await desk.ok("GET", f"/Users/{grace}", params={"attributes": "name.givenName"})
    assert part["name"] == {"givenName": "Grace"}
    rest = await desk.ok("GET", f"/Users/{grace}", params={"excludedAttributes": "name.givenName"})
    assert rest["name"] == {"familyName": "Hopper"}


async def test_names_follow_what_the_provider_says_unless_somebody_chose_another_here(desk: Desk) -> None:
    grace = await desk.hire("grace", name={"givenName": "Grace", "familyName": "Murray"})

    async def name() -> str:
        return str((await desk.ok("GET", f"/Users/{grace}")).get("displayName", ""))

    await desk.patch(f"/Users/{grace}", {"op": "replace", "path": "name.familyName", "value": "Hopper"})
    assert await name() == "Grace Hopper"
    await desk.services.users.update(desk.root, grace, name="Amazing Grace")
    await desk.patch(f"/Users/{grace}", {"op": "replace", "path": "name.familyName", "value": "H."})
    assert await name() == "Amazing Grace"
    await desk.patch(f"/Users/{grace}", {"op": "replace", "path": "displayName", "value": "Rear Admiral"})
    assert await name() == "Rear Admiral"
    events = [event for event in await desk.written(target_id=grace) if event.actor.kind is ActorKind.SCIM]
    assert [event.after for event in events[1:]] == [
        {"family_name": "Hopper", "name": "Grace Hopper"},
        {"family_name": "H."},
        {"name": "Rear Admiral"},
    ]
    before = len(events)
    await desk.patch(f"/Users/{grace}", {"op": "replace", "path": "displayName", "value": "Rear Admiral"})
    assert len(await desk.written(target_id=grace)) == before + 1


async def test_a_put_replaces_what_is_kept_and_leaves_active_alone_when_it_is_not_there(desk: Desk) -> None:
    grace = await desk.hire("grace", externalId="1", displayName="Grace", name={"givenName": "Grace"}, active=False)
    body = {"userName": "grace.hopper@example.com", "displayName": "Grace Hopper"}
    answer = await desk.ok("PUT", f"/Users/{grace}", body)
    assert (answer["userName"], answer["displayName"]) == ("grace.hopper@example.com", "Grace Hopper")
    assert answer["active"] is False
    assert "externalId" not in answer
    assert "name" not in answer
    assert await desk.refused("PUT", f"/Users/{grace}", {"userName": "ada@example.com"}) == (409, "uniqueness")
    assert await desk.refused("PUT", f"/Users/{grace}", {"displayName": "x"}) == (400, "invalidValue")
    assert await desk.refused("PUT", "/Users/nobody", body) == (404, None)


async def test_a_patch_with_one_bad_operation_changes_nothing(desk: Desk) -> None:
    grace = await desk.hire("grace", displayName="Grace")
    before, written = await desk.ok("GET", f"/Users/{grace}"), len(await desk.written())
    good = {"op": "replace", "path": "displayName", "value": "Other"}
    off = {"op": "replace", "path": "active", "value": False}
    bad = [
        ({"op": "replace", "path": "userName", "value": "nonsense"}, (400, "invalidValue")),
        ({"op": "replace", "path": "userName", "value": "ada@example.com"}, (409, "uniqueness")),
        ({"op": "replace", "path": "a b", "value": 1}, (400, "invalidPath")),
        ({"op": "replace", "path": "id", "value": "x"}, (400, "mutability")),
        ({"op": "remove", "path": "groups"}, (400, "mutability")),
        ({"op": "remove", "path": "userName"}, (400, "mutability")),
        ({"op": "remove"}, (400, "noTarget")),
        ({"op": "move", "path": "displayName"}, (400, "invalidSyntax")),
        ({"op": "replace", "path": "displayName"}, (400, "invalidValue")),
        ({"op": "replace", "value": "text"}, (400, "invalidValue")),
        ("replace", (400, "invalidSyntax")),
    ]
    for operation, error in bad:
        assert await desk.refused_patch(f"/Users/{grace}", good, off, operation) == error  # type: ignore[arg-type]
    assert await desk.ok("GET", f"/Users/{grace}") == before
    assert len(await desk.written()) == written
    assert await desk.refused("PATCH", f"/Users/{grace}", {"Operations": []}) == (400, "invalidSyntax")
    assert await desk.refused("PATCH", f"/Users/{grace}", {"Operations": [good] * 1001}) == (400, "tooMany")
    assert await desk.refused_patch("/Users/nobody", good) == (404, None)


async def test_a_suspension_ends_sessions_and_keys_with_the_answer_and_is_taken_back(desk: Desk) -> None:
    async with desk.container.store.write() as tx:
        user = await tx.users.get("ada")
        assert user is not None
        session = (await open_session(tx, desk.container.clock, user, "127.0.0.1", "browser")).reveal()
    assert await desk.services.auth.caller_of_session(session) is not None
    assert (await desk.call()).status_code == 200
    answer = await desk.patch("/Users/ada", {"op": "replace", "value": {"active": False}})
    assert answer["active"] is False
    refused = await desk.call()
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "user_suspended")
    assert await desk.services.auth.caller_of_session(session) is None
    assert (await desk.patch("/Users/ada", {"op": "replace", "value": {"active": True}}))["active"] is True
    assert (await desk.call()).status_code == 200
    assert await desk.services.auth.caller_of_session(session) is None
    assert [event.action for event in await desk.written(target_id="ada")] == ["user.suspend", "user.reactivate"]


async def test_a_suspension_by_an_administrator_is_not_taken_back_by_the_provider(desk: Desk) -> None:
    on = {"op": "replace", "path": "active", "value": "True"}
    off = {"op": "replace", "path": "active", "value": "False"}
    await desk.services.users.suspend(desk.root, "ada")
    assert (await desk.patch("/Users/ada", on))["active"] is False
    # Neither by saying it again first.
    await desk.patch("/Users/ada", off)
    assert (await desk.patch("/Users/ada", on))["active"] is False
    assert (await desk.call()).status_code == 401
    await desk.services.users.reactivate(desk.root, "ada")
    await desk.patch("/Users/ada", off)
    await desk.services.users.reactivate(desk.root, "ada")
    # What the provider did is over with what the administrator did.
    await desk.services.users.suspend(desk.root, "ada")
    assert (await desk.patch("/Users/ada", on))["active"] is False


async def test_the_last_active_administrator_can_neither_be_suspended_nor_removed(desk: Desk) -> None:
    off = {"op": "replace", "path": "active", "value": False}
    assert await desk.refused_patch("/Users/root", off) == (409, None)
    assert await desk.refused("PUT", "/Users/root", {"userName": "root@example.com", "active": False}) == (409, None)
    assert await desk.refused("DELETE", "/Users/root") == (409, None)
    assert await desk.written(target_id="root") == []
    await desk.services.users.update(desk.root, "ada", role=Role.ADMIN)
    assert (await desk.patch("/Users/root", off))["active"] is False


async def test_an_administrator_keeps_the_address_whatever_the_provider_says(desk: Desk) -> None:
    change = {"op": "replace", "path": "userName", "value": "thief@example.com"}
    assert await desk.refused_patch("/Users/root", change) == (403, None)
    assert (await desk.ok("GET", "/Users/root"))["userName"] == "root@example.com"
    renamed = await desk.ok("PUT", "/Users/root", {"userName": "root@example.com", "displayName": "Chief"})
    assert renamed["displayName"] == "Chief"


async def test_a_new_address_ends_a_link_that_is_being_made_for_the_old_one(desk: Desk) -> None:
    async with desk.container.store.write() as tx:
        await tx.users.locked("ada")
        await tx.links.add(_link(desk, "ada"))
        changing = asyncio.create_task(
            desk.patch("/Users/ada", {"op": "replace", "value": {"userName": "a@example.com"}})
        )
        await asyncio.wait([changing], timeout=0.5)
    assert (await changing)["userName"] == "a@example.com"
    async with desk.container.store.read() as tx:
        link = await tx.links.newest_of("ada", LinkKind.RESET)
    assert link is not None
    assert link.replaced_at is not None


async def test_a_new_address_ends_the_links_that_went_to_the_old_one(desk: Desk) -> None:
    async with desk.container.store.write() as tx:
        await tx.links.add(_link(desk, "ada"))
    answer = await desk.patch("/Users/ada", {"op": "replace", "path": "userName", "value": "Ada.L@example.com"})
    assert answer["userName"] == "ada.l@example.com"
    async with desk.container.store.read() as tx:
        link = await tx.links.newest_of("ada", LinkKind.RESET)
    assert link is not None
    assert link.replaced_at is not None
    assert (await desk.call()).status_code == 200


async def test_who_is_invited_counts_as_active_until_the_provider_says_otherwise(desk: Desk) -> None:
    (invited,) = await desk.services.invitations.invite(desk.root, ["eve@example.com"])
    eve = invited.user.id
    assert (await desk.ok("GET", f"/Users/{eve}"))["active"] is True
    await desk.patch(f"/Users/{eve}", {"op": "replace", "path": "active", "value": True})
    assert (await desk.services.auth.link(invited.url.rsplit("/", 1)[1])).status.value == "valid"
    await desk.patch(f"/Users/{eve}", {"op": "replace", "path": "active", "value": False})
    assert (await desk.services.auth.link(invited.url.rsplit("/", 1)[1])).status.value == "replaced"
    await desk.patch(f"/Users/{eve}", {"op": "replace", "path": "active", "value": True})
    kept = await desk.person(eve)
    assert kept is not None
    assert kept.status is UserStatus.ACTIVE


async def test_whoever_is_removed_is_gone_and_what_they_used_is_still_theirs(desk: Desk) -> None:
    assert (await desk.call()).status_code == 200
    await desk.container.journal.flush()
    answer = await desk.send("DELETE", "/Users/ada")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await desk.call()).status_code == 401
    for method in ("GET", "DELETE"):
        assert await desk.refused(method, "/Users/ada") == (404, None)
    async with desk.container.store.read() as tx:
        assert await tx.policy.grants_of([Subject(SubjectKind.USER, "ada")]) == []
    records = await _ledger(desk)
    assert [record.user_label for record in records] == ["Ada <ada@example.com>"]
    again = await desk.ok("POST", "/Users", {"userName": "ada@example.com"})
    assert again["id"] != "ada"
    assert (await desk.call()).status_code == 401


@pytest.mark.parametrize("path", ["/Users/%00", "/Groups/%00", "/Users/" + "x" * 4000, "/Nothing", "/", "/Users/a/b"])
async def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    assert await desk.refused("GET", path) == (404, None)


def _link(desk: Desk, user_id: str) -> OneTimeLink:
    now = desk.container.clock.now()
    return OneTimeLink(f"link-{user_id}", user_id, LinkKind.RESET, "digest", now, now + timedelta(hours=1))


async def _ledger(desk: Desk) -> list[CallRecord]:
    page = await desk.container.usage_reader.calls(CallFilter(), PageRequest(10))
    return [record for record, _ in page.items]
