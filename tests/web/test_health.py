"""What probes and load balancers are told."""

from __future__ import annotations

import httpx
import pytest

from sluicegate.web.health import LIVES, READY, Health


def asking(checks: dict[str, bool]) -> httpx.AsyncClient:
    async def ready() -> dict[str, bool]:
        return checks

    return httpx.AsyncClient(transport=httpx.ASGITransport(Health(ready)), base_url="http://test")


async def test_a_process_that_lives_says_so() -> None:
    async with asking({"journal": False}) as client:
        answer = await client.get(LIVES)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("away", "status", "word"), [((), 200, "ok"), (("database",), 200, "degraded"), (("journal",), 503, "failing")]
)
async def test_readiness_says_what_is_missing_and_fails_only_when_calls_would(
    away: tuple[str, ...], status: int, word: str
) -> None:
    checks = {name: name not in away for name in ("database", "journal")}
    async with asking(checks) as client:
        answer = await client.get(READY)
    assert (answer.status_code, answer.json()) == (status, {"status": word, "checks": checks})


@pytest.mark.parametrize(
    ("method", "path", "served"),
    [("GET", LIVES, True), ("GET", READY, True), ("POST", READY, False), ("GET", "/", False), ("GET", "/ready", False)],
)
def test_the_rest_is_for_the_console(method: str, path: str, served: bool) -> None:
    async def ready() -> dict[str, bool]:
        return {}

    assert Health(ready).serves({"method": method, "path": path}) is served
