"""A really started gateway, with the key that its demonstration hands to a member."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

MODEL = "claude-demo"
# Input with what is read from and written to caches, read, written, output: what the provider of `upstream` reports.
USAGE = (118, 100, 7, 17)
_CALLS = """
query { calls(first: 100, everyone: true) { edges { node {
    id at model status stream outcome inputTokens cacheReadTokens cacheWriteTokens outputTokens estimated clientApp
} } } }
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """`key` may call MODEL, and `member` is whose it is, by e-mail and password; `token` may read everything."""

    url: str
    key: str
    token: str
    member: dict[str, str]

    def calls(self) -> list[dict[str, Any]]:
        """The ledger's newest calls, newest first."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = httpx.post(f"{self.url}/graphql", headers=headers, json={"query": _CALLS}).json()
        assert "errors" not in answer, answer
        return [edge["node"] for edge in answer["data"]["calls"]["edges"]]


class Watched:
    """What was called since this was made; an earlier test's call may reach the ledger only after that."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._began = datetime.now(UTC)

    def calls(self, count: int = 1, model: str | None = None) -> list[dict[str, Any]]:
        """At least `count` new calls, of one model where it is named, oldest first; the ledger is written in batches
        behind the answers."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            new = [call for call in self._gateway.calls() if datetime.fromisoformat(call["at"]) >= self._began]
            found = [call for call in new if model in (None, call["model"])]
            if len(found) >= count:
                return found[::-1]
            time.sleep(0.2)
        raise AssertionError(f"fewer than {count} new calls in the ledger")

    def exact(self, model: str, count: int = 1) -> list[str]:
        """The client of each new call of this model, all of which cost exactly what the provider reported."""
        calls = self.calls(count, model)
        for call in calls:
            assert (call["status"], call["outcome"], call["estimated"]) == (200, "ok", False)
            told = (call["inputTokens"], call["cacheReadTokens"], call["cacheWriteTokens"], call["outputTokens"])
            assert tuple(map(int, told)) == USAGE
        return [call["clientApp"] for call in calls]

    def single(self) -> tuple[int, int]:
        """Input and output tokens of the one new call, which a provider reported."""
        (call,) = self.calls()
        assert (call["status"], call["outcome"], call["estimated"]) == (200, "ok", False)
        return int(call["inputTokens"]), int(call["outputTokens"])


@contextmanager
def running_gateway(data: Path) -> Iterator[Gateway]:
    """Serves the demonstration from an empty folder."""
    log = data / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("sluicegate")), "demo", "--port", "0"],
            cwd=data,
            env=_environment(data),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        facts = _facts_when_healthy(data, server, log)
        member = {name: facts["member"][name] for name in ("email", "password")}
        yield Gateway(facts["url"], facts["member"]["key"], facts["admin_token"], member)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _environment(data: Path) -> dict[str, str]:
    # What a developer has set for a server of their own must not leak into a test's.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
    return inherited | {"SLUICEGATE_DATA_DIR": str(data), "SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS": "true"}


def _facts_when_healthy(data: Path, server: subprocess.Popen[bytes], log: Path) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            facts = json.loads((data / "demo.json").read_text())
            if httpx.get(f"{facts['url']}/healthz").is_success:
                return facts
        except (FileNotFoundError, json.JSONDecodeError, httpx.TransportError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not become healthy:\n{log.read_text()}")
