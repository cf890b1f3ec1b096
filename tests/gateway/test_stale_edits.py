"""Versions in the schema: shown with what may be edited, and taken by every edit."""

from __future__ import annotations

import pytest

from gateway.office import Office
from gateway.test_key_narrowing import model_id

TEAM = """query ($id: ID!) { group(id: $id) { version rateLimit { version } budget { version }
  pool { rateLimit { version } budget { version } } } }"""
EDITS = {
    "updateUser": 'updateUser(input: {id: "ada", name: "Ada L.", expectedVersion: $v}) { user { version } }',
    "suspendUser": 'suspendUser(id: "ada", expectedVersion: $v) { user { version } }',
    "updateGroup": 'updateGroup(input: {id: "$group", name: "Crew", expectedVersion: $v}) { group { version } }',
    "setRateLimit": 'setRateLimit(subject: {groupId: "$group"}, input: {requestsPerMinute: 5}, expectedVersion: $v) '
    "{ rateLimit { version } }",
    "setBudget": 'setBudget(subject: {userId: "ada"}, input: {daily: "5"}, expectedVersion: $v) { budget { version } }',
    "setGroupPoolRateLimit": 'setGroupPoolRateLimit(groupId: "$group", input: {requestsPerMinute: 5}, '
    "expectedVersion: $v) { pool { rateLimit { version } } }",
    "setGroupPoolBudget": 'setGroupPoolBudget(groupId: "$group", input: {daily: "5"}, expectedVersion: $v) '
    "{ pool { budget { version } } }",
    "updateApiKey": 'updateApiKey(input: {id: "key-1", name: "Desk", expectedVersion: $v}) { apiKey { version } }',
    "updateModel": 'updateModel(input: {id: "$model", displayName: "GPT", expectedVersion: $v}) { model { version } }',
}


@pytest.mark.parametrize("name", EDITS)
async def test_an_edit_takes_the_version_that_was_shown_and_no_other(office: Office, name: str) -> None:
    team = await office.group("Team", "ada")
    fields = EDITS[name].replace("$group", team).replace("$model", await model_id(office, "team-gpt"))
    mutation = f"mutation ($v: Int) {{ {fields} }}"
    refused = await office.error(mutation, v=3)
    assert (refused["code"], refused["field"]) == ("stale_version", "expectedVersion")
    assert '{"version": 1}' in str(await office.ask(mutation, v=0)).replace("'", '"')
    assert (await office.error(mutation, v=0))["code"] == "stale_version"


async def test_versions_are_shown_and_members_see_their_own(office: Office) -> None:
    team = await office.group("Team", "ada")
    zero = {"version": 0}
    pool = {"rateLimit": zero, "budget": zero}
    assert (await office.ask(TEAM, id=team))["group"] == {"version": 0, "rateLimit": zero, "budget": zero, "pool": pool}
    query = '{ user(id: "ada") { version rateLimit { version } apiKeys { version budget { version } } } }'
    own = (await office.ask(query, office.ada))["user"]
    assert own == {"version": 0, "rateLimit": zero, "apiKeys": [{"version": 0, "budget": zero}]}
