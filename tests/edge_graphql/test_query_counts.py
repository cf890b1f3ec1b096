"""A page of twenty costs no more statements than a page of one, whatever is asked about each row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type
from msgspec.structs import replace
from sqlalchemy import event

import stacks
from databases import PostgresTemplate, restorable_postgres
from edge_graphql.people import NOW, PRICES, dollars, past_calls
from edge_graphql.world import SCHEMA, World, copy_for, seed, sqlite_copy, world_at
from sluicegate.domain.alert import Alert
from sluicegate.domain.apikey import TOKEN_PREFIX, ApiKey, AutomationToken, TokenScope, new_credential
from sluicegate.domain.audit import Actor, ActorKind
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderKind, ProviderModel
from sluicegate.domain.mail import Delivery, LetterKind, MailStatus
from sluicegate.domain.policy import Budget, Dimension, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.secret_rule import SecretAction, SecretFinding
from sluicegate.domain.user import Group, LinkKind, OneTimeLink, Role, Session, User, UserStatus
from sluicegate.domain.webhook import Post, PostKind, PostStatus
from sluicegate.kit.crypto import token_digest
from sluicegate.kit.secret import Secret
from sluicegate.ports.store import Transaction

CORE = cast("GraphQLSchema", SCHEMA._schema)
MANY = 20
# A batch may leave in two parts where rows get their answers at different moments.
SLACK = 9
# Each list with what narrows it to rows that are all alike.
LISTS = {
    "users": 'users(search: "Row Active", first: $first)',
    "invited": 'users(search: "Row Invited", first: $first)',
    "groups": 'groups(search: "Row", first: $first)',
    "providers": 'providers(search: "Row", first: $first)',
    "models": 'models(search: "row", first: $first)',
    "keys": "apiKeys(first: $first)",
    "all keys": "allApiKeys(first: $first)",
    "audit": 'auditEvents(action: "row.change", first: $first)',
    "calls": "calls(everyone: true, first: $first)",
    "findings": 'secretFindings(ruleId: "row", first: $first)',
    "mail": "mailDeliveries(status: SENT, first: $first)",
    "budget owners": 'budgetOwners(search: "Row Active", kind: USER, first: $first)',
    "limit owners": 'rateLimitOwners(search: "Row Active", kind: USER, first: $first)',
    "alerts": "alerts(first: $first)",
    "notices": "alertNotices(first: $first)",
    "webhooks": "webhookDeliveries(first: $first)",
    "grants": 'model(id: "row-model-0") { grants(first: $first)',
    "members": 'group(id: "row-group-0") { members(first: $first)',
}


async def crowd(world: World) -> None:
    """Twenty of everything that a list can show, each with one of everything that belongs to it."""
    async with world.container.store.write() as tx:
        for number in range(MANY):
            await _catalog(tx, number)
            await _people(tx, number, world)
        await tx.groups.add_members("row-group-0", [f"row-user-{n}" for n in range(1, MANY)])
    calls = [replace(past_calls()[0], call_id=f"row-call-{n}", user_id=f"row-user-{n}") for n in range(MANY)]
    world.container.usage_writer.write(calls)


async def _catalog(tx: Transaction, n: int) -> None:
    await tx.catalog.add_provider(
        Provider(f"row-p-{n}", f"Row {n}", ProviderKind.DEMO, None, None, None, True, None, None, NOW)
    )
    offer = ProviderModel(f"row-o-{n}", f"row-p-{n}", f"row-{n}", ModelKind.CHAT, 1, 1, NOW)
    offer = offer.costing(PRICES, list_id=f"row-l-{n}")
    await tx.catalog.add_provider_model(offer)
    backends = (Backend(f"row-b-{n}", offer.id, 0, 1),)
    model = Model(f"row-model-{n}", f"row-{n}", "Row", ModelKind.CHAT, ModelStatus.ACTIVE, backends, NOW)
    await tx.catalog.add_model(model)


async def _people(tx: Transaction, n: int, world: World) -> None:
    user = User(f"row-user-{n}", f"row{n}@example.com", f"Row Active {n:02}", Role.MEMBER, UserStatus.ACTIVE, NOW)
    guest = User(f"row-guest-{n}", f"guest{n}@example.com", f"Row Invited {n:02}", Role.MEMBER, UserStatus.INVITED, NOW)
    later = NOW + timedelta(days=7)
    await tx.users.add(user)
    await tx.users.add(guest)
    await tx.links.add(OneTimeLink(f"l{n}", guest.id, LinkKind.INVITE, token_digest(guest.id), NOW, later))
    sent = Delivery(f"d{n}", LetterKind.INVITATION, guest.email, guest.id, MailStatus.SENT, 1, NOW, NOW, NOW, NOW, "")
    await tx.mail.add(sent, world.container.vault.seal(Secret("{}"), f"mail:d{n}"))
    await tx.groups.add(Group(f"row-group-{n}", f"Row {n:02}", "", NOW))
    await tx.groups.add_members(f"row-group-{n}", [user.id])
    subjects = [Subject(SubjectKind.USER, user.id), Subject(SubjectKind.GROUP, f"row-group-{n}")]
    # Every second user has nothing but what stands in for a while.
    for subject in (*subjects[n % 2 :], Subject(SubjectKind.POOL, f"row-group-{n}")):
        await tx.policy.set_rate_limits(subject, RateLimits(requests=9))
        await tx.policy.set_budget(subject, Budget(day=dollars(9)))
    for subject in subjects:
        await tx.policy.add_grants(subject, {"row-model-0", f"row-model-{n}"}, NOW)
    await tx.overrides.add(Override(f"o{n}", user.id, Window.DAY, dollars(9), "why", "Ada", NOW, later))
    await tx.overrides.add(Override(f"r{n}", user.id, Dimension.REQUESTS, 9, "why", "Ada", NOW, later))
    for owner in (user.id, "ada"):
        made = new_credential()
        key = ApiKey(f"k{n}-{owner}", made.public_id, owner, "k", f"sg_{n}-{owner}", "no hash", NOW)
        await tx.keys.add(key)
        await tx.policy.set_rate_limits(Subject(SubjectKind.KEY, key.id), RateLimits(requests=9))
        await tx.policy.set_budget(Subject(SubjectKind.KEY, key.id), Budget(day=dollars(9)))
        await tx.keys.update(key.id, model_ids=(f"row-model-{n}",))
    digest = token_digest(new_credential(TOKEN_PREFIX).text)
    await tx.tokens.add(AutomationToken(f"t{n}", "ada", f"t{n}", f"sgt_{n}", digest, (TokenScope.READ,), NOW))
    await tx.sessions.add(Session(f"s{n}", user.id, token_digest(f"s{n}"), NOW, NOW, later, "10.0.0.1", "x"))
    await tx.audit.record(Actor(ActorKind.USER, user.name, user.id), "row.change", "group", "g", "G", {}, {"a": "b"})
    finding = SecretFinding(
        f"f{n}", NOW, "row", "R", SecretAction.LOG, 1, user.id, user.name, f"k{n}", "k", "row", f"call-{n}"
    )
    await tx.secret_rules.add_findings([finding])
    money, about = (80, dollars(5), dollars(4)), Subject(SubjectKind.USER, user.id)
    values = (Window.DAY, "2026-11-24", *money, about, user.name, NOW, later)
    await tx.alerts.add(Alert(f"a{n}", about, user.name, user.id, *values))
    await tx.alerts.notify(f"a{n}", ["ada"])
    moments = (NOW, NOW, later, NOW)
    post = Post(f"w{n}", "pager", PostKind.ALERT, f"a{n}", "{}", PostStatus.FAILED, 9, *moments, 500, "Answered 500.")
    await tx.webhooks.queue([post])


@pytest.fixture(scope="module")
def crowded_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crowd")
    _fill(sqlite_copy(sqlite_template, folder), folder)
    return folder / "world.db"


@pytest.fixture(scope="module")
def crowded_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresTemplate]:
    def make(url: str) -> None:
        folder = tmp_path_factory.mktemp("crowd")
        seed(url, folder)
        _fill(url, folder)

    with restorable_postgres(postgres_url, "crowd", make) as template:
        yield template


def _fill(url: str, folder: Path) -> None:
    async def fill() -> None:
        async with world_at(url, folder) as world:
            await crowd(world)

    asyncio.run(fill())


@pytest.fixture(params=stacks.DATABASES)
def crowded_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The world after `crowd`, which takes longer than what is asked in it."""
    return copy_for(request, tmp_path, "crowded_sqlite", "crowded_postgres")


@pytest.fixture
async def crowded(crowded_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world_at(crowded_url, tmp_path) as world:
        yield world


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    seen: list[str] = []

    def remember(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = world.container.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    yield seen
    event.remove(engine, "before_cursor_execute", remember)


def selections(kind: Any, depth: int, above: tuple[str, ...] = ()) -> dict[str, str]:
    """How to ask for each field of a type, each with all that is below it to this depth."""
    found: dict[str, str] = {}
    for name, field in cast("GraphQLObjectType", kind).fields.items():
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            found[name] = name
        elif depth and inner.name not in above:
            args = "(first: 2)" if "first" in field.args else ""
            # What a page is wrapped in is no level of its own.
            wrapping = inner.name.endswith(("Connection", "Edge"))
            below = selections(inner, depth if wrapping else depth - 1, (*above, inner.name))
            if below:
                found[name] = f"{name}{args} {{ {' '.join(below.values())} }}"
    return found


def node_of(text: str) -> Any:
    """The type of a list's rows."""
    kind: Any = CORE.query_type
    for name in (part.split("(")[0].strip() for part in text.split("{")):
        kind = get_named_type(kind.fields[name].type)
    return get_named_type(get_named_type(kind.fields["edges"].type).fields["node"].type)


def test_every_paged_list_is_among_those_that_are_counted() -> None:
    roots = cast("GraphQLObjectType", CORE.query_type).fields
    paged = {name for name, field in roots.items() if get_named_type(field.type).name.endswith("Connection")}
    assert paged == {text.split("(")[0] for text in LISTS.values() if "{" not in text}


@pytest.mark.parametrize("listed", LISTS)
async def test_a_long_page_costs_as_many_statements_as_a_short_one(crowded: World, listed: str) -> None:
    opened = LISTS[listed]
    await crowded.ask("ada", "{ users(first: 1) { totalCount } }")
    grown: dict[str, tuple[int, int]] = {}
    for name, selection in selections(node_of(opened), 2).items():
        body = f"{opened} {{ edges {{ node {{ {selection} }} }} pageInfo {{ hasNextPage }} }}"
        query = f"query ($first: Int!) {{ {body} {'}' * opened.count('{')} }}"
        counts: list[int] = []
        for first in (1, MANY):
            with statements(crowded) as seen:
                answer = await crowded.ask("ada", query, first=first)
            assert answer.messages == [], (name, query)
            rows = answer.data
            while "edges" not in rows:
                (rows,) = rows.values()
            assert len(rows["edges"]) == first
            counts.append(len(seen))
        if counts[1] > counts[0] + SLACK:
            grown[name] = (counts[0], counts[1])
    assert grown == {}


async def test_so_do_lists_that_have_no_pages(world: World) -> None:
    query = "{ automationTokens { %s } sessions { %s } jobs { %s } secretRules { %s } availableModels { %s } }"
    names = ("AutomationToken", "Session", "Job", "SecretRule", "AvailableModel")
    kinds = [cast("GraphQLObjectType", CORE.type_map[name]) for name in names]
    text = query % tuple(" ".join(selections(kind, 2).values()) for kind in kinds)
    counts: list[int] = []
    for more in (False, True):
        if more:
            await crowd(world)
        await world.ask("ada", text)
        with statements(world) as seen:
            assert (await world.ask("ada", text)).messages == []
        counts.append(len(seen))
    assert counts[1] <= counts[0] + SLACK


async def test_two_rows_may_ask_for_the_version_of_the_same_thing(world: World) -> None:
    inner = "version members(first: 9) { edges { node { version groups { version } } } }"
    query = f"{{ groups(first: 9) {{ edges {{ node {{ {inner} }} }} }} }}"
    assert (await world.ask("ada", query)).messages == []
