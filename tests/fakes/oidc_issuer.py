"""An OpenID Connect issuer on a free port of loopback: real keys, real checks, and told to misbehave by tests."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit
from uuid import uuid4

from joserfc import jwk, jws

from fakes.http_server import Connection
from sluicegate.ports.upstream import RawHeaders

CLIENT_ID, CLIENT_SECRET = "gate", "only the issuer: knows/it+"
Claims = dict[str, Any]
Change = Callable[[Claims], Claims]


@cache
def rsa_key(kid: str) -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)


def signed(claims: Claims, key: jwk.Key, algorithm: str = "RS256", **header: Any) -> str:
    """As the issuer signs, or somebody who would be it; None leaves a field of the header out."""
    header = {"alg": algorithm, "kid": key.kid, **header}
    header = {name: value for name, value in header.items() if value is not None}
    head, body = (_segment(json.dumps(part).encode()) for part in (header, claims))
    signature = jws.JWSRegistry.algorithms[algorithm].sign(f"{head}.{body}".encode(), key)
    return f"{head}.{body}.{_segment(signature)}"


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _same(content: Claims) -> Claims:
    return content


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Answer:
    """In place of the usual one; after `seconds`."""

    status: int = 200
    body: bytes = b"{}"
    headers: RawHeaders = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Issuer:
    """`person` are the claims of whoever signs in next. `document`, `claims` and `info` change what is told; `sign`
    makes the ID token; `instead` answers for a path, and each answer takes `seconds`; `error` is what people come back
    with; `clock` in seconds."""

    clock: Callable[[], float] = time.time
    person: Claims = field(
        default_factory=lambda: {"sub": "mia-1", "email": "mia@example.com", "email_verified": True, "name": "Mia"}
    )
    port: int = 0
    keys: list[jwk.Key] = field(default_factory=lambda: [rsa_key("one")])
    document: Change = _same
    claims: Change = _same
    info: Change = _same
    sign: Callable[[Claims], str] | None = None
    in_token: Callable[[str], bool] = lambda name: True
    instead: dict[str, Answer] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None
    asked: list[Asked] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, Claims] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def consent(self, url: str) -> dict[str, str]:
        """What a browser that was sent to `url` comes back with, once the person has signed in."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        back = {"state": query["state"], "iss": self.url}
        if self.error is not None:
            return {**back, "error": self.error}
        code = uuid4().hex
        self._codes[code] = query
        return {**back, "code": code}

    async def serve(self, connection: Connection, method: str, target: str, headers: RawHeaders, body: bytes) -> None:
        path = urlsplit(target).path
        named = {name.decode(): value.decode() for name, value in headers}
        asked = Asked(method, path, named, body.decode())
        self.asked.append(asked)
        answer = self.instead.get(path) or self._answer(asked, target)
        await asyncio.sleep(answer.seconds or self.seconds)
        sent = [(b"content-type", b"application/json"), *answer.headers]
        await connection.send_head(answer.status, sent, length=len(answer.body), chunked=False)
        await connection.send(answer.body, only=len(answer.body))
        await connection.finish(keep_open=False)

    def _answer(self, asked: Asked, target: str) -> Answer:
        match asked.method, asked.path:
            case "GET", "/.well-known/openid-configuration":
                return _json(self.document(self._document()))
            case "GET", "/keys":
                return _json({"keys": [key.as_dict(private=False) for key in self.keys]})
            case "GET", "/authorize":
                query = parse_qs(urlsplit(target).query)
                back = f"{query['redirect_uri'][0]}?{urlencode(self.consent(target))}"
                return Answer(302, b"", [(b"location", back.encode())])
            case "POST", "/token":
                return self._redeem(asked)
            case "GET", "/userinfo":
                person = self._tokens.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
                return _json({"error": "invalid_token"}, 401) if person is None else _json(self.info(person))
        return _json({"error": "not_found"}, 404)

    def _document(self) -> Claims:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _redeem(self, asked: Asked) -> Answer:
        form = {name: values[0] for name, values in parse_qs(asked.body).items()}
        if not _is_client(asked, form):
            return _json({"error": "invalid_client"}, 401)
        begun = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if begun is None or (begun["redirect_uri"], begun["code_challenge"]) != (
            form["redirect_uri"],
            challenge.decode(),
        ):
            return _json({"error": "invalid_grant", "error_description": "no such code"}, 400)
        now = int(self.clock())
        person = {name: value for name, value in self.person.items() if self.in_token(name)}
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": begun["nonce"], **person}
        claims = self.claims(claims)
        access_token = uuid4().hex
        self._tokens[access_token] = self.person
        token = self.sign(claims) if self.sign is not None else signed(claims, self.keys[-1])
        return _json({"access_token": access_token, "token_type": "Bearer", "id_token": token})


def _is_client(asked: Asked, form: dict[str, str]) -> bool:
    scheme, _, text = asked.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
    client_id, _, secret = base64.b64decode(text).decode().partition(":")
    return (unquote(client_id), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)


def _json(content: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode())


@asynccontextmanager
async def oidc_issuer(clock: Callable[[], float] = time.time) -> AsyncIterator[Issuer]:
    issuer = Issuer(clock)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(0, issuer.serve, lambda _: None), "127.0.0.1", 0)
    issuer.port = server.sockets[0].getsockname()[1]
    try:
        yield issuer
    finally:
        server.close()
