"""Setting up single sign-on: kept, sealed, tried out, and told exactly what is wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from fakes.identity import Site
from fakes.oidc_issuer import CLIENT_SECRET, Answer, Claims
from services.signing_on import SignOn, signing_on
from sluicegate.adapters.oidc import OidcProvider
from sluicegate.adapters.oidc.discovery import problems_of
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.sso import SECRET_PLACE, GroupMapping, SsoProblem
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleVersion
from sluicegate.kit.secret import Secret
from sluicegate.services.base_urls import parse_issuer
from sluicegate.services.caller import Caller
from sluicegate.services.rotation import KeyRotation
from sluicegate.services.sso.settings import THING, SsoChange

DISCOVERY = "/.well-known/openid-configuration"
HTTPS: dict[str, Any] = {
    "issuer": "https://id.example.com",
    "authorization_endpoint": "https://id.example.com/authorize?tenant=a",
    "token_endpoint": "https://tokens.example.net/",
    "jwks_uri": "https://id.example.com/keys",
}


@pytest.fixture
async def on(site: Site) -> AsyncIterator[SignOn]:
    async with signing_on(site) as made:
        yield made


async def test_nothing_is_on_before_somebody_turns_it_on(site: Site) -> None:
    async with signing_on(site) as on:
        await on.set(enabled=False)
        setup = await on.settings.get(on.ada)
        assert (setup.settings.creates_people, setup.settings.members_use_passwords) == (False, True)
        assert setup.redirect_url == "https://ai.example.com/auth/sso/callback"
        ways = await on.sign_in.ways()
        assert (ways.enabled, ways.label, ways.passwords) == (False, "single sign-on", True)


async def test_the_secret_is_sealed_shown_to_nobody_and_moves_with_the_keys(on: SignOn) -> None:
    async with on.site.store.read() as tx:
        sealed = await tx.sso.sealed_secret()
    assert sealed is not None
    assert CLIENT_SECRET not in sealed
    assert CLIENT_SECRET not in repr(await on.settings.get(on.ada))
    assert CLIENT_SECRET not in repr(await on.audit())
    vault = EnvelopeVault(b"n" * 32, b"k" * 32)
    primary = vault.key_of(vault.seal(Secret("x"), "y"), "y")
    assert primary is not None
    assert (await KeyRotation(on.site.store, vault, primary).run()).moved == 1
    async with on.site.store.read() as tx:
        moved = await tx.sso.sealed_secret()
    assert moved is not None
    assert EnvelopeVault(b"n" * 32).unseal(moved, SECRET_PLACE).reveal() == CLIENT_SECRET
    # This server knows the old key alone.
    await on.site.person("mia@example.com")
    assert await on.sign_in.begin("/") is SsoProblem.UNREACHABLE


async def test_a_secret_is_replaced_and_removed_and_goes_to_no_other_issuer(on: SignOn) -> None:
    await on.site.person("mia@example.com")
    await on.set(client_secret=Secret("wrong"))
    assert await on.come() is SsoProblem.REFUSED
    await on.set(client_secret=None)
    assert (await on.settings.get(on.ada)).settings.secret_updated_at is None
    # Whoever is public says so in the body.
    assert await on.come() is SsoProblem.REFUSED
    asked = on.issuer.asked_for("/token")[-1]
    assert "client_id=gate" in asked.body
    assert "authorization" not in asked.headers
    await on.set(client_secret=Secret(CLIENT_SECRET))
    with pytest.raises(InvalidInput, match="again") as refused:
        await on.set(issuer="https://evil.example")
    assert refused.value.field == "clientSecret"
    await on.set(issuer="https://evil.example", client_secret=None)
    await on.set(issuer=on.issuer.url, client_secret=Secret(CLIENT_SECRET))
    assert isinstance(await on.come(), Caller)


async def test_a_secret_goes_in_the_body_where_the_issuer_takes_no_other_way(on: SignOn) -> None:
    await on.site.person("mia@example.com")
    on.issuer.document = lambda told: {**told, "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert isinstance(await on.come(), Caller)
    asked = on.issuer.asked_for("/token")[-1]
    assert "authorization" not in asked.headers
    assert "client_secret=" in asked.body


async def test_it_needs_an_issuer_and_a_client_before_it_is_on(on: SignOn) -> None:
    await on.set(enabled=False, issuer="", client_id="", client_secret=None)
    for given, field in (({}, "issuer"), ({"issuer": on.issuer.url}, "clientId")):
        with pytest.raises(Conflict) as refused:
            await on.set(enabled=True, **given)
        assert refused.value.field == field
    assert not (await on.settings.get(on.ada)).settings.enabled


async def test_a_change_is_written_down_and_an_older_one_overwrites_nothing(on: SignOn) -> None:
    await on.set(label="Acme")
    (*_, event) = await on.audit(action="sso.update")
    assert (event.before, event.after) == ({"label": ""}, {"label": "Acme"})
    async with on.site.store.read() as tx:
        version = (await tx.versions.of([THING]))[THING]
    with pytest.raises(StaleVersion, match="changed label"):
        await on.settings.update(on.ada, SsoChange(label="Other"), version - 1)
    written = len(await on.audit())
    await on.set(label="Acme")
    assert len(await on.audit()) == written


async def test_tokens_need_every_scope_since_whoever_names_the_issuer_is_everybody(on: SignOn) -> None:
    some = Caller(on.ada.user, on.ada.actor, frozenset({TokenScope.SETTINGS, TokenScope.USERS}))
    every = Caller(on.ada.user, on.ada.actor, frozenset(TokenScope))
    with pytest.raises(Forbidden, match="every scope"):
        await on.settings.update(some, SsoChange(label="A"))
    with pytest.raises(Forbidden, match="every scope"):
        await on.settings.set_mapping(some, [], ["everybody"])
    with pytest.raises(Forbidden, match="every scope"):
        await on.settings.test(some)
    await on.settings.update(every, SsoChange(label="A"))
    mia = await on.site.person("mia@example.com")
    with pytest.raises(Forbidden):
        await on.settings.get(mia)


async def test_the_mapping_is_written_down_by_name(on: SignOn) -> None:
    red, blue = await on.group("Red"), await on.group("Blue")
    await on.map(("devs", red))
    await on.map(("devs", blue), ("ops", red), admins=["root"])
    (*_, event) = await on.audit(action="sso.set_mapping")
    assert event.before == {"mapping": ["devs → Red"], "admin_values": []}
    assert event.after == {"mapping": ["devs → Blue", "ops → Red"], "admin_values": ["root"]}
    with pytest.raises(NotFound):
        await on.settings.set_mapping(on.ada, [GroupMapping("devs", "none")], [])
    assert len((await on.settings.get(on.ada)).mappings) == 2


# Trying an issuer out


async def test_an_issuer_that_is_as_it_should_be(on: SignOn) -> None:
    assert await on.settings.test(on.ada) == await on.settings.test(on.ada, on.issuer.url)
    found = await on.settings.test(on.ada)
    assert (found.problems, found.notes) == ((), ())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda told: {**told, "issuer": "https://other.example"}, "names 'https://other.example' as its issuer"),
        (lambda told: {**told, "issuer": told["issuer"] + "/"}, "to the letter"),
        (lambda told: {**told, "issuer": None}, "names nothing as its issuer"),
        (lambda told: {**told, "jwks_uri": None}, "keys that it signs with"),
        (lambda told: {**told, "token_endpoint": ""}, "redeem codes"),
        (lambda told: {**told, "authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint is not"),
        (lambda told: {**told, "token_endpoint": "https://a:b@evil.example/"}, "token_endpoint is not"),
        (lambda told: {**told, "response_types_supported": ["id_token"]}, "code flow"),
        (lambda told: {**told, "code_challenge_methods_supported": ["plain"]}, "PKCE"),
        (lambda told: {**told, "id_token_signing_alg_values_supported": ["HS256"]}, "signs with none"),
    ],
)
async def test_what_is_wrong_with_an_issuer_is_told_exactly(
    on: SignOn, change: Callable[[Claims], Claims], problem: str
) -> None:
    on.issuer.document = change
    found = await on.settings.test(on.ada)
    assert len(found.problems) == 1
    assert problem in found.problems[0]
    assert await on.sign_in.begin("/") is SsoProblem.UNREACHABLE


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(200, b"<html>"), "JSON"),
        (Answer(404), "status 404"),
        (Answer(301, headers=[(b"location", b"https://evil.example/")]), "not followed"),
        (Answer(200, json.dumps({"a": "b" * 600_000}).encode()), "more than"),
        (Answer(seconds=4), "within 2 seconds"),
    ],
)
async def test_an_answer_that_is_none_is_told_as_that(on: SignOn, answer: Answer, problem: str) -> None:
    on.issuer.instead[DISCOVERY] = answer
    (found,) = (await on.settings.test(on.ada)).problems
    assert problem in found
    assert DISCOVERY in found


async def test_an_issuer_that_is_not_there_and_keys_that_are_none(on: SignOn) -> None:
    (found,) = (await on.settings.test(on.ada, "http://127.0.0.1:1")).problems
    assert "cannot be reached" in found
    on.issuer.instead["/keys"] = Answer(200, b"{}")
    (found,) = (await on.settings.test(on.ada)).problems
    assert "no key" in found


async def test_what_keeps_nobody_out_is_a_note(on: SignOn) -> None:
    def change(told: Claims) -> Claims:
        return {name: value for name, value in told.items() if name != "code_challenge_methods_supported"} | {
            "scopes_supported": ["openid"]
        }

    on.issuer.document = change
    found = await on.settings.test(on.ada)
    assert found.problems == ()
    assert [note.split(",")[0] for note in found.notes] == [
        "It does not say whether it offers PKCE; it is used all the same.",
        "It does not list the scope email",
    ]


def test_endpoints_of_an_https_issuer_are_https_wherever_they_are() -> None:
    assert problems_of("https://id.example.com", HTTPS) == []
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        for url in (
            "http://id.example.com/a",
            "ftp://id.example.com",
            "https://",
            "//id.example.com/a",
            "https://a b/",
        ):
            (problem,) = problems_of("https://id.example.com", {**HTTPS, name: url})
            assert name in problem


# Where an issuer may be


@pytest.mark.parametrize("url", ["http://id.example.com", "https://10.1.2.3/", "https://localhost", "https://[::1]/"])
def test_issuers_are_public_and_reached_by_https_unless_a_setting_says_otherwise(url: str) -> None:
    with pytest.raises(InvalidInput, match="SLUICEGATE_ALLOW_PRIVATE_ISSUERS") as refused:
        parse_issuer(url, allow_private=False)
    assert refused.value.field == "issuer"
    assert parse_issuer(url, allow_private=True) == url


def test_an_issuer_keeps_its_slash() -> None:
    assert parse_issuer(" https://id.example.com/a/ ", allow_private=False) == "https://id.example.com/a/"
    assert parse_issuer("https://id.example.com", allow_private=False) == "https://id.example.com"


async def test_a_name_that_stands_for_a_private_address_is_not_connected_to(on: SignOn) -> None:
    """Nor are the other addresses that an issuer names."""

    async def inward(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    upstream = Http11Upstream(resolve=inward, private_setting="SLUICEGATE_ALLOW_PRIVATE_ISSUERS")
    (found,) = (await OidcProvider(upstream, on.site.clock).examine(f"http://id.example.com:{on.issuer.port}")).problems
    assert "private address 127.0.0.1; set SLUICEGATE_ALLOW_PRIVATE_ISSUERS" in found
    assert on.issuer.asked == []
    await upstream.aclose()
