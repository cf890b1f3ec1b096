"""What a provider stores for one user is of no use to another, whoever knows its id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fakes.redis_server import RedisServer
from fakes.wire import RESPONSE_EVENTS, events, message, named, response, whole
from gateway.bench import ASK, CREDENTIAL, MESSAGES, RESPONSES, Bench, messages, responses, running_bench
from gateway.office import Office, open_office
from gateway.test_refusals import openai_error

ITEM = "msg_1"
REFERENCES: list[dict[str, Any]] = [
    {"previous_response_id": "resp_1"},
    {"input": [{"type": "item_reference", "id": ITEM}, *ASK]},
    {"input": [{"id": ITEM}]},
    {"input": [{"type": None, "id": ITEM}]},
    {"input": [{"type": "reasoning", "id": ITEM, "summary": []}]},
]


async def ask(office: Office, key: str, **values: Any) -> Any:
    headers = {"authorization": f"Bearer {key}"}
    return await office.bench.client.post(RESPONSES, json=responses(**values), headers=headers)


async def assert_only_for(office: Office, owner: str, other: str) -> None:
    """Whatever refers to the answer that was stored passes for its owner, and for nobody else."""
    bench = office.bench
    for reference in REFERENCES:
        asked = len(bench.provider.log)
        refused = await ask(office, other, **reference)
        assert refused.status_code == 400, reference
        error = openai_error(refused)
        assert error["code"] == "invalid_request"
        assert error["param"] in ("previous_response_id", "input.0.id")
        assert len(bench.provider.log) == asked
        bench.provider.next(whole(response(id="resp_2")))
        assert (await ask(office, owner, **reference)).status_code == 200, reference
        assert bench.provider.log[-1].json == responses(model="acme-model", **reference)


async def test_a_whole_answer(office: Office) -> None:
    other = await office.hire("bob")
    office.bench.provider.next(whole(response(store=True)))
    assert (await ask(office, CREDENTIAL.text)).status_code == 200
    await assert_only_for(office, CREDENTIAL.text, other)


async def test_a_streamed_answer(office: Office) -> None:
    other = await office.hire("bob")
    office.bench.provider.next(events(*RESPONSE_EVENTS))
    assert (await ask(office, CREDENTIAL.text, stream=True)).status_code == 200
    await assert_only_for(office, CREDENTIAL.text, other)


async def test_any_key_of_its_owner_goes_on(office: Office) -> None:
    office.bench.provider.next(whole(response()), whole(response(id="resp_2")))
    await ask(office, CREDENTIAL.text)
    second = await office.bench.add_key()
    assert (await ask(office, second.text, previous_response_id="resp_1")).status_code == 200


async def test_what_is_not_stored_belongs_to_nobody(office: Office) -> None:
    office.bench.provider.next(whole(response(store=False)))
    await ask(office, CREDENTIAL.text, store=False)
    assert (await ask(office, CREDENTIAL.text, previous_response_id="resp_1")).status_code == 400


async def test_ids_are_no_oracle_and_refusals_cost_nothing(bench: Bench) -> None:
    for values in (
        {"previous_response_id": "resp_guessed"},
        {"previous_response_id": 7},
        {"previous_response_id": ""},
        {"conversation": "conv_1"},
        {"conversation": {"id": "conv_1"}},
        {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
    ):
        answer = await bench.client.post(RESPONSES, json=responses(**values))
        assert answer.status_code == 400, values
        assert openai_error(answer)["code"] == "invalid_request"
    written = json.dumps(responses(previous_response_id="resp_1")).replace("previous", "\\u0070revious")
    answer = await bench.client.post(RESPONSES, content=written)
    assert (answer.status_code, openai_error(answer)["param"]) == (400, "previous_response_id")
    for values in ({"input": [{"type": "item_reference", "id": "rs_1"}]}, {"input": [{"id": "rs_1"}, "x"]}):
        hidden = json.dumps(responses(**values)).replace('"id"', '"\\u0069d"').replace("item_ref", "item\\u005fref")
        answer = await bench.client.post(RESPONSES, content=hidden)
        assert (answer.status_code, openai_error(answer)["param"].split(".")[0]) == (400, "input")
    # Cursor's way to ask for the same.
    answer = await bench.client.post("/v1/chat/completions", json=responses(previous_response_id="resp_1"))
    assert answer.status_code == 400
    for container in ("container_1", {"id": "container_1", "skills": []}):
        answer = await bench.client.post(MESSAGES, json=messages(container=container))
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    await bench.assert_untouched()


@pytest.mark.parametrize(
    "values",
    [
        {"previous_response_id": None, "conversation": None},
        {"input": [{"type": "message", "id": "msg_9", "role": "assistant", "content": "said"}, *ASK]},
        {"input": [{"type": "reasoning", "id": "rs_9", "summary": [], "encrypted_content": "sealed"}, *ASK]},
        {"input": [{"type": "function_call", "id": "fc_9", "call_id": "c", "name": "f", "arguments": "{}"}, *ASK]},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    ],
)
async def test_what_the_caller_brings_along_passes(bench: Bench, values: dict[str, Any]) -> None:
    bench.provider.next(whole(response()))
    assert (await bench.client.post(RESPONSES, json=responses(**values))).status_code == 200
    assert bench.provider.log[0].json == responses(model="acme-model", **values)


async def test_skills_without_a_container_pass(bench: Bench) -> None:
    bench.provider.next(whole(message()))
    assert (await bench.client.post(MESSAGES, json=messages(container={"skills": []}))).status_code == 200


async def test_an_answer_whose_ids_cannot_be_read_is_billed_all_the_same(bench: Bench) -> None:
    for odd in ({"id": 5}, {"output": 5}, {"output": [{"id": 5}]}, {"store": "x"}):
        bench.provider.next(whole(response(**odd)))
        assert (await bench.client.post(RESPONSES, json=responses())).status_code == 200
        end = named("response.completed", sequence_number=6, response=response(**odd))
        bench.provider.next(events(*RESPONSE_EVENTS[:-1], end))
        assert (await bench.client.post(RESPONSES, json=responses(stream=True))).status_code == 200
    assert {(record.output_tokens, record.estimated) for record in await bench.ledger()} == {(17, False)}


@pytest.mark.embedded
@pytest.mark.parametrize("direct", [True, False])
async def test_an_answer_of_one_gateway_is_gone_on_with_at_another(
    tmp_path: Path, redis_url: str, direct: bool
) -> None:
    shared = {"redis_url": redis_url, "redis_prefix": f"test-{uuid4().hex}", "direct": direct}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with running_bench(tmp_path / "one", **shared) as one, running_bench(tmp_path / "two", **shared) as two:
        office = await open_office(two)
        other = await office.hire("bob")
        one.provider.next(whole(response(store=True)))
        assert (await one.client.post(RESPONSES, json=responses())).status_code == 200
        await assert_only_for(office, CREDENTIAL.text, other)
        # What one keeps is no reason for the other to ask anybody about calls that refer to nothing.
        two.provider.next(whole(response(id="resp_3")))
        assert (await ask(office, other)).status_code == 200


@pytest.mark.embedded
async def test_without_redis_a_gateway_knows_its_own_answers_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with RedisServer() as server:
        shared = {"redis_url": server.url}
        async with running_bench(tmp_path / "one", **shared) as one, running_bench(tmp_path / "two", **shared) as two:
            one.provider.next(whole(response()))
            assert (await one.client.post(RESPONSES, json=responses())).status_code == 200
            await server.kill()
            one.provider.next(whole(response(id="resp_2")))
            assert (await one.client.post(RESPONSES, json=responses(previous_response_id="resp_1"))).status_code == 200
            refused = await two.client.post(RESPONSES, json=responses(previous_response_id="resp_1"))
            assert (refused.status_code, openai_error(refused)["param"]) == (400, "previous_response_id")
            await two.assert_untouched()
