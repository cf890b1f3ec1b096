"""Lists of models: what a caller may call, by which names, in which shape."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.bench import CHAT, MESSAGES, SUBJECT, Bench, chat, messages
from gateway.test_refusals import anthropic_error, openai_error
from sluicegate.domain.catalog import ModelStatus
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.kit.ids import new_id

ANTHROPIC = {"anthropic-version": "2023-06-01"}


async def add_model(bench: Bench, slug: str, status: ModelStatus = ModelStatus.ACTIVE) -> None:
    """A further model like `team-claude`, granted to nobody."""
    async with bench.container.store.write() as tx:
        known = await tx.catalog.model_by_slug("team-claude")
        assert known is not None
        backends = tuple(replace(backend, id=new_id()) for backend in known.backends)
        await tx.catalog.add_model(replace(known, id=slug, slug=slug, status=status, backends=backends))
        tx.changed(PolicyChange(ChangeKind.CATALOG))


@pytest.mark.parametrize("root", ["/v1", "/gateway/openai/v1"])
async def test_openai_lists_what_may_be_called(bench: Bench, root: str) -> None:
    body = (await bench.client.get(f"{root}/models")).json()
    assert [m["id"] for m in body["data"]] == ["team-claude", "team-embed", "team-gpt"]
    assert body["object"] == "list"
    assert body["data"][0] == {
        "id": "team-claude",
        "object": "model",
        "created": 1795521600,
        "owned_by": "sluicegate",
        "display_name": "Team-Claude",
        "kind": "chat",
        "context_length": 200_000,
        "max_output_tokens": 8_000,
        "capabilities": [],
    }
    assert (await bench.client.get(f"{root}/models/team-gpt")).json()["id"] == "team-gpt"


@pytest.mark.parametrize(("root", "headers"), [("/v1", ANTHROPIC), ("/gateway/anthropic/v1", {})])
async def test_anthropic_lists_what_may_be_called(bench: Bench, root: str, headers: dict[str, str]) -> None:
    body = (await bench.client.get(f"{root}/models?limit=1000", headers=headers)).json()
    # A model for embeddings could not be called in this dialect.
    ids = ["claude-team-claude", "claude-team-gpt", "team-claude", "team-gpt"]
    assert [m["id"] for m in body["data"]] == ids
    assert (body["has_more"], body["first_id"], body["last_id"]) == (False, ids[0], ids[-1])
    assert body["data"][2] == {
        "type": "model",
        "id": "team-claude",
        "display_name": "Team-Claude",
        "created_at": "2026-11-24T12:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 8_000,
        "capabilities": None,
    }
    answer = await bench.client.get(f"{root}/models/team-claude", headers=headers)
    assert (answer.json(), answer.headers["request-id"]) == (body["data"][2], answer.headers["x-request-id"])


async def test_what_a_model_is_capable_of_is_told_in_each_shape(bench: Bench) -> None:
    words = ("adaptive-thinking", "reasoning", "tools", "vision")
    async with bench.container.store.write() as tx:
        for model_id in ("claude", "gemini"):
            model = await tx.catalog.model_by_slug(f"team-{model_id}")
            assert model is not None
            await tx.catalog.update_provider_model(model.backends[0].provider_model_id, capabilities=words)
        tx.changed(PolicyChange(ChangeKind.CATALOG))
    assert (await bench.client.get("/v1/models/team-claude")).json()["capabilities"] == list(words)
    assert (await bench.client.get("/v1/models/team-claude", headers=ANTHROPIC)).json()["capabilities"] == {
        "image_input": {"supported": True},
        "thinking": {
            "supported": True,
            "types": {"adaptive": {"supported": True}, "enabled": {"supported": False}},
        },
    }
    assert (await bench.client.get("/v1beta/models/team-gemini")).json()["thinking"] is True


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ("limit=3", ["claude-team-claude", "claude-team-gpt", "team-claude"], True),
        ("limit=3&after_id=team-claude", ["team-gpt"], False),
        ("limit=2&before_id=team-gpt", ["claude-team-gpt", "team-claude"], True),
        ("before_id=claude-team-gpt", ["claude-team-claude"], False),
        ("after_id=team-gpt", [], False),
        ("kind=embedding", ["team-embed"], False),
    ],
)
async def test_anthropic_pages(bench: Bench, query: str, ids: list[str], more: bool) -> None:
    body = (await bench.client.get(f"/gateway/anthropic/v1/models?{query}")).json()
    assert ([m["id"] for m in body["data"]], body["has_more"]) == (ids, more)


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1", "99999999999"])
async def test_anthropic_page_sizes_have_bounds(bench: Bench, limit: str) -> None:
    answer = await bench.client.get(f"/gateway/anthropic/v1/models?limit={limit}")
    assert (answer.status_code, anthropic_error(answer)["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(("kind", "ids"), [("chat", ["team-claude", "team-gpt"]), ("embedding", ["team-embed"])])
async def test_a_kind_can_be_asked_for(bench: Bench, kind: str, ids: list[str]) -> None:
    body = (await bench.client.get(f"/v1/models?kind={kind}")).json()
    assert [m["id"] for m in body["data"]] == ids


async def test_an_unknown_kind_is_refused(bench: Bench) -> None:
    answer = await bench.client.get("/v1/models?kind=video")
    assert (answer.status_code, openai_error(answer)["param"]) == (400, "kind")


async def test_a_model_that_is_not_granted_is_not_shown(bench: Bench) -> None:
    answer = await bench.client.get("/v1/models/secret-model")
    assert (answer.status_code, openai_error(answer)["code"]) == (403, "model_not_granted")
    answer = await bench.client.get("/v1/models/claude-secret-model")
    assert (answer.status_code, openai_error(answer)["code"]) == (403, "model_not_granted")
    answer = await bench.client.get("/v1/models/none", headers=ANTHROPIC)
    assert (answer.status_code, anthropic_error(answer)["type"]) == (404, "not_found_error")


# Aliases


async def test_a_model_is_called_and_found_by_its_alias(bench: Bench) -> None:
    assert (await bench.client.post(CHAT, json=chat(model="claude-team-gpt"))).status_code == 200
    counted = await bench.client.post(f"{MESSAGES}/count_tokens", json=messages(model="claude-team-claude"))
    assert counted.json() == {"input_tokens": 42}
    assert [e.json["model"] for e in bench.provider.log] == ["acme-model", "zeta-model"]
    assert (await bench.only_call()).model_slug == "team-gpt"
    answer = await bench.client.get("/v1/models/claude-team-gpt", headers=ANTHROPIC)
    assert (answer.json()["id"], answer.json()["display_name"]) == ("claude-team-gpt", "Team-Gpt")


@pytest.mark.parametrize("status", [ModelStatus.ACTIVE, ModelStatus.DRAFT, ModelStatus.DISABLED])
async def test_a_name_that_a_model_owns_is_never_an_alias(bench: Bench, status: ModelStatus) -> None:
    await add_model(bench, "claude-team-gpt", status)
    answer = await bench.client.post(CHAT, json=chat(model="claude-team-gpt"))
    expected = (403, "model_not_granted") if status is ModelStatus.ACTIVE else (404, "model_not_found")
    assert (answer.status_code, openai_error(answer)["code"]) == expected
    body = (await bench.client.get("/v1/models", headers=ANTHROPIC)).json()
    assert [m["id"] for m in body["data"]] == ["claude-team-claude", "team-claude", "team-gpt"]
    await bench.assert_untouched()


async def test_a_model_that_is_shown_anyway_has_no_alias(bench: Bench) -> None:
    for slug in ("claude-opus", "anthropic.haiku"):
        await add_model(bench, slug)
    async with bench.container.store.write() as tx:
        await tx.policy.add_grants(SUBJECT, ["claude-opus", "anthropic.haiku"], bench.container.clock.now())
        tx.changed(PolicyChange(ChangeKind.USER, SUBJECT.id))
    body = (await bench.client.get("/v1/models", headers=ANTHROPIC)).json()
    assert {m["id"] for m in body["data"]} >= {"claude-opus", "anthropic.haiku"}
    assert not {m["id"] for m in body["data"]} & {"claude-claude-opus", "claude-anthropic.haiku"}
    assert (await bench.client.get("/v1/models/claude-claude-opus")).status_code == 404
