"""A small company with everything in it that the schema can show. Ids are the names by which tests know things."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sluicegate.domain.alert import Alert
from sluicegate.domain.apikey import TOKEN_PREFIX, ApiKey, AutomationToken, TokenScope, new_credential
from sluicegate.domain.audit import Actor, ActorKind
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderKind, ProviderModel
from sluicegate.domain.device import DeviceSignIn
from sluicegate.domain.mail import Delivery, LetterKind, MailStatus
from sluicegate.domain.policy import Budget, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.price_list import PriceList
from sluicegate.domain.scim import ScimToken
from sluicegate.domain.secret_rule import SecretAction, SecretCheck, SecretFinding, SecretRule
from sluicegate.domain.sso import SECRET_PLACE, GroupMapping, Identity, LastSignIn, SignInWay, SsoSettings
from sluicegate.domain.usage import CallRecord, LongContext, Prices, RefusalSpot
from sluicegate.domain.user import Group, LinkKind, OneTimeLink, Role, Session, User, UserStatus
from sluicegate.domain.webhook import Post, PostKind, PostStatus, Webhook
from sluicegate.kit.crypto import hash_password, token_digest
from sluicegate.kit.money import NANOS_PER_USD, Nanos
from sluicegate.kit.secret import Secret
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Transaction

# A Tuesday.
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
USERS = (
    User("ada", "ada@example.com", "Ada Admin", Role.ADMIN, UserStatus.ACTIVE, NOW),
    User("mia", "mia@example.com", "Mia Member", Role.MEMBER, UserStatus.ACTIVE, NOW),
    User("noor", "noor@example.com", "Noor Other", Role.MEMBER, UserStatus.ACTIVE, NOW),
    User("sue", "sue@example.com", "Sue Suspended", Role.MEMBER, UserStatus.SUSPENDED, NOW),
    User("ivy", "ivy@example.com", "", Role.MEMBER, UserStatus.INVITED, NOW),
)
LONG = LongContext(200_000, Prices(input=500_000_000, output=2_500_000_000))
PRICES = Prices(input=250_000_000, cache_read=25_000_000, output=1_250_000_000, long_context=(LONG,))
MIA, TEAM = Subject(SubjectKind.USER, "mia"), Subject(SubjectKind.GROUP, "team")
POOL = Subject(SubjectKind.POOL, "team")


def dollars(amount: int) -> Nanos:
    return Nanos(amount * NANOS_PER_USD)


async def populate(tx: Transaction, vault: Vault) -> None:
    for user in USERS:
        await tx.users.add(user)
        if user.status is not UserStatus.INVITED:
            await tx.users.set_password_hash(user.id, hash_password(PASSWORD))
    await _groups(tx)
    await _catalog(tx, vault)
    await _credentials(tx)
    await tx.links.add(OneTimeLink("link", "ivy", LinkKind.INVITE, token_digest("ivy"), NOW, NOW + timedelta(days=7)))
    await tx.devices.add(
        DeviceSignIn(
            "device", "WDJB-MJHT", token_digest("device"), "Claude Code", "10.0.0.7", NOW, NOW + timedelta(minutes=10)
        )
    )
    letter = Delivery(
        "letter", LetterKind.INVITATION, "ivy@example.com", "ivy", MailStatus.FAILED, 3, NOW, NOW, NOW, NOW, "550 no"
    )
    await tx.mail.add(letter, vault.seal(Secret("{}"), "mail:letter"))
    await tx.overrides.add(
        Override("override", "noor", Window.DAY, dollars(9), "Launch week", "Ada", NOW, NOW + timedelta(days=7))
    )
    await tx.secret_rules.add(
        SecretRule(
            "aws",
            "AWS access key ID",
            "Of our cloud",
            "AKIA[A-Z2-7]{16}",
            SecretAction.REDACT,
            SecretCheck.NONE,
            enabled=True,
            template=None,
            created_at=NOW,
        )
    )
    named = ("mia", "Mia Member", "mia-key", "laptop", "fast", "call")
    await tx.secret_rules.add_findings(
        [SecretFinding("found", NOW, "aws", "AWS access key ID", SecretAction.REDACT, 2, *named)]
    )
    await tx.audit.record(
        Actor(ActorKind.USER, "Ada Admin", "ada"), "group.create", "group", "team", "Team", {}, {"name": "Team"}
    )
    okta = ScimToken("okta", "Okta", "sgp_okta", token_digest("sgp_okta-secret"), NOW, "Ada Admin")
    await tx.scim.add_token(okta)
    await tx.jobs.add_missing(["housekeeping"], NOW)
    await _alerts(tx, vault)
    await _sign_on(tx, vault)


async def _sign_on(tx: Transaction, vault: Vault) -> None:
    issuer = "https://id.example.com"
    await tx.sso.save(
        SsoSettings(
            enabled=True,
            issuer=issuer,
            client_id="gate",
            label="Company",
            scopes=("groups",),
            creates_people=True,
            domains=("example.com",),
            admin_values=("admins",),
        )
    )
    await tx.sso.set_sealed_secret(vault.seal(Secret("known to the issuer"), SECRET_PLACE), NOW)
    await tx.sso.set_mappings([GroupMapping("devs", "team")])
    for name in ("mia", "noor"):
        email = f"{name}@example.com"
        await tx.sso.link(Identity(f"{name}-identity", name, issuer, f"{name}-subject", email, NOW, NOW))
        await tx.sso.note_sign_in(LastSignIn(name, NOW, SignInWay.SSO))


async def _alerts(tx: Transaction, vault: Vault) -> None:
    ends = NOW + timedelta(hours=12)
    values = (Window.DAY, "2026-11-24", 80, dollars(5), dollars(4), MIA, "Mia Member", NOW, ends)
    await tx.alerts.add(Alert("alert", MIA, "Mia Member <mia@example.com>", "mia", *values))
    await tx.alerts.notify("alert", ["mia"])
    # Nobody listens there.
    webhook = Webhook("pager", "Pager", "https://127.0.0.1:1/hook", (SubjectKind.USER,), True, NOW, NOW)
    await tx.webhooks.add(webhook, vault.seal(Secret("whsec_test"), "webhook:pager"))
    moments = (NOW, NOW, NOW + timedelta(days=1), NOW)
    await tx.webhooks.queue(
        [
            Post(
                "post",
                "pager",
                PostKind.ALERT,
                "alert",
                "{}",
                PostStatus.FAILED,
                9,
                *moments,
                500,
                "Answered with 500.",
            )
        ]
    )


async def _groups(tx: Transaction) -> None:
    await tx.groups.add(Group("team", "Team", "Those who build", NOW))
    await tx.groups.add(Group("empty", "Empty", "", NOW))
    await tx.groups.add_members("team", ["mia", "noor"])
    await tx.policy.set_rate_limits(MIA, RateLimits(requests=60))
    await tx.policy.set_rate_limits(TEAM, RateLimits(requests=30, concurrent_requests=5))
    await tx.policy.set_rate_limits(POOL, RateLimits(output_tokens=9_000))
    await tx.policy.set_budget(MIA, Budget(day=dollars(5)))
    await tx.policy.set_budget(TEAM, Budget(month=dollars(100)))
    await tx.policy.set_budget(POOL, Budget(week=dollars(50)))


async def _catalog(tx: Transaction, vault: Vault) -> None:
    url = "https://api.acme.example/v1"
    acme = Provider("acme", "Acme", ProviderKind.CUSTOM_OPENAI, url, None, None, True, None, None, NOW)
    await tx.catalog.add_provider(acme)
    sealed = vault.seal(Secret("sk-acme-0123456789"), "provider:acme")
    await tx.catalog.set_sealed_credential("acme", sealed, "sk-acm…", NOW)
    demo = Provider("demo", "Demo", ProviderKind.DEMO, None, None, None, True, None, None, NOW)
    await tx.catalog.add_provider(demo)
    unpriced = ProviderModel("unpriced", "acme", "acme-large", ModelKind.CHAT, None, None, NOW)
    offers = (
        ProviderModel("offer", "demo", "demo-fast", ModelKind.CHAT, 128_000, 8_000, NOW).costing(
            PRICES, list_id="list"
        ),
        replace(unpriced, price_lists=(PriceList("coming", "unpriced", NOW + timedelta(days=9), PRICES, False, NOW),)),
    )
    for offer in offers:
        await tx.catalog.add_provider_model(offer)
    backends = (Backend("backend", "offer", 0, 1),)
    await tx.catalog.add_model(Model("fast", "fast", "Fast", ModelKind.CHAT, ModelStatus.ACTIVE, backends, NOW))
    await tx.catalog.add_model(Model("slow", "slow", "", ModelKind.CHAT, ModelStatus.DRAFT, (), NOW))
    await tx.policy.add_grants(MIA, ["fast"], NOW)
    await tx.policy.add_grants(TEAM, ["fast"], NOW)


async def _credentials(tx: Transaction) -> None:
    for name, owner, revoked in (("mia-key", "mia", None), ("mia-old", "mia", NOW), ("noor-key", "noor", None)):
        made = new_credential()
        key = ApiKey(name, made.public_id, owner, name, f"sg_{name}", "no hash", NOW, revoked_at=revoked)
        await tx.keys.add(key)
    for name, owner in (("ada-token", "ada"), ("mia-token", "mia"), ("noor-token", "noor")):
        digest = token_digest(new_credential(TOKEN_PREFIX).text)
        scopes = (TokenScope.READ, TokenScope.KEYS)
        await tx.tokens.add(AutomationToken(name, owner, name, f"sgt_{name}", digest, scopes, NOW))
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    for name in ("ada-here", "mia-here", "mia-there", "noor-here", "sue-here"):
        owner, seen = name.partition("-")[0], NOW - timedelta(hours=name.endswith("there"))
        expires = NOW + timedelta(days=14)
        await tx.sessions.add(Session(name, owner, token_digest(name), NOW, seen, expires, "10.0.0.1", agent))
    midnight = round(NOW.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    await tx.refusals.add(
        {RefusalSpot(midnight, scope, "budget_exceeded"): 2 for scope in (None, "mia", "noor", "team")}
    )


def past_calls() -> list[CallRecord]:
    """Two of Mia's, one of Noor's."""
    return [_call("call-1", "mia", 1_000), _call("call-2", "mia", 2_000), _call("call-3", "noor", 5_000)]


def _call(call_id: str, user: str, cost: int) -> CallRecord:
    started = int(NOW.timestamp() * 1000) - 3_600_000
    return CallRecord(
        call_id=call_id,
        started_ms=started,
        finished_ms=started + 1_500,
        user_id=user,
        user_label=user.title(),
        key_id=f"{user}-key",
        key_label=f"{user}-key",
        group_ids=("team",),
        model_slug="fast",
        provider_id="demo",
        provider_name="Demo",
        provider_model="demo-fast",
        endpoint="chat",
        stream=True,
        status=200,
        outcome="ok",
        input_tokens=100,
        cache_read_tokens=40,
        cache_write_5m_tokens=3,
        cache_write_1h_tokens=2,
        output_tokens=50,
        reasoning_tokens=10,
        cost_nanos=cost,
        estimated=False,
        first_byte_ms=120,
        client_app="aider",
        project=None,
        session_id=None,
        price_list_id="list",
    )
