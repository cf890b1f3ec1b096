"""A key may be less than its owner, get a new secret, and tell when it was used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from gateway.bench import Bench
from gateway.office import Office

FIELDS = """id name status prefix lastUsedAt lastUsedClient previousPrefix previousExpiresAt models { slug }
  rateLimit { requestsPerMinute } budget { daily } limits { dimension limit used } budgets { window cap spent }"""
CREATE = f"mutation ($input: CreateApiKeyInput!) {{ createApiKey(input: $input) {{ secret apiKey {{ {FIELDS} }} }} }}"
UPDATE = f"mutation ($input: UpdateApiKeyInput!) {{ updateApiKey(input: $input) {{ apiKey {{ {FIELDS} }} }} }}"
ROTATE = f"""mutation ($id: ID!, $hours: Int!) {{
  rotateApiKey(id: $id, overlapHours: $hours) {{ secret apiKey {{ {FIELDS} }} }} }}"""
MINE = f"{{ apiKeys {{ edges {{ node {{ {FIELDS} }} }} }} }}"
EXPLAIN = """query ($model: String!, $key: ID) { explain(userId: "ada", model: $model, keyId: $key) {
  allowed status code message retryAt checks { name passed } } }"""


async def create(office: Office, **values: Any) -> tuple[str, dict[str, Any]]:
    made = (await office.ask(CREATE, office.ada, input={"name": "Laptop", **values}))["createApiKey"]
    return made["secret"], made["apiKey"]


async def model_id(office: Office, slug: str) -> str:
    async with office.bench.container.store.read() as tx:
        model = await tx.catalog.model_by_slug(slug)
    assert model is not None
    return model.id


def error(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    return found


async def listed(office: Office, key_id: str) -> dict[str, Any]:
    edges = (await office.ask(MINE, office.ada))["apiKeys"]["edges"]
    found: dict[str, Any] = next(edge["node"] for edge in edges if edge["node"]["id"] == key_id)
    return found


async def test_a_key_calls_only_its_own_models_and_lists_no_others(office: Office) -> None:
    secret, key = await create(office, modelIds=[await model_id(office, "team-claude")])
    assert key["models"] == [{"slug": "team-claude"}]
    refused = await office.call(secret)
    assert (refused.status_code, error(refused)["code"]) == (403, "model_not_granted")
    assert "The key Laptop may not be used for the model 'team-gpt'" in error(refused)["message"]
    headers = {"authorization": f"Bearer {secret}"}
    shown = (await office.bench.client.get("/v1/models", headers=headers)).json()
    assert [model["id"] for model in shown["data"]] == ["team-claude"]
    await office.bench.assert_untouched()

    both = [await model_id(office, "team-claude"), await model_id(office, "team-gpt")]
    await office.ask(UPDATE, office.ada, input={"id": key["id"], "modelIds": both})
    assert (await office.call(secret)).status_code == 200
    await office.ask(UPDATE, office.ada, input={"id": key["id"], "modelIds": both[:1]})
    assert (await office.call(secret)).status_code == 403
    changed = await office.ask(UPDATE, office.ada, input={"id": key["id"], "modelIds": None})
    assert changed["updateApiKey"]["apiKey"]["models"] is None
    assert (await office.call(secret)).status_code == 200


async def test_a_key_never_opens_what_its_owner_lost(office: Office) -> None:
    secret, _ = await create(office, modelIds=[await model_id(office, "team-gpt")])
    assert (await office.call(secret)).status_code == 200
    grants = await office.ask('{ user(id: "ada") { grants { id model { slug } } } }')
    grant = next(g["id"] for g in grants["user"]["grants"] if g["model"]["slug"] == "team-gpt")
    await office.bench.container.services.grants.revoke(office.admin, grant)
    refused = await office.call(secret)
    assert (refused.status_code, error(refused)["code"]) == (403, "model_not_granted")
    assert "You have no grant" in error(refused)["message"]


async def test_limits_and_caps_of_a_key_hold_for_it_alone_and_beside_its_owners(office: Office) -> None:
    secret, key = await create(office, rateLimit={"requestsPerMinute": 1})
    assert (await office.call(secret)).status_code == 200
    refused = await office.call(secret)
    assert refused.status_code == 429
    assert "1 requests per minute, set on the key Laptop" in error(refused)["message"]
    assert error(refused)["details"]["source"] == {"kind": "key", "name": "Laptop"}
    assert (await office.call()).status_code == 200
    assert (await listed(office, key["id"]))["limits"][0] == {"dimension": "REQUESTS", "limit": 1, "used": 1}

    explained = (await office.ask(EXPLAIN, office.ada, model="team-gpt", key=key["id"]))["explain"]
    told, refusal = (text.partition(" Try again in ")[0] for text in (explained["message"], error(refused)["message"]))
    assert (explained["status"], told) == (429, refusal)
    assert explained["retryAt"] is not None
    assert [check["name"] for check in explained["checks"]] == ["key", "account", "model", "grant", "rate_limits"]
    assert (await office.ask(EXPLAIN, office.ada, model="team-gpt"))["explain"]["allowed"]

    # The budget counts what went through the key before it was set.
    await office.ask(UPDATE, office.ada, input={"id": key["id"], "rateLimit": None, "budget": {"daily": "0.0001"}})
    refused = await office.call(secret)
    assert (refused.status_code, error(refused)["code"]) == (402, "budget_exceeded")
    assert "set on the key Laptop" in error(refused)["message"]
    assert (await office.call()).status_code == 200

    await office.bench.set_limits(requests=0)
    assert "set for this user" in error(await office.call(secret))["message"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"modelIds": []}, "modelIds"),
        ({"modelIds": ["ghost"]}, "modelIds"),
        ({"modelIds": ["secret-model"]}, "modelIds"),
        ({"rateLimit": {"requestsPerMinute": -1}}, "rateLimit.requestsPerMinute"),
        ({"budget": {"alertThresholds": [0]}}, "budget.alertThresholds"),
    ],
)
async def test_what_a_key_cannot_be_is_refused_by_name(office: Office, values: dict[str, Any], field: str) -> None:
    if values.get("modelIds") == ["secret-model"]:
        values = {"modelIds": [await model_id(office, "secret-model")]}
    refused = await office.error(CREATE, office.ada, input={"name": "Laptop", **values})
    assert (refused["code"], refused["field"]) == ("invalid_input", field)
    _, key = await create(office)
    refused = await office.error(UPDATE, office.ada, input={"id": key["id"], **values})
    assert (refused["code"], refused["field"]) == ("invalid_input", field)
    assert (await listed(office, key["id"]))["models"] is None


async def test_a_rotated_key_works_with_both_secrets_until_the_overlap_ends(office: Office) -> None:
    old, key = await create(office, rateLimit={"requestsPerMinute": 3})
    assert (await office.call(old)).status_code == 200
    rotated = (await office.ask(ROTATE, office.ada, id=key["id"], hours=2))["rotateApiKey"]
    new, after = rotated["secret"], rotated["apiKey"]
    assert (after["id"], after["previousPrefix"]) == (key["id"], key["prefix"])
    assert after["prefix"] != key["prefix"]
    assert new.startswith(after["prefix"])
    # It is one key: both secrets draw from the same limits.
    assert [(await office.call(secret)).status_code for secret in (old, new, old)] == [200, 200, 429]

    await office.ask(UPDATE, office.ada, input={"id": key["id"], "rateLimit": None})
    async with office.bench.container.store.write() as tx:
        stored = await tx.keys.get(key["id"])
        assert stored is not None
        assert stored.previous_expires_at is not None
        await tx.keys.update(key["id"], previous_expires_at=stored.previous_expires_at - timedelta(hours=2))
    await office.ask(UPDATE, office.ada, input={"id": key["id"], "name": "Desk"})
    refused = await office.call(old)
    assert (refused.status_code, error(refused)["code"]) == (401, "key_expired")
    assert "has a new secret" in error(refused)["message"]
    assert (await office.call(new)).status_code == 200
    assert (await listed(office, key["id"]))["previousPrefix"] is None


async def test_no_overlap_ends_the_old_secret_at_once_and_revoking_ends_both(office: Office) -> None:
    first, key = await create(office)
    assert (await office.call(first)).status_code == 200
    second = (await office.ask(ROTATE, office.ada, id=key["id"], hours=0))["rotateApiKey"]["secret"]
    assert [(await office.call(secret)).status_code for secret in (first, second)] == [401, 200]
    third = (await office.ask(ROTATE, office.ada, id=key["id"], hours=24))["rotateApiKey"]["secret"]
    # Of the one before the last rotation nothing is left.
    assert error(await office.call(first))["code"] == "invalid_api_key"
    assert [(await office.call(secret)).status_code for secret in (second, third)] == [200, 200]
    await office.bench.container.services.keys.revoke(office.ada, key["id"])
    for secret in (second, third):
        refused = await office.call(secret)
        assert (refused.status_code, error(refused)["code"]) == (401, "key_revoked")


async def test_only_the_owner_gets_a_new_secret_and_dead_keys_stay_dead(office: Office) -> None:
    _, key = await create(office)
    assert (await office.error(ROTATE, id=key["id"], hours=1))["code"] == "forbidden"
    for hours in (-1, 721):
        refused = await office.error(ROTATE, office.ada, id=key["id"], hours=hours)
        assert (refused["code"], refused["field"]) == ("invalid_input", "overlapHours")
    await office.hire("bob")
    stranger = await office.as_user("bob")
    assert (await office.error(ROTATE, stranger, id=key["id"], hours=1))["code"] == "not_found"
    assert (await office.error(UPDATE, stranger, input={"id": key["id"], "name": "x"}))["code"] == "not_found"
    # Administrators may narrow anyone's.
    changed = await office.ask(UPDATE, input={"id": key["id"], "rateLimit": {"requestsPerMinute": 5}})
    assert changed["updateApiKey"]["apiKey"]["rateLimit"] == {"requestsPerMinute": 5}
    await office.bench.container.services.keys.revoke(office.admin, key["id"])
    assert (await office.error(ROTATE, office.ada, id=key["id"], hours=1))["code"] == "conflict"
    assert (await office.error(UPDATE, office.ada, input={"id": key["id"], "name": "x"}))["code"] == "conflict"


async def test_a_key_tells_when_and_by_what_it_was_used(office: Office, bench: Bench) -> None:
    secret, key = await create(office)
    assert key["lastUsedAt"] is None
    headers = {"authorization": f"Bearer {secret}", "user-agent": "claude-cli/2.1"}
    assert (await bench.client.get("/v1/models", headers=headers)).status_code == 200
    for agent, program in (("claude-cli/2.1", "claude-code"), ("aider/1", "aider")):
        headers["user-agent"] = agent
        body = {"model": "team-gpt", "messages": [{"role": "user", "content": "hi"}]}
        assert (await bench.client.post("/v1/chat/completions", json=body, headers=headers)).status_code == 200
        await bench.ledger()
        found = await listed(office, key["id"])
        assert found["lastUsedClient"] == program
        assert found["lastUsedAt"] is not None


async def test_every_change_of_a_key_is_written_down_without_its_secret(office: Office) -> None:
    secret, key = await create(office, modelIds=[await model_id(office, "team-gpt")], budget={"daily": "2.5"})
    await office.ask(
        UPDATE, office.ada, input={"id": key["id"], "modelIds": None, "rateLimit": {"concurrentRequests": 2}}
    )
    new = (await office.ask(ROTATE, office.ada, id=key["id"], hours=1))["rotateApiKey"]["secret"]
    made, updated, rotated = await office.written(target_id=key["id"])
    assert [e.action for e in (made, updated, rotated)] == ["api_key.create", "api_key.update", "api_key.rotate"]
    assert (made.after["models"], made.after["daily"]) == (["team-gpt"], "2.5")
    assert (updated.after["models"], updated.after["concurrent_requests"]) == (None, 2)
    assert "daily" not in updated.after
    for text_of_secret in (secret, new):
        assert text_of_secret[16:] not in str((made, updated, rotated))
