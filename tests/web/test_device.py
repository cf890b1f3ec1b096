"""Signing in as Claude Code does it, over HTTP: RFC 8414, 8628, 6749 and 7009."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.bench import MESSAGES, Bench, messages, running_bench
from sluicegate.domain.device import GRANT_DEVICE, POLL_SECONDS
from sluicegate.services.auth import actor_of
from sluicegate.services.caller import Caller

BEGIN, TOKEN, REVOKE = "/oauth/device_authorization", "/oauth/token", "/oauth/revoke"
URL = "http://gate.example.com"


@dataclass
class Assistant:
    """Knows the address of the gateway and nothing else; `ada` is at her browser."""

    bench: Bench
    http: httpx.AsyncClient

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.http.post(path, data=form, headers={"user-agent": "claude-code/2.1.330"})

    async def answered(self, user_code: str, *, approve: bool) -> None:
        container = self.bench.container
        async with container.store.read() as tx:
            ada = await tx.users.get("ada")
        assert ada is not None
        caller = replace(Caller(ada, actor_of(ada)), session_id="here")
        await container.services.device_sign_in.answer(caller, user_code, approve=approve)

    async def signed_in(self) -> dict[str, Any]:
        begun = (await self.post(BEGIN, surface="claude_code")).json()
        await self.answered(begun["user_code"], approve=True)
        answer = await self.post(TOKEN, grant_type=GRANT_DEVICE, device_code=begun["device_code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def call(self, key: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"}
        return await self.http.post(MESSAGES, json=messages(), headers=headers)


@pytest.fixture
async def assistant(tmp_path: Path) -> AsyncIterator[Assistant]:
    async with (
        running_bench(tmp_path, everything=True) as bench,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.port}") as http,
    ):
        bench.container.public_url = URL
        yield Assistant(bench, http)


async def test_a_client_finds_its_way_and_calls_with_what_it_gets(assistant: Assistant) -> None:
    found = (await assistant.http.get("/.well-known/oauth-authorization-server")).json()
    assert found["issuer"] == URL
    ways = ("device_authorization_endpoint", "token_endpoint", "revocation_endpoint")
    assert [found[name] for name in ways] == [URL + path for path in (BEGIN, TOKEN, REVOKE)]
    assert found["grant_types_supported"] == [GRANT_DEVICE, "refresh_token"]

    answer = await assistant.post(BEGIN, surface="claude_code", something="new")
    begun = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert begun["verification_uri"] == f"{URL}/device"
    assert begun["verification_uri_complete"] == f"{URL}/device?user_code={begun['user_code']}"
    assert (begun["expires_in"], begun["interval"]) == (600, POLL_SECONDS)
    pending = await assistant.post(TOKEN, grant_type=GRANT_DEVICE, device_code=begun["device_code"])
    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    hasty = await assistant.post(TOKEN, grant_type=GRANT_DEVICE, device_code=begun["device_code"])
    assert (hasty.status_code, hasty.json()["error"]) == (400, "slow_down")

    issued = await assistant.signed_in()
    assert (issued["token_type"], issued["expires_in"], issued["email"]) == ("Bearer", 28800, "ada@example.com")
    assert (await assistant.call(issued["access_token"])).status_code == 200
    (call,) = await assistant.bench.ledger()
    assert call.user_id == "ada"
    assert call.key_label.startswith("Claude Code sign-in (")


async def test_renewed_revoked_and_told_so_at_once(assistant: Assistant) -> None:
    issued = await assistant.signed_in()
    renewed = await assistant.post(TOKEN, grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert renewed.json()["access_token"] == issued["access_token"]
    gone = await assistant.post(REVOKE, token=issued["refresh_token"], token_type_hint="refresh_token")
    assert (gone.status_code, gone.content) == (200, b"")
    ended = await assistant.post(TOKEN, grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert (ended.status_code, ended.json()["error"]) == (401, "invalid_grant")
    refused = await assistant.call(issued["access_token"])
    # Without the header Claude Code asks again for minutes before it lets somebody sign in anew.
    assert (refused.status_code, refused.headers["x-should-retry"]) == (401, "false")
    assert refused.json()["error"]["type"] == "authentication_error"


async def test_who_is_sent_away_is_told(assistant: Assistant) -> None:
    begun = (await assistant.post(BEGIN)).json()
    await assistant.answered(begun["user_code"], approve=False)
    answer = await assistant.post(TOKEN, grant_type=GRANT_DEVICE, device_code=begun["device_code"])
    assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")


@pytest.mark.parametrize(
    ("path", "form", "error"),
    [
        (TOKEN, {}, "unsupported_grant_type"),
        (TOKEN, {"grant_type": "password", "password": "x"}, "unsupported_grant_type"),
        (TOKEN, {"grant_type": GRANT_DEVICE}, "invalid_request"),
        (TOKEN, {"grant_type": "refresh_token", "refresh_token": ""}, "invalid_request"),
        (TOKEN, {"grant_type": GRANT_DEVICE, "device_code": "\0"}, "expired_token"),
        (TOKEN, {"grant_type": GRANT_DEVICE, "device_code": "x" * 20_000}, "invalid_request"),
        (REVOKE, {}, "invalid_request"),
    ],
)
async def test_what_cannot_be_is_told_in_words(
    assistant: Assistant, path: str, form: dict[str, str], error: str
) -> None:
    answer = await assistant.post(path, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"].endswith(".")


@pytest.mark.parametrize(
    "body", [b"\xff\xfe=1", b"&".join(b"a=%d" % n for n in range(200)), b"token=%ff%fe&surface=%00"]
)
async def test_no_body_breaks_it(assistant: Assistant, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for path in (BEGIN, TOKEN, REVOKE):
        answer = await assistant.http.post(path, content=body, headers=headers)
        assert answer.status_code in (200, 400), answer.text


async def test_what_claude_code_measures_is_taken_from_those_who_are_known(assistant: Assistant) -> None:
    key = (await assistant.signed_in())["access_token"]
    for signal in ("metrics", "logs", "traces"):
        headers = {"authorization": f"Bearer {key}"}
        taken = await assistant.http.post(f"/v1/{signal}", json={"resourceMetrics": []}, headers=headers)
        assert (taken.status_code, taken.json()) == (200, {})
        packed = await assistant.http.post(
            f"/v1/{signal}", content=b"\n\0", headers={**headers, "content-type": "application/x-protobuf"}
        )
        assert (packed.status_code, packed.content) == (200, b"")
        assert (await assistant.http.post(f"/v1/{signal}", json={})).status_code == 401
    assert await assistant.bench.ledger() == []


async def test_there_are_no_managed_settings(assistant: Assistant) -> None:
    answer = await assistant.http.get("/managed/settings", headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "route_not_found")


async def test_where_it_is_turned_off(tmp_path: Path) -> None:
    async with (
        running_bench(tmp_path, everything=True, assistant_sign_in=False) as bench,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.port}") as http,
    ):
        assert (await http.get("/.well-known/oauth-authorization-server")).status_code == 404
        assert (await http.post(BEGIN)).status_code == 404
