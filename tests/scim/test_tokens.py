"""Who gets in: tokens that are made, rotated and revoked, and those who guess."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fakes.identity import Site
from scim.desk import BASE, Desk
from sluicegate.domain.apikey import TOKEN_PREFIX, CredentialStatus, TokenScope, new_credential
from sluicegate.domain.audit import ActorKind
from sluicegate.domain.scim import MAX_SCIM_TOKENS, SCIM_TOKEN_PREFIX
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput, NotFound, Throttled, Unauthenticated
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.caller import Caller
from sluicegate.services.scim.tokens import ScimTokenService

HOME = "203.0.113.7"


@pytest.fixture
async def admin(site: Site) -> Caller:
    return await site.person("root@example.com", Role.ADMIN)


@pytest.fixture
def tokens(site: Site) -> ScimTokenService:
    return ScimTokenService(site.store, site.clock, lambda: "https://ai.example.com")


async def test_a_token_lets_in_for_provisioning_alone(tokens: ScimTokenService, admin: Caller, site: Site) -> None:
    assert tokens.base_url == "https://ai.example.com/scim/v2"
    token, secret = await tokens.create(admin, " Okta ")
    assert (token.name, token.created_by) == ("Okta", admin.user.label)
    assert secret.reveal().startswith(token.prefix)
    caller = await tokens.caller(secret.reveal(), HOME)
    assert (caller.actor.kind, caller.actor.label, caller.actor.token_id) == (ActorKind.SCIM, "SCIM: Okta", token.id)
    assert caller.scopes == {TokenScope.READ, TokenScope.USERS}
    with pytest.raises(Forbidden):
        caller.require_every_scope("become more")
    async with site.store.read() as tx:
        (kept,) = await tx.scim.tokens()
    assert secret.reveal() not in repr(kept)
    assert kept.last_used_at == site.clock.now()


async def test_when_a_token_was_last_used_is_kept_to_the_minute(
    tokens: ScimTokenService, admin: Caller, site: Site
) -> None:
    _, secret = await tokens.create(admin, "Okta")
    first = site.clock.now()
    for seconds, seen in ((0, first), (59, first), (1, first + timedelta(seconds=60))):
        site.clock.advance(seconds)
        await tokens.caller(secret.reveal(), HOME)
        assert [token.last_used_at for token in await tokens.all(admin)] == [seen]


@pytest.mark.parametrize("hours", [0, 24])
async def test_after_a_rotation_the_secret_before_works_as_long_as_was_chosen(
    tokens: ScimTokenService, admin: Caller, site: Site, hours: int
) -> None:
    token, old = await tokens.create(admin, "Okta")
    await tokens.caller(old.reveal(), HOME)
    rotated, new = await tokens.rotate(admin, token.id, hours)
    assert rotated.id == token.id
    assert rotated.prefix != token.prefix
    await tokens.caller(new.reveal(), HOME)
    if hours:
        site.clock.advance(hours * 3600 - 1)
        await tokens.caller(old.reveal(), HOME)
        site.clock.advance(1)
    with pytest.raises(Unauthenticated):
        await tokens.caller(old.reveal(), HOME)
    assert rotated.overlap(site.clock.now()) is None
    await tokens.caller(new.reveal(), HOME)


async def test_a_revoked_token_is_dead_with_both_of_its_secrets(tokens: ScimTokenService, admin: Caller) -> None:
    token, old = await tokens.create(admin, "Okta")
    _, new = await tokens.rotate(admin, token.id, 24)
    assert (await tokens.revoke(admin, token.id)).status is CredentialStatus.REVOKED
    for secret in (old, new):
        with pytest.raises(Unauthenticated):
            await tokens.caller(secret.reveal(), HOME)
    await tokens.revoke(admin, token.id)
    with pytest.raises(Conflict):
        await tokens.rotate(admin, token.id, 0)


async def test_every_change_is_in_the_audit_log(tokens: ScimTokenService, admin: Caller, site: Site) -> None:
    token, secret = await tokens.create(admin, "Okta")
    rotated, other = await tokens.rotate(admin, token.id, 24)
    await tokens.revoke(admin, token.id)
    await tokens.revoke(admin, token.id)
    async with site.store.read() as tx:
        page = await tx.audit.page(AuditFilter(target_kind="scim_token"), PageRequest(10))
    events = [event for event, _ in reversed(page.items)]
    assert [(event.action, event.target_id) for event in events] == [
        ("scim_token.create", token.id),
        ("scim_token.rotate", token.id),
        ("scim_token.revoke", token.id),
    ]
    assert events[1].after == {"prefix": rotated.prefix, "overlap_hours": 24}
    assert not any(text.reveal() in repr(events) for text in (secret, other))


async def test_only_administrators_make_tokens_and_of_scripts_only_those_who_may_change_people(
    tokens: ScimTokenService, admin: Caller, site: Site
) -> None:
    member = await site.person("mia@example.com")
    script = Caller(admin.user, admin.actor, frozenset({TokenScope.READ, TokenScope.SETTINGS}))
    token, _ = await tokens.create(admin, "Okta")
    for caller in (member, script):
        for change in (
            tokens.create(caller, "x"),
            tokens.rotate(caller, token.id, 0),
            tokens.revoke(caller, token.id),
        ):
            with pytest.raises(Forbidden):
                await change
    with pytest.raises(Forbidden):
        await tokens.all(member)
    assert await tokens.all(script) == [token]


async def test_what_can_not_be(tokens: ScimTokenService, admin: Caller) -> None:
    token, _ = await tokens.create(admin, "Okta")
    with pytest.raises(InvalidInput) as refused:
        await tokens.rotate(admin, token.id, 12)
    assert refused.value.field == "overlapHours"
    with pytest.raises(InvalidInput):
        await tokens.create(admin, " ")
    for change in (tokens.rotate(admin, "nothing", 0), tokens.revoke(admin, "nothing")):
        with pytest.raises(NotFound):
            await change
    for number in range(MAX_SCIM_TOKENS - 1):
        await tokens.create(admin, f"more {number}")
    with pytest.raises(Conflict):
        await tokens.create(admin, "too many")
    await tokens.revoke(admin, token.id)
    await tokens.create(admin, "one more")


async def test_who_guesses_has_to_wait_and_whoever_was_in_from_there_has_not(
    tokens: ScimTokenService, admin: Caller, site: Site
) -> None:
    _, secret = await tokens.create(admin, "Okta")
    _, later = await tokens.create(admin, "Entra")
    await tokens.caller(secret.reveal(), HOME)
    for _ in range(30):
        with pytest.raises(Unauthenticated):
            await tokens.caller(new_credential(SCIM_TOKEN_PREFIX).text, HOME)
    with pytest.raises(Throttled) as refused:
        await tokens.caller(later.reveal(), HOME)
    assert 0 < refused.value.retry_after <= 61
    await tokens.caller(secret.reveal(), HOME)
    await tokens.caller(later.reveal(), "198.51.100.1")
    site.clock.advance(61)
    with pytest.raises(Unauthenticated):
        await tokens.caller("nonsense", HOME)


async def test_routes_need_a_token_of_their_own_and_throttle_as_the_service_does(desk: Desk) -> None:
    _, automation = await desk.services.tokens.create(
        desk.root, "ci", list(TokenScope), datetime(2100, 1, 1, tzinfo=UTC)
    )
    wrong = [
        None,
        "",
        "Basic cm9vdDpyb290",
        "Bearer",
        f"Bearer {automation.reveal()}",
        f"Bearer {new_credential(SCIM_TOKEN_PREFIX).text}",
        f"Bearer {new_credential(TOKEN_PREFIX).text}",
        f"Bearer {desk.token}x",
    ]
    async with httpx.AsyncClient(base_url=desk.url) as stranger:
        assert (await desk.send("GET", "/Users")).status_code == 200
        for value in wrong:
            headers = {} if value is None else {"authorization": value}
            for path in ("/Users", "/ServiceProviderConfig", "/Nothing"):
                answer = await stranger.get(BASE + path, headers=headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        # The provisioning token opens nothing else.
        own = {"authorization": f"Bearer {desk.token}"}
        assert (await stranger.post("/graphql", json={"query": "{ __typename }"}, headers=own)).status_code == 401
        assert (await stranger.get("/v1/models", headers=own)).status_code == 401
        answers = [
            await stranger.get(f"{BASE}/Users", headers={"authorization": f"Bearer guess-{number}"})
            for number in range(31)
        ]
        assert (answers[-1].status_code, answers[-1].json()["status"]) == (429, "429")
        assert int(answers[-1].headers["retry-after"]) > 0
    # Whoever was in from there before is not held up.
    assert (await desk.send("GET", "/Users")).status_code == 200
