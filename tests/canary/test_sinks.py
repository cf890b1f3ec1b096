"""Unique words go in at every door of a real server; afterwards they are looked for wherever a server leaves traces."""

from __future__ import annotations

import base64
import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cli.program import Server, serving
from fakes.http_server import Connection
from fakes.provider import Exchange, Provider
from fakes.script import Step
from fakes.wire import CHAT_EVENTS, STREAM_HEAD, events, framed, never_answers, whole
from traces.collector import Collector, collecting

EMAIL = "ada@example.com"
LOOKED_AT = ("/healthz", "/readyz", "/metrics", "/export/audit-log.csv", "/export/audit-log.json", "/export/users.csv")
SHOWN = (
    "{ auditEvents { edges { node { action targetLabel actorLabel changes { field before after } } } } }",
    "{ calls(everyone: true) { edges { node { outcome model providerName clientApp project userLabel keyName } } } }",
    "{ users { edges { node { email name apiKeys { name prefix } sessions { address client } } } } }",
    "{ providers { edges { node { name baseUrl credentialPrefix } } } }",
    "{ mailDeliveries { edges { node { recipient error } } } }",
    "{ automationTokens { name prefix } }",
    "{ provisioning { tokens { name prefix } } }",
    "{ jobs { name error } }",
)


@dataclass
class Canaries:
    """What nobody may find again, each by the part of it that nothing else could hold."""

    prompt: str = field(default_factory=lambda: f"prompt{secrets.token_hex(12)}")
    password: str = field(default_factory=lambda: f"password {secrets.token_hex(12)}")
    changed: str = field(default_factory=lambda: f"changed {secrets.token_hex(12)}")
    guess: str = field(default_factory=lambda: f"guess {secrets.token_hex(12)}")
    # No beginning that the log's second look would know.
    credential: str = field(default_factory=lambda: f"credential{secrets.token_hex(12)}")
    replaced: str = field(default_factory=lambda: f"replaced{secrets.token_hex(12)}")
    answer: str = field(default_factory=lambda: f"answer{secrets.token_hex(12)}")
    misplaced: str = field(default_factory=lambda: f"misplaced{secrets.token_hex(12)}")
    given: dict[str, str] = field(default_factory=dict[str, str])

    def all(self) -> Iterator[tuple[str, str]]:
        for name in ("prompt", "password", "changed", "guess", "credential", "replaced", "answer", "misplaced"):
            yield name, getattr(self, name).split()[-1][-24:]
        for name, secret in self.given.items():
            yield name, secret[-24:]

    def found_in(self, data: bytes) -> list[str]:
        return [name for name, secret in self.all() if any(form in data for form in forms(secret))]


def forms(secret: str) -> set[bytes]:
    """The word itself and the usual ways of writing it down that hide it only from the eye."""
    plain = secret.encode()
    # In base64 the same bytes look different at each of three places.
    shifted = (base64.b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3))
    return {plain, quote(secret, safe="").encode(), plain.hex().encode(), plain[::-1], *shifted}


class Company:
    """A server with one administrator, seen through its doors."""

    def __init__(self, server: Server, canaries: Canaries, client: httpx.AsyncClient) -> None:
        self.server = server
        self.canaries = canaries
        self.http = client
        # What the gateway and the API themselves say, beside what they were asked to pass on.
        self.own_words: list[tuple[str, bytes]] = []

    async def sign_in(self, password: str) -> httpx.Response:
        answer = await self.http.post("/auth/sign-in", json={"email": EMAIL, "password": password})
        self.own_words.append(("sign-in", answer.content))
        return answer

    async def graphql(self, query: str, /, *, token: str | None = None, **variables: Any) -> Any:
        headers = {"x-sluicegate-csrf": "1"} if token is None else {"authorization": f"Bearer {token}"}
        cookies = self.http.cookies
        if token is not None:
            self.http.cookies = httpx.Cookies()
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        self.http.cookies = cookies
        return answer.json()

    async def refused(self, query: str, /, **variables: Any) -> None:
        answer = await self.graphql(query, **variables)
        assert answer["errors"], answer
        self.own_words.append((query[:60], json.dumps(answer).encode()))

    async def done(self, query: str, /, **variables: Any) -> Any:
        answer = await self.graphql(query, **variables)
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    async def call(self, *, key: str, own: bool = True, path: str = "/v1/chat/completions", **body: Any) -> int:
        self.http.cookies, kept = httpx.Cookies(), self.http.cookies
        words = {"model": "team", "messages": [{"role": "user", "content": self.canaries.prompt}], **body}
        answer = await self.http.post(path, json=words, headers={"authorization": f"Bearer {key}"})
        self.http.cookies = kept
        if own:
            self.own_words.append((f"{path} {answer.status_code}", answer.content))
        return answer.status_code


async def echo(connection: Connection, exchange: Exchange) -> None:
    """A provider that tells in its error all that it was sent, credential included."""
    said = json.dumps([[name.decode(), value.decode("latin-1")] for name, value in exchange.headers])
    await whole({"error": {"message": f"{said} {exchange.body.decode()}"}}, status=500)(connection, exchange)


async def half_a_stream(connection: Connection, exchange: Exchange) -> None:
    await connection.write(STREAM_HEAD + framed(CHAT_EVENTS[0]) + framed(b"data: " + exchange.body + b"\n\n"))
    connection.close(reset=True)


async def no_http(connection: Connection, exchange: Exchange) -> None:
    await connection.write(exchange.body)
    connection.close()


async def set_up(company: Company, port: int) -> str:
    """A provider, a model, and a key that may call it; gives the model's id."""
    canaries, given = company.canaries, company.canaries.given
    given["session"] = (await company.sign_in(canaries.password)).cookies["sluicegate"]
    made = await company.done(
        "mutation($i: CreateProviderInput!) { createProvider(input: $i) { provider { id } } }",
        i={
            "kind": "CUSTOM_OPENAI",
            "name": "Acme",
            "baseUrl": f"http://127.0.0.1:{port}/v1",
            "credential": canaries.replaced,
        },
    )
    provider = made["provider"]["id"]
    update = "mutation($i: UpdateProviderInput!) { updateProvider(input: $i) { provider { id } } }"
    await company.done(update, i={"id": provider, "credential": canaries.credential})
    offer = await company.done(
        "mutation($i: CreateProviderModelInput!) { createProviderModel(input: $i) { providerModel { id } } }",
        i={"providerId": provider, "name": "acme-model", "prices": {"input": "1", "output": "2"}},
    )
    backends = [{"providerModelId": offer["providerModel"]["id"]}]
    model = await company.done(
        "mutation($i: CreateModelInput!) { createModel(input: $i) { model { id } } }",
        i={"slug": "team", "status": "ACTIVE", "backends": backends},
    )
    viewer = await company.done("{ viewer { user { id } } }")
    await company.done(
        "mutation($i: GrantModelsInput!) { grantModels(input: $i) { grants { id } } }",
        i={"subject": {"userId": viewer["user"]["id"]}, "modelIds": [model["model"]["id"]]},
    )
    key = await company.done('mutation { createApiKey(input: {name: "laptop"}) { secret } }')
    spare = await company.done('mutation { createApiKey(input: {name: "spare"}) { secret apiKey { id } } }')
    rotated = await company.done("mutation($id: ID!) { rotateApiKey(id: $id) { secret } }", id=spare["apiKey"]["id"])
    token = await company.done(
        'mutation { createAutomationToken(input: {name: "CI", scopes: [READ, USERS, CATALOG]}) { secret } }'
    )
    given |= {
        "key": key["secret"],
        "spare key": spare["secret"],
        "rotated key": rotated["secret"],
        "token": token["secret"],
        "provisioning token": (await company.done('mutation { createScimToken(name: "Okta") { secret } }'))["secret"],
    }
    return provider


async def go_through_the_gateway(company: Company, provider: Provider) -> None:
    canaries = company.canaries
    key = canaries.given["key"]
    tell = whole({"choices": [{"message": {"content": canaries.answer}}], "usage": {"prompt_tokens": 3}})
    provider.next(tell, events(*CHAT_EVENTS), tell)
    assert await company.call(key=key, own=False) == 200
    assert await company.call(key=key, own=False, stream=True) == 200
    assert await company.call(key=canaries.given["rotated key"], own=False) == 200
    # Refused by us.
    for known in ("spare key", "rotated key"):
        assert await company.call(key=canaries.given[known][:-1] + "_") == 401
    assert await company.call(key=canaries.misplaced) == 401
    assert await company.call(key=canaries.given["token"]) == 401
    assert await company.call(key=key, model="no-such") == 404
    assert await company.call(key=key, own=False, model=canaries.prompt) == 404
    assert await company.call(key=key, path="/v1/messages", max_tokens="many", messages=canaries.prompt) in (400, 502)
    assert await company.call(key=key, path="/v1/no-such-route") == 404
    bad = await company.http.post(
        "/v1/chat/completions", content=f'{{"model": "team", {canaries.prompt}', headers={"x-api-key": key}
    )
    assert bad.status_code == 400
    await company.http.get(f"/v1beta/models/team?key={key}")
    # Failed by the provider.
    for fault in (Step(hang_up=True, times=2), no_http, Step(body=b"<html>", headers={"content-type": "text/html"})):
        provider.next(fault)
        assert await company.call(key=key) == 502
    provider.next(never_answers)
    assert await company.call(key=key) == 504
    # Their own words come back to whoever spoke them, and to nobody else.
    provider.next(echo, half_a_stream, echo)
    assert await company.call(key=key, own=False) == 500
    assert await company.call(key=key, own=False, stream=True) == 200
    await company.call(key=key, own=False, path="/v1/messages", max_tokens=10)


def speak_garbage(company: Company) -> None:
    """Requests that break off or make no sense, with secrets in them."""
    key, prompt = company.canaries.given["key"], company.canaries.prompt
    host, port = company.server.url.removeprefix("http://").split(":")
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
    for text in (
        f"{head}content-length: 1\r\ncontent-length: 2\r\n\r\n{prompt}",
        f"{head}x-big: {prompt * 3000}\r\n\r\n",
        f"{head}content-length: 9999\r\n\r\n{prompt}",
        f"{prompt} {key} no http\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as caller:
            caller.sendall(text.encode())
            caller.settimeout(0.5)
            with suppress(TimeoutError):
                company.own_words.append(("no request", caller.recv(65_536)))


async def go_through_the_console(company: Company, provider: Provider, provider_id: str) -> None:
    canaries, given = company.canaries, company.canaries.given
    assert (await company.sign_in(canaries.guess)).status_code == 401
    misplaced = canaries.misplaced
    create = "mutation($i: CreateProviderInput!) { createProvider(input: $i) { provider { id } } }"
    for wrong in (
        {"kind": misplaced, "name": "x"},
        {"kind": "DEMO", "name": {"credential": misplaced}},
        {"kind": "CUSTOM_OPENAI", "name": "x", "baseUrl": "ftp://x", "credential": misplaced},
        {"kind": "CUSTOM_OPENAI", "name": "Acme", "baseUrl": "https://x.example", "credential": misplaced},
        {"kind": "CUSTOM_OPENAI", "name": "x", "baseUrl": "https://x.example", "credential": [misplaced]},
        {
            "kind": "CUSTOM_OPENAI",
            "name": "x",
            "baseUrl": "https://x.example",
            "credential": f"{misplaced}\n{misplaced}",
        },
        {"kind": "CUSTOM_OPENAI", "name": "x", "baseUrl": f"https://u:{misplaced}@x.example"},
        {"kind": "DEMO", "name": "x", "secret": misplaced},
    ):
        await company.refused(create, i=wrong)
    await company.refused(
        f'mutation {{ createProvider(input: {{kind: DEMO, name: "x", key: "{misplaced}"}}) {{ x }} }}'
    )
    await company.refused(f'{{ user(id: "x\\u0000{misplaced}") {{ id }} }}')
    await company.refused(f'{{ users(after: "{misplaced}") {{ totalCount }} }}')
    await company.refused(f"{{ users(first: {misplaced}) {{ totalCount }} }}")
    await company.refused(f'{{ viewer(a: "{misplaced}" ')
    change = "mutation($i: ChangePasswordInput!) { changePassword(input: $i) { user { id } } }"
    await company.refused(change, i={"currentPassword": canaries.guess, "newPassword": canaries.changed})
    await company.refused(change, i={"currentPassword": canaries.password, "newPassword": [canaries.changed]})
    provider.next(echo)
    tested = await company.done("mutation($id: ID!) { testProvider(id: $id) { ok message } }", id=provider_id)
    company.own_words.append(("testProvider", json.dumps(tested).encode()))
    token = await company.graphql("{ viewer { user { id } } }", token=given["token"])
    assert "errors" not in token
    company.own_words.append(
        ("token", json.dumps(await company.graphql("{ viewer { isAdmin } }", token=given["key"])).encode())
    )
    invited = await company.done(
        'mutation { inviteUsers(input: {emails: ["eve@example.com"]}) { results { inviteUrl } } }'
    )
    given["link"] = invited["results"][0]["inviteUrl"].rsplit("/", 1)[1]
    for password in ("short", canaries.changed):
        answer = await company.http.post(f"/auth/link/{given['link']}", json={"name": "", "password": password})
        company.own_words.append(("link", answer.content))
    await company.done(change, i={"currentPassword": canaries.password, "newPassword": canaries.changed})


async def go_through_provisioning(company: Company) -> None:
    """As an identity provider, which sends passwords of its own."""
    token, secret = company.canaries.given["provisioning token"], company.canaries.misplaced
    person = {"userName": "kim@example.com", "password": secret, "displayName": "Kim"}
    for credential, body, status in (
        (token, person, 201),
        (token, person, 409),
        (token, person | {"userName": [secret]}, 400),
        (token, {"userName": "lee@example.com", "active": secret}, 400),
        (token[:-1] + "_", person, 401),
        (secret, person, 401),
    ):
        headers = {"authorization": f"Bearer {credential}"}
        answer = await company.http.post("/scim/v2/Users", json=body, headers=headers)
        assert answer.status_code == status
        company.own_words.append((f"scim {status}", answer.content))


async def traces(company: Company) -> list[tuple[str, bytes]]:
    """What the API shows to an administrator, and what stands in the files by now."""
    shown = [(path, (await company.http.get(path)).content) for path in LOOKED_AT]
    for query in SHOWN:
        answer = await company.graphql(query)
        assert "errors" not in answer, answer
        shown.append((query, json.dumps(answer).encode()))
    return [*shown, *files_of(company.server)]


def files_of(server: Server) -> list[tuple[str, bytes]]:
    folder = server.log_file.with_suffix("")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"sluicegate.db", "kek"} <= {path.name for path in files}
    return [(str(path.name), path.read_bytes()) for path in (*files, server.log_file, folder.with_suffix(".out"))]


@pytest.mark.slow
async def test_no_secret_and_no_prompt_is_left_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        await _nothing_is_left(tmp_path, collector)


async def _nothing_is_left(tmp_path: Path, collector: Collector) -> None:
    canaries = Canaries()
    settings = {
        "ADMIN_EMAIL": EMAIL,
        "ADMIN_PASSWORD": canaries.password,
        "ALLOW_PRIVATE_UPSTREAMS": "true",
        "FIRST_BYTE_TIMEOUT": "1",
        "BODY_GRACE_SECONDS": "1",
        "LOG_LEVEL": "debug",
        "TRACES": "true",
    }
    async with Provider() as provider:
        with serving(tmp_path / "data", **settings) as server:
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                company = Company(server, canaries, client)
                provider_id = await set_up(company, provider.port)
                await go_through_the_gateway(company, provider)
                speak_garbage(company)
                await go_through_the_console(company, provider, provider_id)
                await go_through_provisioning(company)
                # In flight, so that the journal has an open line for it.
                provider.next(never_answers)
                assert await company.call(key=canaries.given["key"]) == 504
                seen = await traces(company)
            assert server.stop() == 0
            seen += [*files_of(server), *company.own_words]
    assert collector.spans
    seen += [("traces", body) for body in collector.bodies]
    # The server did see what it should have forgotten.
    sent = b"".join(exchange.body + repr(exchange.headers).encode() for exchange in provider.log)
    assert {"prompt", "credential"} <= set(canaries.found_in(sent))
    assert canaries.given["key"].encode() not in sent
    leaks = [(where, names, data[:1000]) for where, data in seen if (names := canaries.found_in(data))]
    assert not leaks, "\n".join(map(str, leaks))
