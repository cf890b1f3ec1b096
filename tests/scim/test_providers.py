"""A working day of each identity provider, request by request in the shapes that their documentation gives."""

from __future__ import annotations

from typing import Any

from scim.desk import ENTERPRISE, GROUP, PATCH, USER, Desk


async def test_okta(desk: Desk) -> None:
    # The connection test, and the look before somebody is assigned.
    assert (await desk.ok("GET", "/Users", params={"startIndex": 1, "count": 2}))["totalResults"] == 2
    look = {"filter": 'userName eq "kim.lee@example.com"', "startIndex": 1, "count": 100}
    assert (await desk.ok("GET", "/Users", params=look))["Resources"] == []
    profile: dict[str, Any] = {
        "schemas": [USER],
        "userName": "kim.lee@example.com",
        "name": {"givenName": "Kim", "familyName": "Lee"},
        "emails": [{"primary": True, "value": "kim.lee@example.com", "type": "work"}],
        "displayName": "Kim Lee",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    kim = (await desk.ok("POST", "/Users", profile))["id"]
    assert (await desk.ok("GET", "/Users", params=look))["Resources"][0]["id"] == kim
    # A changed profile comes whole, with what the server said of it.
    read = await desk.ok("GET", f"/Users/{kim}")
    changed = await desk.ok("PUT", f"/Users/{kim}", read | {"displayName": "Kim Q. Lee", "title": "Lead"})
    assert (changed["displayName"], changed["externalId"], changed["active"]) == (
        "Kim Q. Lee",
        "00ujl29u0le5T6Aj10h7",
        True,
    )
    # Off and on again.
    off = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]}
    assert (await desk.ok("PATCH", f"/Users/{kim}", off))["active"] is False
    on = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": True}}]}
    assert (await desk.ok("PATCH", f"/Users/{kim}", on))["active"] is True
    # Pushed groups: made, filled, renamed by an object that has the id in it, replaced whole, removed.
    pushed = {"schemas": [GROUP], "displayName": "Platform", "members": []}
    group = (await desk.ok("POST", "/Groups", pushed))["id"]
    filled = {"op": "add", "path": "members", "value": [{"value": kim, "display": "kim.lee@example.com"}]}
    await desk.patch(f"/Groups/{group}", filled)
    await desk.patch(f"/Groups/{group}", {"op": "replace", "value": {"id": group, "displayName": "Platform Team"}})
    swapped = [
        {"op": "remove", "path": f'members[value eq "{kim}"]'},
        {"op": "add", "path": "members", "value": [{"value": "ada", "display": "ada@example.com"}]},
    ]
    await desk.patch(f"/Groups/{group}", *swapped)
    assert await desk.members(group) == ["ada"]
    whole = {
        "schemas": [GROUP],
        "id": group,
        "displayName": "Platform Team",
        "members": [{"value": kim, "display": "kim.lee@example.com"}, {"value": "ada", "display": "ada@example.com"}],
    }
    assert len((await desk.ok("PUT", f"/Groups/{group}", whole))["members"]) == 2
    assert (await desk.ok("GET", f"/Users/{kim}"))["groups"][0]["display"] == "Platform Team"
    assert (await desk.send("DELETE", f"/Groups/{group}")).status_code == 204


async def test_entra_id(desk: Desk) -> None:
    # The connection test asks for somebody who can't be there.
    nobody = await desk.ok("GET", "/Users", params={"filter": 'userName eq "9b1c3f6e-1d1f-4a8d-8f4f-2f1b1a0c9d7e"'})
    assert (nobody["totalResults"], nobody["Resources"]) == (0, [])
    assert (await desk.ok("GET", "/Schemas"))["totalResults"] == 2
    profile = {
        "schemas": [USER, ENTERPRISE],
        "externalId": "jyoung",
        "userName": "JYoung@example.com",
        "active": True,
        "displayName": "Joy Young",
        "emails": [{"primary": True, "type": "work", "value": "jyoung@example.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Joy Young", "familyName": "Young", "givenName": "Joy"},
        "roles": [],
        "title": "Engineer",
        ENTERPRISE: {"employeeNumber": "7", "department": "R&D", "manager": {"value": "x"}},
    }
    joy = (await desk.ok("POST", "/Users", profile))["id"]
    # Capitals, text for truth, paths with a filter, names with the schema's URN, a manager.
    changed = await desk.patch(
        f"/Users/{joy}",
        {"op": "Replace", "path": "displayName", "value": "Joy O. Young"},
        {"op": "Replace", "path": "name.familyName", "value": "O. Young"},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "joy@example.com"},
        {"op": "Replace", "path": "externalId", "value": "joy.young"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Research"},
        {"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": "y"},
        {"op": "Remove", "path": "title"},
        {"op": "Add", "path": 'addresses[type eq "work"].country', "value": "NZ"},
        {"op": "Remove", "path": 'phoneNumbers[type eq "mobile"].value'},
    )
    assert (changed["displayName"], changed["externalId"]) == ("Joy O. Young", "joy.young")
    assert changed["name"] == {"givenName": "Joy", "familyName": "O. Young"}
    assert changed["userName"] == changed["emails"][0]["value"] == "jyoung@example.com"
    # Everything in one object, its keys being paths.
    changed = await desk.patch(
        f"/Users/{joy}",
        {
            "op": "replace",
            "value": {
                "displayName": "Joy",
                "name.givenName": "Joyce",
                'emails[type eq "work"].value': "joyce@example.com",
                f"{ENTERPRISE}:department": "Sales",
            },
        },
    )
    assert (changed["displayName"], changed["name"]["givenName"]) == ("Joy", "Joyce")
    for text, active in (("False", False), ("True", True)):
        changed = await desk.patch(f"/Users/{joy}", {"op": "Replace", "path": "active", "value": text})
        assert changed["active"] is active
    found = await desk.ok("GET", "/Users", params={"filter": 'externalId eq "joy.young"'})
    assert [each["id"] for each in found["Resources"]] == [joy]
    # Groups are read without their members, and asked whether one is in them.
    pushed = {
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "0a1b2c",
        "displayName": "Research",
        "meta": {"resourceType": "Group"},
    }
    group = (await desk.ok("POST", "/Groups", pushed))["id"]
    look = {"filter": 'displayName eq "Research"', "excludedAttributes": "members"}
    assert (await desk.ok("GET", "/Groups", params=look))["totalResults"] == 1
    assert "members" not in await desk.ok("GET", f"/Groups/{group}", params={"excludedAttributes": "members"})
    await desk.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": [{"$ref": None, "value": joy}]})
    asked = {"filter": f'id eq "{group}" and members eq "{joy}"', "attributes": "id"}
    assert [each["id"] for each in (await desk.ok("GET", "/Groups", params=asked))["Resources"]] == [group]
    await desk.patch(f"/Groups/{group}", {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": joy}]})
    assert await desk.members(group) == []
    renamed = {"op": "Replace", "path": "displayName", "value": "Applied Research"}
    await desk.patch(f"/Groups/{group}", renamed)
    assert (await desk.ok("GET", f"/Groups/{group}"))["displayName"] == "Applied Research"
    # First suspended, and removed some weeks later.
    await desk.patch(f"/Users/{joy}", {"op": "Replace", "path": "active", "value": "False"})
    assert (await desk.send("DELETE", f"/Users/{joy}")).status_code == 204
    assert (await desk.send("DELETE", f"/Groups/{group}")).status_code == 204


async def test_what_the_server_says_of_itself(desk: Desk) -> None:
    config = await desk.ok("GET", "/ServiceProviderConfig")
    assert config["patch"]["supported"] is True
    assert {name for name in ("bulk", "sort", "etag", "changePassword") if config[name]["supported"]} == set()
    kinds = await desk.ok("GET", "/ResourceTypes")
    assert [each["endpoint"] for each in kinds["Resources"]] == ["/Users", "/Groups"]
    assert await desk.ok("GET", "/ResourceTypes/User") == kinds["Resources"][0]
    assert (await desk.ok("GET", f"/Schemas/{GROUP.lower()}"))["id"] == GROUP
    assert await desk.refused("GET", f"/Schemas/{ENTERPRISE}") == (404, None)
    assert await desk.refused("POST", "/Schemas", {}) == (405, None)
