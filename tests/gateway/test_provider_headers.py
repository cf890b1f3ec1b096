"""What a provider gets to see of the headers that are set for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.bench import CHAT, MESSAGES, chat, messages
from gateway.office import Office
from sluicegate.kit.secret import Secret
from sluicegate.services.provider_headers import NewHeader
from sluicegate.services.providers import ProviderChange

pytestmark = pytest.mark.any_stack


async def set_headers(office: Office, name: str, **values: str) -> str:
    headers = tuple(NewHeader(key.replace("_", "-"), Secret(value)) for key, value in values.items())
    async with office.bench.container.store.read() as tx:
        provider = await tx.catalog.provider_by_name(name)
    assert provider is not None
    await office.bench.container.services.providers.update(office.admin, provider.id, ProviderChange(headers=headers))
    return provider.id


async def test_headers_go_with_the_next_call_in_place_of_a_callers(office: Office) -> None:
    client, log = office.bench.client, office.bench.provider.log
    for team in ("red", "blue"):
        await set_headers(office, "acme", x_team=team)
        answer = await client.post(CHAT, json=chat(), headers={"x-team": "mine", "x-other": "kept"})
        assert answer.status_code == 200
        names = [key for key, _ in log[-1].headers]
        assert names.count(b"x-team") == 1
        assert (log[-1].header("x-team"), log[-1].header("x-other")) == (team, "kept")
        assert log[-1].header("authorization") == "Bearer sk-acme"


async def test_translated_calls_carry_them_too(office: Office) -> None:
    await set_headers(office, "acme", x_team="red")
    answer = await office.bench.client.post(MESSAGES, json=messages(model="team-gpt"))
    assert answer.status_code == 200
    assert office.bench.provider.log[-1].header("x-team") == "red"


async def test_they_go_to_their_own_provider_alone(office: Office) -> None:
    await set_headers(office, "acme", x_team="red")
    await office.bench.client.post(MESSAGES, json=messages())
    assert office.bench.provider.log[-1].header("x-team") is None


async def test_a_connection_test_carries_them(office: Office) -> None:
    provider = await set_headers(office, "acme", x_team="red")
    result = await office.bench.container.services.provider_tests.run(office.admin, provider)
    assert result.ok
    assert office.bench.provider.log[-1].header("x-team") == "red"


@pytest.mark.parametrize("kept", [True, False])
async def test_headers_that_cannot_be_opened_are_told_of(office: Office, *, kept: bool) -> None:
    provider = await set_headers(office, "acme", x_team="red")
    async with office.bench.container.store.write() as tx:
        await tx.catalog.set_sealed_headers(provider, "v1.broken.seal", ["x-team"])
    services = office.bench.container.services
    result = await services.provider_tests.run(office.admin, provider)
    assert (result.ok, "cannot be opened" in result.message) == (False, True)
    value = None if kept else Secret("new")
    change = ProviderChange(headers=(NewHeader("x-team", value),))
    found = await services.providers.get(office.admin, provider)
    assert found is not None
    if kept:
        with pytest.raises(Exception, match="give all values again"):
            await services.providers.update(office.admin, provider, change)
    else:
        changed = await services.providers.update(office.admin, provider, change)
        assert changed == replace(found, header_names=("x-team",))
