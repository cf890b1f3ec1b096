"""Before a server takes its first call it shows that it refuses: a limiter that is built but never asked, or a route
that goes around it, would otherwise let everything through without a sign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sluicegate.domain.apikey import ApiKey, NewCredential, new_credential
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderKind, ProviderModel
from sluicegate.domain.policy import Budget, ChangeKind, Grant, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.domain.secret_rule import SecretRule
from sluicegate.domain.usage import Prices
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.gateway.app import GatewayApp
from sluicegate.gateway.asgi import Message
from sluicegate.gateway.dialects.errors import code_of
from sluicegate.gateway.reading import loaded
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import hash_passing_secret
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import Nanos
from sluicegate.policy.service import PolicyService
from sluicegate.ports.policy import CatalogRows, KeyRows, PolicySource, UserRows

_SLUG = "self-test"
_BODY = {"model": _SLUG, "max_tokens": 1, "messages": [{"role": "user", "content": "?"}], "input": "?"}


class SelfTestFailed(Exception):
    """A call went through that a limit of zero should have stopped."""


class Rehearsal:
    """Implements ports.policy.PolicySource. As long as it is `on`, it knows only people whose limits are zero and a
    model that answers in process; otherwise it is the source behind it."""

    def __init__(self, source: PolicySource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._people: dict[str, UserRows] = {}
        self._keys: dict[str, KeyRows] = {}
        self._model = new_id()
        self.on = False

    async def users(self, ids: Sequence[str]) -> dict[str, UserRows]:
        if not self.on:
            return await self._source.users(ids)
        return {user_id: self._people[user_id] for user_id in ids if user_id in self._people}

    async def key(self, public_id: str) -> KeyRows | None:
        return self._keys.get(public_id) if self.on else await self._source.key(public_id)

    async def key_by_id(self, key_id: str) -> KeyRows | None:
        return None if self.on else await self._source.key_by_id(key_id)

    async def catalog(self, at: datetime) -> CatalogRows:
        return self._catalog() if self.on else await self._source.catalog(at)

    async def secret_rules(self) -> list[SecretRule]:
        return [] if self.on else await self._source.secret_rules()

    async def run(self, gateway: GatewayApp, policy: PolicyService) -> None:
        """Sends calls through the whole chain, on every route; raises SelfTestFailed when one is not refused."""
        self.on = True
        everything = (PolicyChange(ChangeKind.EVERYTHING),)
        await policy.apply(everything)
        try:
            for code, key in self._invite():
                for path in gateway.call_paths(_SLUG):
                    status, found = await _call(gateway, path, key.text)
                    if found != code:
                        raise SelfTestFailed(
                            f"A call to {path} that should be refused as {code} was answered with status {status}, "
                            f"code {found}. The limits of this server do not hold, so it does not start."
                        )
        finally:
            self.on = False
            gateway.board.forget()
            self._people.clear()
            self._keys.clear()
        await policy.apply(everything)

    def _invite(self) -> list[tuple[str, NewCredential]]:
        """Codes of refusals, with keys that must meet them."""
        nothing, no_money, no_calls = Budget(), Budget(day=Nanos(0)), RateLimits(requests=0)
        return [
            ("budget_exceeded", self._person(no_money, RateLimits(), nothing)),
            ("rate_limit_exceeded", self._person(nothing, no_calls, nothing)),
            ("budget_exceeded", self._person(nothing, RateLimits(), no_money)),
        ]

    def _person(self, budget: Budget, limits: RateLimits, key_budget: Budget) -> NewCredential:
        now, credential, user_id = self._clock.now(), new_credential(), new_id()
        subject = Subject(SubjectKind.USER, user_id)
        self._people[user_id] = UserRows(
            user=User(user_id, "self-test@localhost", _SLUG, Role.MEMBER, UserStatus.ACTIVE, now),
            groups=(),
            grants=(Grant(new_id(), subject, self._model, now),),
            limits={subject: limits},
            budgets={subject: budget},
        )
        hashed = hash_passing_secret(credential.secret)
        key = ApiKey(new_id(), credential.public_id, user_id, _SLUG, credential.prefix, hashed, now)
        self._keys[credential.public_id] = KeyRows(key, budget=key_budget)
        return credential

    def _catalog(self) -> CatalogRows:
        now, price = self._clock.now(), Prices(input=1_000_000_000, output=1_000_000_000)
        provider = Provider(new_id(), _SLUG, ProviderKind.DEMO, None, None, None, True, None, None, now)
        offer = ProviderModel(new_id(), provider.id, _SLUG, ModelKind.CHAT, None, None, now)
        offer = offer.costing(price, list_id=new_id())
        backends = (Backend(new_id(), offer.id, 0, 1),)
        model = Model(self._model, _SLUG, _SLUG, ModelKind.CHAT, ModelStatus.ACTIVE, backends, now)
        return CatalogRows([model], {offer.id: offer}, {provider.id: provider}, {})


async def _call(gateway: GatewayApp, path: str, key: str) -> tuple[int, str | None]:
    """The status of the answer, and the code in it."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": msgspec.json.encode(_BODY)}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json")]
    await gateway({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    body = loaded(b"".join(message.get("body", b"") for message in sent[1:]))
    error = body.get("error") if isinstance(body, dict) else None
    return sent[0]["status"], code_of(error) if isinstance(error, dict) else None
