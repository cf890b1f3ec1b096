"""A gateway on a real socket, over a real database, in front of a scripted provider."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from argon2 import PasswordHasher
from psycopg.sql import SQL

import stacks
from databases import sqlite_database
from fakes.provider import Provider
from sluicegate.app import create_app
from sluicegate.cli.protocol import LeanProtocol, RequestBounds
from sluicegate.cli.server import IDLE_SECONDS
from sluicegate.container import Container
from sluicegate.domain.apikey import ApiKey, NewCredential, new_credential
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, ProviderKind, ProviderModel
from sluicegate.domain.catalog import Provider as ProviderRow
from sluicegate.domain.policy import (
    Budget,
    ChangeKind,
    Dimension,
    PolicyChange,
    RateLimits,
    Subject,
    SubjectKind,
)
from sluicegate.domain.usage import CallRecord, Prices
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.gateway import answers
from sluicegate.gateway.app import GatewayApp
from sluicegate.gateway.pipeline import GatewayOptions
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.upstream import Origin, Timeouts, UpstreamRequest
from sluicegate.ports.usage import CallFilter
from sluicegate.premises import KEK_FILE
from sluicegate.settings import load
from sluicegate.storage import migrate

_DATABASE = "sluicegate.db"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
# Prices have been in force since, whatever the clock of the machine says.
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CREDENTIAL = new_credential()
# As cheap as it gets: how hard a key is to hash is nothing that these tests ask.
_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_HASH = _HASHER.hash(CREDENTIAL.secret)
# Reading the system's authorities for each client takes longer than most of what it does.
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# Nano-dollars per million tokens; each class its own, so that a mix-up shows in the cost.
PRICES = Prices(
    input=3_000_000_000,
    cache_read=300_000_000,
    cache_write_5m=3_750_000_000,
    cache_write_1h=6_000_000_000,
    output=15_000_000_000,
)
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
EMBEDDINGS = "/v1/embeddings"
COMPLETIONS = "/v1/completions"
MESSAGES = "/v1/messages"
GENERATE = "/v1beta/models/team-gemini:generateContent"
STREAM = "/v1beta/models/team-gemini:streamGenerateContent?alt=sse"
ASK = [{"role": "user", "content": "say hi"}]
_USER = User("ada", "ada@example.com", "Ada", Role.MEMBER, UserStatus.ACTIVE, NOW)
SUBJECT = Subject(SubjectKind.USER, _USER.id)
_SERVED = (
    ("team-embed", ProviderKind.CUSTOM_OPENAI, "vector", ModelKind.EMBEDDING),
    ("team-gemini", ProviderKind.GEMINI, "goo", ModelKind.CHAT),
    ("team-gpt", ProviderKind.CUSTOM_OPENAI, "acme", ModelKind.CHAT),
    ("team-claude", ProviderKind.CUSTOM_ANTHROPIC, "zeta", ModelKind.CHAT),
)
# Whose base URLs end in the version of their interface.
_BELOW_V1 = (ProviderKind.CUSTOM_OPENAI, ProviderKind.OPENROUTER, ProviderKind.MOONSHOT)
_USER_CHANGED = PolicyChange(ChangeKind.USER, _USER.id)
_CATALOG_CHANGED = PolicyChange(ChangeKind.CATALOG)


def chat(**values: Any) -> dict[str, Any]:
    return {"model": "team-gpt", "messages": ASK, **values}


def messages(**values: Any) -> dict[str, Any]:
    return {"model": "team-claude", "messages": ASK, "max_tokens": 64, **values}


def responses(**values: Any) -> dict[str, Any]:
    return {"model": "team-gpt", "input": ASK, **values}


def embeddings(**values: Any) -> dict[str, Any]:
    return {"model": "team-embed", "input": "say hi", **values}


def completions(**values: Any) -> dict[str, Any]:
    return {"model": "team-gpt", "prompt": "say hi", **values}


def contents(**values: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "say hi"}]}], **values}


@dataclass
class Bench:
    """`client` carries the key of a user who may call the models of `_SERVED`; `provider` serves them all."""

    container: Container
    provider: Provider
    client: httpx.AsyncClient
    port: int
    server: uvicorn.Server
    app: Any

    async def warm(self, connections: int = 1) -> None:
        """As after some calls, of which nothing is left: so many connections to the provider are idle, and what the
        caller may do is known. From now on calls need no task."""
        policy = self.container.policy
        policy.cancel(await policy.admit(CREDENTIAL.text, "127.0.0.1", "team-gpt", 1, None))
        origin = Origin("http", "127.0.0.1", self.provider.port)
        asked = UpstreamRequest(origin, "POST", "/v1/chat/completions", [], b'{"model":"m","messages":[]}', Timeouts())
        for response in await asyncio.gather(*(self.container.upstream.send(asked) for _ in range(connections))):
            assert await answers.whole(response)
        self.provider.reset()

    async def until_asked(self, times: int) -> None:
        """Until the provider has had so many calls."""
        async with asyncio.timeout(10):
            while len(self.provider.log) < times:  # noqa: ASYNC110 - the provider signals nobody
                await asyncio.sleep(0.01)

    async def ledger(self) -> list[CallRecord]:
        """All calls, the newest first."""
        await self.container.journal.flush()
        rows: list[CallRecord] = []
        after, more = None, True
        while more:
            page = await self.container.usage_reader.calls(CallFilter(), PageRequest(100, after))
            rows += [record for record, _ in page.items]
            after, more = page.items[-1][1] if page.items else None, page.has_next
        return rows

    async def only_call(self) -> CallRecord:
        """The one call in the ledger; checks that nothing is held for it any more."""
        records = await self.ledger()
        assert len(records) == 1, records
        await self.assert_settled()
        return records[0]

    async def used(self, dimension: Dimension) -> int:
        return (await self.container.admission.use_of(SUBJECT)).used[dimension]

    async def assert_settled(self) -> None:
        """No slot is taken, no money is held, and no call waits in the journal."""
        use = await self.container.admission.use_of(SUBJECT)
        assert use.used[Dimension.CONCURRENT_REQUESTS] == 0
        assert set(use.reserved.values()) <= {0}
        assert self.container.gateway.calls_in_flight == 0

    async def assert_untouched(self) -> None:
        """No provider was asked, nothing is consumed and nothing is written down."""
        assert self.provider.log == []
        assert await self.ledger() == []
        use = await self.container.admission.use_of(SUBJECT)
        assert set(use.used.values()) == {0}
        assert {*use.spent.values(), *use.reserved.values()} == {0}

    async def until_settled(self, within: float = 3.0) -> None:
        async with asyncio.timeout(within):
            while self.container.gateway.calls_in_flight:  # noqa: ASYNC110 - the gateway signals nobody
                await asyncio.sleep(0.01)

    async def set_limits(self, **values: int) -> None:
        async with self.container.store.write() as tx:
            await tx.policy.set_rate_limits(SUBJECT, RateLimits(**values))
            tx.changed(_USER_CHANGED)

    async def set_budget(self, **values: Any) -> None:
        async with self.container.store.write() as tx:
            await tx.policy.set_budget(SUBJECT, Budget(**values))
            tx.changed(_USER_CHANGED)

    async def suspend(self) -> None:
        async with self.container.store.write() as tx:
            await tx.users.update(_USER.id, status=UserStatus.SUSPENDED)
            tx.changed(_USER_CHANGED)

    async def move_providers(self, port: int) -> None:
        """Lets every provider's address point to `port`."""
        await self._change_providers(
            lambda row: {"base_url": (row.base_url or "").replace(str(self.provider.port), str(port))}
        )

    async def disable_providers(self) -> None:
        await self._change_providers(lambda row: {"enabled": False})

    async def _change_providers(self, values_of: Callable[[ProviderRow], dict[str, Any]]) -> None:
        async with self.container.store.write() as tx:
            page = await tx.catalog.page_providers(None, PageRequest())
            for row, _ in page.items:
                await tx.catalog.update_provider(row.id, **values_of(row))
            tx.changed(_CATALOG_CHANGED)

    async def add_key(self, **values: Any) -> NewCredential:
        credential = new_credential()
        hashed = _HASHER.hash(credential.secret)
        key = ApiKey(new_id(), credential.public_id, _USER.id, "extra", credential.prefix, hashed, NOW)
        async with self.container.store.write() as tx:
            await tx.keys.add(replace(key, **values))
        return credential

    async def add_backend(
        self,
        slug: str,
        name: str,
        port: int,
        priority: int = 1,
        weight: int = 1,
        kind: ProviderKind = ProviderKind.CUSTOM_OPENAI,
        api_version: str | None = None,
        **values: Any,
    ) -> None:
        """A further provider behind a model; `values` as `_add_provider` takes them."""
        async with self.container.store.write() as tx:
            model = await tx.catalog.model_by_slug(slug)
            assert model is not None
            target = await _add_provider(tx, self.container, kind, name, port, api_version=api_version, **values)
            backend = Backend(new_id(), target.id, priority, weight)
            await tx.catalog.replace_backends(replace(model, backends=(*model.backends, backend)))
            tx.changed(_CATALOG_CHANGED)

    async def add_model(self, slug: str, kind: ProviderKind, name: str) -> None:
        """A further chat model that the user may call, at the same provider."""
        async with self.container.store.write() as tx:
            model_id = await _add_model(tx, self.container, self.provider.port, slug, kind, name, ModelKind.CHAT)
            await tx.policy.add_grants(SUBJECT, [model_id], NOW)
            tx.changed(_CATALOG_CHANGED)
            tx.changed(_USER_CHANGED)


async def _add_provider(
    tx: Any,
    container: Container,
    kind: ProviderKind,
    name: str,
    port: int,
    serves: ModelKind = ModelKind.CHAT,
    api_version: str | None = None,
    *,
    region: str | None = None,
    credential: str | None = None,
    model_name: str | None = None,
    serves_responses: bool = True,
    capabilities: tuple[str, ...] = (),
) -> ProviderModel:
    path = "/v1" if kind in _BELOW_V1 else ""
    url = f"http://127.0.0.1:{port}{path}"
    row = ProviderRow(new_id(), name, kind, url, None, region, True, None, None, NOW, api_version)
    row = replace(row, serves_responses=serves_responses)
    prices = PRICES if serves is ModelKind.CHAT else Prices(input=PRICES.input)
    model = ProviderModel(new_id(), row.id, model_name or f"{name}-model", serves, 200_000, 8_000, LONG_AGO)
    model = replace(model, capabilities=capabilities).costing(prices, list_id=new_id())
    await tx.catalog.add_provider(row)
    sealed = container.vault.seal(Secret(credential or f"sk-{name}"), f"provider:{row.id}")
    await tx.catalog.set_sealed_credential(row.id, sealed, "sk-", NOW)
    await tx.catalog.add_provider_model(model)
    return model


async def populate(container: Container, port: int) -> None:
    """Adds a user with a key, and models of every kind at the provider that listens on `port`."""
    async with container.store.write() as tx:
        await tx.users.add(_USER)
        key = ApiKey("key-1", CREDENTIAL.public_id, _USER.id, "laptop", CREDENTIAL.prefix, _HASH, NOW)
        await tx.keys.add(key)
        granted = [await _add_model(tx, container, port, *served) for served in _SERVED]
        await tx.policy.add_grants(SUBJECT, granted, NOW)
        await _add_model(tx, container, port, "secret-model", ProviderKind.CUSTOM_ANTHROPIC, "hidden", ModelKind.CHAT)
        tx.changed(_CATALOG_CHANGED)


def server_at(folder: Path, **settings: Any) -> Container:
    """A server on the present stack."""
    values: dict[str, Any] = {"data_dir": folder, **stacks.current().settings, **settings}
    return Container(load({}, **values), "http://127.0.0.1")


# The files of a data folder after `populate`, and the port that stands for the provider's in it.
_furniture: dict[str, bytes] = {}
_NO_PORT = 1
_MOVED = "UPDATE providers SET base_url = replace(base_url, {}, {})"


async def _furnish(folder: Path, port: int) -> None:
    """A data folder and a database as `populate` leaves them, in a fraction of the time."""
    moved = f"http://127.0.0.1:{_NO_PORT}", f"http://127.0.0.1:{port}"
    shared = stacks.shared()
    if shared is not None:
        await asyncio.to_thread(shared.furnished, "bench", _make_shared, SQL(_MOVED).format(*moved))
    if not _furniture:
        await _make(_DATABASE, KEK_FILE)
    for name, content in _furniture.items():
        (folder / name).write_bytes(content)
    if shared is not None:
        return
    with closing(sqlite3.connect(folder / _DATABASE)) as connection, connection:
        connection.execute(_MOVED.format("?", "?"), moved)


def _make_shared(url: str) -> None:
    migrate.upgrade(url)
    asyncio.run(_make(KEK_FILE, database_url=url))


async def _make(*names: str, **settings: Any) -> None:
    """The furniture: these files, made by a server on its own with these settings."""
    with tempfile.TemporaryDirectory() as made:
        sqlite_database(Path(made) / _DATABASE)
        values: dict[str, Any] = {"data_dir": Path(made), **settings}
        container = Container(load({}, **values), "http://127.0.0.1")
        await populate(container, _NO_PORT)
        await container.stop()
        _furniture.update({name: (Path(made) / name).read_bytes() for name in names})


async def _add_model(
    tx: Any, container: Container, port: int, slug: str, kind: ProviderKind, name: str, serves: ModelKind
) -> str:
    """A model of one backend; gives its id."""
    target = await _add_provider(tx, container, kind, name, port, serves)
    backends = (Backend(new_id(), target.id, 0, 1),)
    model = Model(new_id(), slug, slug.title(), serves, ModelStatus.ACTIVE, backends, NOW)
    await tx.catalog.add_model(model)
    return model.id


@asynccontextmanager
async def running_bench(
    folder: Path,
    *,
    stalled_seconds: float | None = None,
    bounds: RequestBounds | None = None,
    direct: bool = True,
    everything: bool = False,
    provider: Provider | None = None,
    **settings: Any,
) -> AsyncIterator[Bench]:
    """Without `direct` all goes by ASGI. `everything` also serves GraphQL and the web routes. `provider` is one that
    does more than the usual."""
    async with provider or Provider() as provider:
        await _furnish(folder, provider.port)
        container = server_at(folder, allow_private_upstreams=True, **settings)
        if stalled_seconds is not None:
            container.gateway = _impatient(container, stalled_seconds)
        await container.start()
        try:
            protocol = LeanProtocol.within(bounds or RequestBounds(), container.gateway.direct if direct else None)
            app = create_app(container) if everything else container.gateway
            async with listening(app, protocol) as (server, port):
                headers = {"authorization": f"Bearer {CREDENTIAL.text}"}
                url = f"http://127.0.0.1:{port}"
                client = httpx.AsyncClient(base_url=url, headers=headers, timeout=20, verify=_NO_AUTHORITIES)
                async with client:
                    yield Bench(container, provider, client, port, server, app)
        finally:
            await container.stop()


def _impatient(container: Container, seconds: float) -> GatewayApp:
    options = GatewayOptions(stalled_seconds=seconds)
    parts = (container.policy, container.journal, container.upstream, container.demo, container.clock)
    return GatewayApp(*parts, container.shared.kept, options)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def empty(self) -> None:
        """Takes nobody more, and lets everybody end: as uvicorn does, whose looks are a tenth of a second apart."""
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - they signal nobody
            await asyncio.sleep(0.001)


@asynccontextmanager
async def listening(app: Any, protocol: type[LeanProtocol]) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    server = _Server(
        uvicorn.Config(
            app,
            port=0,
            lifespan="off",
            log_level="error",
            access_log=False,
            loop="none",
            ws="none",
            http=protocol,
            # As the real one: after uvicorn's five seconds it would end connections at the moment clients give them up.
            timeout_keep_alive=IDLE_SECONDS,
        )
    )
    task = asyncio.create_task(server.serve())
    await server.listening.wait()
    try:
        yield server, server.servers[0].sockets[0].getsockname()[1]
    finally:
        if not server.should_exit:
            await server.empty()
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
