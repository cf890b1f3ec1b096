"""Single sign-on under attack, and with an issuer that does as it should not."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from joserfc import jwk
from structlog.testing import capture_logs

from fakes.identity import Site
from fakes.oidc_issuer import CLIENT_ID, Answer, Claims, rsa_key, signed
from services.signing_on import SignOn, signing_on
from sluicegate.domain.sso import SsoProblem
from sluicegate.kit.crypto import token_digest
from sluicegate.services.caller import Caller
from sluicegate.services.sso.sign_in import FLOW_SECONDS, own_page

MIA = "mia@example.com"


@pytest.fixture
async def on(site: Site) -> AsyncIterator[SignOn]:
    async with signing_on(site) as made:
        await site.person(MIA)
        yield made


def said(logs: list[Any]) -> str:
    """The reason in the one line about a refusal."""
    (line,) = [line for line in logs if line["event"] == "sso.refused"]
    return str(line["reason"])


# The way there and back


async def test_the_way_there_has_all_that_the_protocol_asks_for(on: SignOn) -> None:
    await on.set(scopes=["groups", "email"])
    begun = await on.begin("/admin/users?q=a")
    assert begun.url.startswith(f"{on.issuer.url}/authorize?")
    query = dict(part.split("=") for part in begun.url.partition("?")[2].split("&"))
    assert query["scope"] == "openid+email+profile+groups"
    assert query["redirect_uri"] == "https%3A%2F%2Fai.example.com%2Fauth%2Fsso%2Fcallback"
    assert query["code_challenge_method"] == "S256"
    assert min(len(query[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    again = await on.begin()
    assert query["state"] not in again.url
    assert query["nonce"] not in again.url
    # Sealed: the browser learns neither the verifier nor the nonce from it.
    assert query["state"] not in begun.cookie.reveal()


async def test_a_state_that_is_wrong_or_missing_or_of_another_browser(on: SignOn) -> None:
    mine, theirs = await on.begin(), await on.begin()
    answer = on.issuer.consent(mine.url)
    for state in ("", "x", on.issuer.consent(theirs.url)["state"], "é"):
        assert await on.arrive({**answer, "state": state}, mine) is SsoProblem.EXPIRED
    del answer["state"]
    assert await on.arrive(answer, mine) is SsoProblem.EXPIRED
    for cookie in (None, "", "v1.a.b", mine.cookie.reveal()[:-2] + "AA"):
        ended = await on.sign_in.finish(on.issuer.consent(mine.url), cookie, "203.0.113.7", "")
        assert (ended.outcome, ended.next) == (SsoProblem.EXPIRED, "/")
    assert on.issuer.asked_for("/token") == []


async def test_an_answer_is_good_once_for_whoever_brings_it(on: SignOn) -> None:
    begun = await on.begin()
    answer = on.issuer.consent(begun.url)
    servers = [on, on.beside(), on]
    ended = await asyncio.gather(*(server.arrive(answer, begun) for server in servers))
    assert sorted(isinstance(one, Caller) for one in ended) == [False, False, True]
    assert len(on.issuer.asked_for("/token")) == 1
    assert await on.arrive(answer, begun) is SsoProblem.EXPIRED
    # A new code for the same state is no better.
    assert await on.arrive(on.issuer.consent(begun.url), begun) is SsoProblem.EXPIRED


async def test_it_may_be_begun_at_one_server_and_finished_at_another(on: SignOn) -> None:
    begun = await on.begin()
    assert isinstance(await on.beside().arrive(on.issuer.consent(begun.url), begun), Caller)


async def test_it_takes_so_long_and_no_longer(on: SignOn) -> None:
    begun, late = await on.begin(), await on.begin()
    on.site.clock.advance(FLOW_SECONDS - 1)
    assert isinstance(await on.arrive(on.issuer.consent(begun.url), begun), Caller)
    on.site.clock.advance(1)
    assert await on.arrive(on.issuer.consent(late.url), late) is SsoProblem.EXPIRED
    # What was spent is forgotten once it is of no use.
    on.site.clock.advance(FLOW_SECONDS)
    await on.enter()
    async with on.site.store.write() as tx:
        now = on.site.clock.now()
        assert await tx.sso.spend_state(token_digest("another"), now, now)


async def test_a_code_of_another_sign_in_is_refused_by_its_challenge(on: SignOn) -> None:
    mine, theirs = await on.begin(), await on.begin()
    stolen = {**on.issuer.consent(mine.url), "code": on.issuer.consent(theirs.url)["code"]}
    with capture_logs() as logs:
        assert await on.arrive(stolen, mine) is SsoProblem.REFUSED
    assert "invalid_grant" in said(logs)


async def test_an_answer_of_another_issuer_is_refused_before_its_code_goes_anywhere(on: SignOn) -> None:
    begun = await on.begin()
    assert await on.arrive({**on.issuer.consent(begun.url), "iss": "https://evil.example"}, begun) is SsoProblem.REFUSED
    begun = await on.begin()
    answer = on.issuer.consent(begun.url)
    del answer["iss"]
    # The issuer says that it always names itself.
    assert await on.arrive(answer, begun) is SsoProblem.REFUSED
    assert on.issuer.asked_for("/token") == []
    on.issuer.document = lambda told: {**told, "authorization_response_iss_parameter_supported": False}
    on.site.clock.advance(601)
    begun = await on.begin()
    answer = on.issuer.consent(begun.url)
    del answer["iss"]
    assert isinstance(await on.arrive(answer, begun), Caller)


@pytest.mark.parametrize(
    ("error", "problem"), [("access_denied", SsoProblem.CANCELLED), ("server_error", SsoProblem.REFUSED)]
)
async def test_an_error_that_the_issuer_sends_people_back_with(on: SignOn, error: str, problem: SsoProblem) -> None:
    on.issuer.error = error
    assert await on.come() is problem


async def test_settings_that_change_on_the_way(on: SignOn) -> None:
    begun = await on.begin()
    await on.set(client_id="another")
    assert await on.arrive(on.issuer.consent(begun.url), begun) is SsoProblem.CHANGED
    await on.set(client_id=CLIENT_ID)
    begun = await on.begin()
    await on.set(enabled=False)
    assert await on.arrive(on.issuer.consent(begun.url), begun) is SsoProblem.OFF
    assert await on.sign_in.begin("/") is SsoProblem.OFF


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"enabled": False}, SsoProblem.OFF),
        ({"client_id": "another"}, SsoProblem.CHANGED),
        ({"issuer": "http://127.0.0.1:1", "client_secret": None}, SsoProblem.CHANGED),
    ],
)
async def test_settings_that_change_while_the_issuer_answers(
    on: SignOn, change: dict[str, Any], problem: SsoProblem
) -> None:
    begun = await on.begin()
    on.issuer.seconds = 0.3
    coming = asyncio.create_task(on.arrive(on.issuer.consent(begun.url), begun))
    while not on.issuer.asked_for("/token"):  # noqa: ASYNC110 - the issuer signals nobody
        await asyncio.sleep(0.01)
    await on.set(**change)
    assert await coming is problem
    mia = await on.user(MIA)
    assert mia is not None
    assert (await on.identities.of_users(on.ada, [mia.id]))[mia.id] == []


async def test_tries_are_counted_by_address(on: SignOn) -> None:
    on.issuer.instead["/token"] = Answer(400, b'{"error": "invalid_grant"}')
    came = [await on.come() for _ in range(51)]
    assert came == [SsoProblem.REFUSED] * 50 + [SsoProblem.THROTTLED]
    assert len(on.issuer.asked_for("/token")) == 50
    begun = await on.begin()
    ended = await on.sign_in.finish(on.issuer.consent(begun.url), begun.cookie.reveal(), "198.51.100.9", "")
    assert ended.outcome is SsoProblem.REFUSED
    on.site.clock.advance(301)
    on.issuer.instead.clear()
    assert isinstance(await on.come(), Caller)


async def test_neither_who_has_no_account_nor_an_issuer_that_fails_keeps_an_office_out(on: SignOn) -> None:
    stranger = [await on.come(sub="stranger", email="stranger@example.com") for _ in range(51)]
    assert stranger == [SsoProblem.NO_ACCOUNT] * 51
    on.issuer.instead["/token"] = Answer(500)
    assert [await on.come() for _ in range(51)] == [SsoProblem.UNREACHABLE] * 51
    on.issuer.instead.clear()
    assert isinstance(await on.come(sub="mia-1", email=MIA), Caller)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "admin",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\r\nset-cookie: a=b",
        "/é",
        "/auth/sso/start",
        "/" + "a" * 1000,
    ],
)
def test_nobody_is_sent_elsewhere(text: str) -> None:
    assert own_page(text) == "/"


def test_pages_of_the_console_are_gone_on_to() -> None:
    assert own_page("/admin/users?q=a%20b&sort=-name#top") == "/admin/users?q=a%20b&sort=-name#top"


# What the issuer says of people


def _with(**values: Any) -> Callable[[Claims], Claims]:
    def change(claims: Claims) -> Claims:
        changed = {**claims, **values}
        return {name: value for name, value in changed.items() if value is not None}

    return change


def _later(**seconds: int) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **{name: claims["iat"] + after for name, after in seconds.items()}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_with(nonce="another"), "nonce"),
        (_with(nonce=None), "nonce"),
        (_with(nonce=7), "nonce"),
        (_with(aud="another-client"), "aud"),
        (_with(aud=None), "aud"),
        (_with(aud=[]), "aud"),
        (_with(aud=[CLIENT_ID, "another"]), "azp"),
        (_with(aud=[CLIENT_ID, "another"], azp="another"), "azp"),
        (_with(azp="another"), "azp"),
        (_with(iss="https://evil.example"), "another issuer"),
        (_with(iss=None), "another issuer"),
        (_later(exp=-60), "expired"),
        (_with(exp=float("nan")), "(exp)"),
        (_with(exp=10**400), "(exp)"),
        (_with(iat=-(10**400)), "(iat)"),
        (_with(nbf=10**400), "(nbf)"),
        (_with(exp=None), "expired"),
        (_with(exp="soon"), "expired"),
        (_with(exp=True), "expired"),
        (_later(iat=61), "future"),
        (_with(iat=None), "future"),
        (_later(nbf=61), "not valid yet"),
        (_with(sub=None), "sub"),
        (_with(sub=""), "sub"),
        (_with(sub="a\0b"), "sub"),
        (_with(sub="a" * 256), "sub"),
        (_with(sub=7), "sub"),
    ],
)
async def test_an_id_token_that_is_not_for_this_sign_in(
    on: SignOn, change: Callable[[Claims], Claims], reason: str
) -> None:
    on.issuer.claims = change
    with capture_logs() as logs:
        assert await on.come() is SsoProblem.REFUSED
    assert reason in said(logs)


@pytest.mark.parametrize(
    "change",
    [_with(aud=[CLIENT_ID]), _with(aud=[CLIENT_ID, "another"], azp=CLIENT_ID), _later(exp=-59, nbf=60)],
)
async def test_an_id_token_that_is_just_good_enough(on: SignOn, change: Callable[[Claims], Claims]) -> None:
    on.issuer.claims = change
    assert isinstance(await on.come(), Caller)


def _joined(header: Claims, claims: Claims, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _unsigned(claims: Claims) -> str:
    return _joined({"alg": "none"}, claims)


def _by_public_key(claims: Claims) -> str:
    """HMAC whose key is what everybody knows of the issuer."""
    header, public = {"alg": "HS256", "kid": "one"}, rsa_key("one").as_pem(private=False)
    head = _joined(header, claims).rpartition(".")[0]
    return _joined(header, claims, hmac.digest(public, head.encode(), "sha256"))


def _altered(claims: Claims) -> str:
    head, body, signature = signed(claims, rsa_key("one")).split(".")
    return f"{head}.{body[:-4]}AAAA.{signature}"


FORGED = {
    "alg none": _unsigned,
    "HMAC under the public key": _by_public_key,
    "another's key under the same id": lambda claims: signed(claims, rsa_key("two"), kid="one"),
    "an id that nobody knows": lambda claims: signed(claims, rsa_key("two")),
    "no id, and another's key": lambda claims: signed(claims, rsa_key("two"), kid=None),
    "a header that must be understood": lambda claims: signed(claims, rsa_key("one"), crit=["b64"], b64=True),
    "altered": _altered,
    "no token": lambda claims: "nonsense",
    "parts that are none": lambda claims: "a.b.c",
    "a list": lambda claims: signed([claims], rsa_key("one")),  # type: ignore[arg-type]
    "endless": lambda claims: signed({**claims, "pad": "x" * 300_000}, rsa_key("one")),
}


@pytest.mark.parametrize("forged", FORGED)
async def test_a_forged_id_token(on: SignOn, forged: str) -> None:
    on.issuer.sign = FORGED[forged]
    with capture_logs() as logs:
        assert await on.come() is SsoProblem.REFUSED
    assert "ID token" in said(logs)
    assert "eyJ" not in repr(logs)


async def test_keys_that_change_are_found_and_strange_ones_are_asked_for_once_in_a_while(on: SignOn) -> None:
    await on.enter()
    assert len(on.issuer.asked_for("/keys")) == 1
    on.issuer.keys = [rsa_key("one"), rsa_key("two")]
    await on.enter()
    assert len(on.issuer.asked_for("/keys")) == 2
    await on.enter()
    on.issuer.sign = lambda claims: signed(claims, rsa_key("three"))
    for _ in range(5):
        assert await on.come() is SsoProblem.REFUSED
    assert len(on.issuer.asked_for("/keys")) == 2
    on.site.clock.advance(20)
    for _ in range(5):
        assert await on.come() is SsoProblem.REFUSED
    assert len(on.issuer.asked_for("/keys")) == 3
    # The old key is gone, and does not come back from memory.
    on.issuer.keys = [rsa_key("two")]
    on.site.clock.advance(3600)
    on.issuer.sign = lambda claims: signed(claims, rsa_key("one"))
    assert await on.come() is SsoProblem.REFUSED


async def test_an_issuer_that_fails_when_it_is_asked_for_a_strange_key_keeps_nobody_else_out(on: SignOn) -> None:
    await on.enter()
    on.issuer.instead["/keys"] = Answer(status=500)
    on.issuer.sign = lambda claims: signed(claims, rsa_key("three"))
    assert await on.come() is SsoProblem.UNREACHABLE
    assert await on.come() is SsoProblem.REFUSED
    assert len(on.issuer.asked_for("/keys")) == 2
    on.issuer.sign = None
    assert isinstance(await on.come(), Caller)
    # No longer than they would have been good for otherwise.
    on.site.clock.advance(3600)
    assert await on.come() is SsoProblem.UNREACHABLE


async def test_keys_whose_signatures_take_long_to_check_are_left_out(on: SignOn) -> None:
    good = rsa_key("one").as_dict(private=False)
    slow = {**good, "e": good["n"][4:]}
    on.issuer.instead["/keys"] = Answer(body=json.dumps({"keys": [slow]}).encode())
    with capture_logs() as logs:
        assert await on.come() is SsoProblem.UNREACHABLE
    assert "publishes no key" in said(logs)
    on.issuer.instead["/keys"] = Answer(body=json.dumps({"keys": [slow, good]}).encode())
    on.site.clock.advance(20)
    assert isinstance(await on.come(), Caller)


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA", "Ed25519"])
async def test_other_signatures_of_key_pairs(on: SignOn, algorithm: str) -> None:
    made: dict[str, Callable[[], jwk.Key]] = {
        "ES256": lambda: jwk.ECKey.generate_key("P-256", {"kid": "ec"}),
        "PS256": lambda: jwk.RSAKey.generate_key(2048, {"kid": "ps"}),
        "EdDSA": lambda: jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        "Ed25519": lambda: jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"}),
    }
    key = made[algorithm]()
    on.issuer.keys = [rsa_key("one"), key]
    on.issuer.document = lambda told: {**told, "id_token_signing_alg_values_supported": [algorithm]}
    on.issuer.sign = lambda claims: signed(claims, key, algorithm)
    assert isinstance(await on.come(), Caller)


# An issuer that does as it should not


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/token", Answer(302, headers=[(b"location", b"/elsewhere")]), "redirects are not followed"),
        ("/token", Answer(200, b"[]"), "refuses the code"),
        ("/token", Answer(200, b"{}"), "no ID token"),
        ("/token", Answer(500), "status 500"),
        ("/token", Answer(200, b" " * 600_000), "more than"),
        ("/token", Answer(seconds=4), "within 2 seconds"),
        ("/keys", Answer(307, headers=[(b"location", b"/elsewhere")]), "redirects are not followed"),
        ("/keys", Answer(200, b'{"keys": []}'), "no key"),
        ("/keys", Answer(200, b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA"}, 7, null]}'), "no key"),
        ("/keys", Answer(200, b"<html>"), "JSON"),
        ("/keys", Answer(200, b"[" * 100_000), "JSON"),
        ("/keys", Answer(404), "status 404"),
    ],
)
async def test_an_issuer_that_fails_on_the_way(on: SignOn, path: str, answer: Answer, reason: str) -> None:
    on.issuer.instead[path] = answer
    began = time.monotonic()
    with capture_logs() as logs:
        assert await on.come() in (SsoProblem.UNREACHABLE, SsoProblem.REFUSED)
    assert reason in said(logs)
    assert time.monotonic() - began < 3.5
    assert on.issuer.asked_for("/elsewhere") == []


async def test_an_issuer_that_is_away_is_not_asked_by_everybody(on: SignOn) -> None:
    on.issuer.instead["/.well-known/openid-configuration"] = Answer(503)
    with capture_logs() as logs:
        assert [await on.sign_in.begin("/") for _ in range(5)] == [SsoProblem.UNREACHABLE] * 5
    assert "status 503" in logs[0]["reason"]
    assert len(on.issuer.asked_for("/.well-known/openid-configuration")) == 1
    on.issuer.instead.clear()
    on.site.clock.advance(20)
    assert isinstance(await on.come(), Caller)


async def test_neither_tokens_nor_secrets_nor_codes_are_logged_or_written_down(on: SignOn) -> None:
    told: list[str] = []

    def remember(claims: Claims) -> str:
        told.append(signed(claims, rsa_key("two")))
        return told[-1]

    with capture_logs() as logs:
        await on.enter()
        on.issuer.sign = remember
        assert await on.come() is SsoProblem.REFUSED
        on.issuer.instead["/token"] = Answer(401, json.dumps({"error": told[0], "error_description": told[0]}).encode())
        begun = await on.begin()
        answer = on.issuer.consent(begun.url)
        assert await on.arrive(answer, begun) is SsoProblem.REFUSED
    async with on.site.store.engine.connect() as connection:
        rows = repr((await connection.exec_driver_sql("SELECT * FROM audit_events")).all())
    for text in (repr(logs), rows):
        assert told[0].rpartition(".")[2] not in text
        assert "only the issuer" not in text
        assert answer["code"] not in text
        assert begun.cookie.reveal() not in text
