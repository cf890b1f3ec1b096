"""A provider of its own protocols alone behind the gateway, so that clients of another one are translated for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from clients.gateway import Gateway
from fakes.provider import Exchange, Provider

ANTHROPIC, OPENAI, CHAT_ONLY = "told-anthropic", "told-openai", "told-chat"
_KINDS = {ANTHROPIC: "CUSTOM_ANTHROPIC", OPENAI: "CUSTOM_OPENAI", CHAT_ONLY: "MOONSHOT"}
_PRICES = {"input": "3", "cacheRead": "0.3", "cacheWrite5m": "3.75", "cacheWrite1h": "6", "output": "15"}


class Upstream:
    """`gateway` is one of its own, since others tell what models theirs has."""

    def __init__(self, gateway: Gateway, provider: Provider) -> None:
        self.gateway = gateway
        self._provider = provider

    def asked(self) -> list[Exchange]:
        """The calls so far that cost, in order."""
        return [call for call in list(self._provider.log) if not call.path.endswith("/count_tokens")]


@contextmanager
def running_upstream(gateway: Gateway) -> Iterator[Upstream]:
    """Serves from a thread, as the provider of three models that the gateway's member may call."""
    loop, provider = asyncio.new_event_loop(), Provider()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(provider.start(), loop).result(10)
    try:
        _register(gateway, provider.port)
        yield Upstream(gateway, provider)
    finally:
        asyncio.run_coroutine_threadsafe(provider.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _register(gateway: Gateway, port: int) -> None:
    def done(query: str, **variables: Any) -> Any:
        headers = {"authorization": f"Bearer {gateway.token}"}
        asked = {"query": query, "variables": variables}
        answer = httpx.post(f"{gateway.url}/graphql", headers=headers, json=asked, timeout=30).json()
        assert "errors" not in answer, answer
        return answer["data"]

    models: list[str] = []
    for slug, kind in _KINDS.items():
        root = "" if kind == "CUSTOM_ANTHROPIC" else "/v1"
        provider = done(
            "mutation($i: CreateProviderInput!) { made: createProvider(input: $i) { provider { id } } }",
            i={"kind": kind, "name": slug, "baseUrl": f"http://127.0.0.1:{port}{root}", "credential": f"sk-{slug}"},
        )["made"]["provider"]["id"]
        offer = done(
            "mutation($i: CreateProviderModelInput!) { made: createProviderModel(input: $i) { providerModel { id } } }",
            i={"providerId": provider, "name": f"{slug}-model", "prices": _PRICES},
        )["made"]["providerModel"]["id"]
        model = done(
            "mutation($i: CreateModelInput!) { made: createModel(input: $i) { model { id } } }",
            i={"slug": slug, "status": "ACTIVE", "backends": [{"providerModelId": offer}]},
        )["made"]["model"]["id"]
        models.append(model)
    me = httpx.get(f"{gateway.url}/gateway/v1/me", headers={"x-api-key": gateway.key}, timeout=30).json()
    users = done("query($s: String!) { users(first: 5, search: $s) { edges { node { id } } } }", s=me["user"]["email"])[
        "users"
    ]
    done(
        "mutation($i: GrantModelsInput!) { grantModels(input: $i) { grants { id } } }",
        i={"subject": {"userId": users["edges"][0]["node"]["id"]}, "modelIds": models},
    )
