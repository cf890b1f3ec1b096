"""A really started gateway, with a key that may call one model of the built-in provider."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_ADMIN = {"email": "admin@sluicegate.test", "password": "correct horse battery staple"}
_CSRF = {"x-sluicegate-csrf": "1"}


@dataclass(frozen=True, slots=True)
class Gateway:
    """`model` is granted to the holder of `key`; `admin` is signed in."""

    url: str
    key: str
    model: str
    admin: httpx.Client

    def graphql(self, query: str, **variables: Any) -> Any:
        return _graphql(self.admin, query, **variables)

    def calls(self) -> list[dict[str, Any]]:
        """The ledger's newest calls, newest first."""
        found = self.graphql(
            """query { calls(first: 100, everyone: true) { edges { node {
                model status stream inputTokens outputTokens estimated clientApp
            } } } }"""
        )
        return [edge["node"] for edge in found["calls"]["edges"]]


@contextmanager
def running_gateway(data: Path) -> Iterator[Gateway]:
    """Serves the demonstration from an empty folder and prepares a model and a key in it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = data / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("sluicegate")), "demo"],
            cwd=data,
            env=_environment(port, data),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_healthy(url, server, log)
        with httpx.Client(base_url=url, headers=_CSRF, timeout=30) as admin:
            admin.post("/auth/sign-in", json=_ADMIN).raise_for_status()
            model = f"claude-demo-{secrets.token_hex(4)}"
            yield Gateway(url, _make_key(admin, model), model, admin)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _environment(port: int, data: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
    return inherited | {
        "SLUICEGATE_HOST": "127.0.0.1",
        "SLUICEGATE_PORT": str(port),
        "SLUICEGATE_DATA_DIR": str(data),
        "SLUICEGATE_ADMIN_EMAIL": _ADMIN["email"],
        "SLUICEGATE_ADMIN_PASSWORD": _ADMIN["password"],
    }


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{url}/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not become healthy:\n{log.read_text()}")


def _make_key(admin: httpx.Client, slug: str) -> str:
    provider = _graphql(
        admin,
        "mutation($input: CreateProviderInput!) { createProvider(input: $input) { provider { id } } }",
        input={"kind": "DEMO", "name": f"Built-in {slug}"},
    )["createProvider"]["provider"]["id"]
    offered = _graphql(
        admin,
        "mutation($input: CreateProviderModelInput!) { createProviderModel(input: $input) { providerModel { id } } }",
        input={"providerId": provider, "name": "demo-fast", "prices": {"input": "1", "output": "2"}},
    )["createProviderModel"]["providerModel"]["id"]
    model = _graphql(
        admin,
        "mutation($input: CreateModelInput!) { createModel(input: $input) { model { id } } }",
        input={"slug": slug, "status": "ACTIVE", "backends": [{"providerModelId": offered}]},
    )["createModel"]["model"]["id"]
    viewer = _graphql(admin, "query { viewer { user { id } } }")["viewer"]["user"]["id"]
    _graphql(
        admin,
        "mutation($input: GrantModelsInput!) { grantModels(input: $input) { grants { id } } }",
        input={"subject": {"userId": viewer}, "modelIds": [model]},
    )
    return _graphql(
        admin,
        'mutation { createApiKey(input: { name: "client tests" }) { secret } }',
    )["createApiKey"]["secret"]


def _graphql(admin: httpx.Client, query: str, **variables: Any) -> Any:
    answer = admin.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer
    return answer["data"]
