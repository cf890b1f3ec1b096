"""Who may read what through any way of nesting, not only which root fields answer.

The walk goes down every path of objects from every query, people at most twice and other types once on the way, and
stops below what is refused. What it could read is compared with the table in `readable.py`, and with whose it is.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any, cast

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type, is_required_argument

from edge_graphql.conftest import NewWorld
from edge_graphql.readable import BY_MEMBERS, IDS_OF
from edge_graphql.world import SCHEMA, World
from sluicegate.domain.apikey import TokenScope
from sluicegate.services.caller import Caller

CORE = cast("GraphQLSchema", SCHEMA._schema)
QUERY = cast("GraphQLObjectType", CORE.query_type)
RANGE = 'from: "2026-11-01", to: "2026-11-30"'
# For each query with arguments that it needs, or that widen it: all the ways in which somebody would try it.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "user": ('id: "mia"', 'id: "noor"', 'id: "ada"', 'id: "ivy"'),
    "effectivePolicy": ('userId: "mia"', 'userId: "noor"'),
    "explain": ('userId: "mia", model: "fast"', 'userId: "noor", model: "fast"'),
    "group": ('id: "team"', 'id: "empty"'),
    "model": ('id: "fast"', 'id: "slow"'),
    "provider": ('id: "acme"',),
    "deviceSignIn": ('userCode: "WDJB-MJHT"',),
    "priceCatalog": ("kind: OPENAI",),
    "secretRule": ('id: "aws"',),
    "secretRuleTrial": ('text: "AKIAIOSFODNN7EXAMPLE"',),
    "previewGroupPolicy": ('groupId: "team", rateLimit: {requestsPerMinute: 1}',),
    "previewUserPolicy": (
        'userId: "mia", rateLimit: {requestsPerMinute: 1}',
        'userId: "noor", rateLimit: {requestsPerMinute: 1}',
    ),
    "usage": (RANGE, f"{RANGE}, everyone: true", f'{RANGE}, userId: "noor"', f'{RANGE}, groupId: "team"'),
    "calls": ("first: 50", "everyone: true", 'userId: "noor"', 'userId: "mia"'),
}
_TOO_LARGE = "too large"
# A type and a field of it, how to get there, and the types on the way.
_Way = tuple[Any, str, list[str], tuple[str, ...]]
BELOW = {"breakdown": "breakdown(by: USER)"}
# What only others own: none of it may stand anywhere in what a member reads.
OTHERS = {
    "mia": (
        "ada@",
        "noor@",
        "ivy@",
        "sue@",
        "Noor",
        "Ada Admin",
        "noor-key",
        "sg_noor",
        "ada-",
        "noor-",
        "Launch week",
    ),
    "noor": ("ada@", "mia@", "ivy@", "sue@", "Mia", "Ada Admin", "mia-key", "mia-old", "sg_mia", "ada-", "mia-"),
}
# Of the installation, and for administrators alone.
SECRETS = ("sk-", "acme", "AKIA", "550 no", "no hash")


def roots() -> Iterator[tuple[str, str]]:
    """Each query with its arguments, and its name."""
    for name, field in QUERY.fields.items():
        needed = [n for n, a in field.args.items() if is_required_argument(a)]
        ways = ARGUMENTS.get(name, (", ".join(f'{n}: "mia"' for n in needed),))
        for way in ways:
            yield name, f"{name}({way})" if way else name


class Walk:
    """All that one caller can read: `read` has the fields by type, `seen` the ids by type, `told` the answers.

    With `once` a field of a type is followed no further once it has led to something.
    """

    def __init__(self, world: World, who: str, *, people: int = 2, once: bool = False) -> None:
        self._world = world
        self._who = who
        self._caller: Caller | None = None
        self._people = people
        self._once = once
        self._followed: set[tuple[str, str]] = set()
        self.read: dict[str, set[str]] = defaultdict(set)
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.told: list[str] = []
        self.codes: set[str] = set()

    async def all(self) -> Walk:
        # Looking for the session anew would take a quarter of the time of each question.
        self._caller = await self._world.caller(self._who)
        # The shortest ways first: on longer ones requests get too large.
        ways: deque[_Way] = deque((QUERY, name, [call], ()) for name, call in roots())
        while ways:
            ways.extend(await self._field(*ways.popleft()))
        return self

    async def _field(self, parent: Any, name: str, path: list[str], types: tuple[str, ...]) -> list[_Way]:
        """Reads it, and gives what lies below."""
        if self._once and (parent.name, name) in self._followed:
            return []
        kind = get_named_type(parent.fields[name].type)
        plain = is_leaf_type(kind)
        leaves = (
            [] if plain else [name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))]
        )
        asked = f"{{ {' '.join(leaves) or '__typename'} }}"
        rows, codes = await self._ask(path, "" if plain else asked)
        if codes and leaves:
            # One of the plain fields may be refused, and the others not.
            refused = codes
            rows, codes = await self._ask(path, "{ __typename }")
            if rows:
                self.codes |= refused
                for leaf in leaves:
                    self._note(kind, (await self._ask(path, f"{{ {leaf} }}"))[0])
        elif leaves:
            self._note(kind, rows)
        if not rows and codes:
            self.codes |= codes - {_TOO_LARGE}
            return []
        self.read[parent.name].add(name)
        if plain or not rows:
            return []
        if parent is not QUERY:
            self._followed.add((parent.name, name))
        found: list[_Way] = []
        for deeper, field in kind.fields.items():
            below = get_named_type(field.type)
            if not is_leaf_type(below) and types.count(below.name) < (self._people if below.name == "User" else 1):
                found.append((kind, deeper, [*path, BELOW.get(deeper, deeper)], (*types, below.name)))
        return found

    def _note(self, kind: Any, rows: list[Any]) -> None:
        for row in rows:
            self.read[kind.name] |= set(row)
            if "id" in row:
                self.seen[kind.name].add(row["id"])

    async def _ask(self, path: list[str], selection: str) -> tuple[list[Any], set[str]]:
        """The objects at the end of the path, wherever they stand in lists, and why there are none."""
        text = " { ".join(path) + f" {selection} " + "}" * (len(path) - 1)
        answer = await self._world.ask_as(self._caller, f"{{ {text} }}")
        codes = {code for code, _ in answer.errors}
        if codes == {"graphql_validation"}:
            # What stands too deep, or makes a request too large, is met on a shorter way.
            assert all("nested deeper" in m or "more than" in m for m in answer.messages), answer.messages
            return [], {_TOO_LARGE}
        assert codes <= {"forbidden", "unauthenticated", "invalid_input"}, (text, answer.messages)
        self.told.append(json.dumps(answer.data) + " ".join(answer.messages))
        rows: list[Any] = [answer.data]
        for name in path:
            rows = [row[name.partition("(")[0]] for row in rows if row]
            rows = [one for row in rows for one in (row if isinstance(row, list) else [row]) if one is not None]
        return rows, codes


def table(found: dict[str, set[str]]) -> dict[str, str]:
    return {kind: " ".join(sorted(fields)) for kind, fields in sorted(found.items()) if fields}


@pytest.mark.parametrize("who", ["mia", "noor", "mia-token"])
async def test_members_read_what_the_table_says_and_only_their_own(new_world: NewWorld, who: str) -> None:
    async with new_world() as world:
        walk = await Walk(world, who, people=1 if who == "mia-token" else 2).all()
    owner = who.removesuffix("-token")
    allowed = {kind: set(fields.split()) for kind, fields in BY_MEMBERS.items()}
    # Mia has no raise, and Noor was not warned of anything.
    nothing = {"mia": ("Override",), "noor": ("Alert", "AlertNotice", "AlertNoticeEdge")}[owner]
    unmet = {kind: allowed[kind] for kind in nothing}
    if who == "mia-token":
        # Only people let assistants in.
        unmet |= {"DeviceSignIn": allowed["DeviceSignIn"], "Query": walk.read["Query"] | {"deviceSignIn"}}
    assert table(walk.read | unmet) == table(allowed)
    assert walk.codes == {"forbidden"}
    for kind, ids in IDS_OF[owner].items():
        assert (kind, walk.seen[kind]) == (kind, set(ids))
    told = "\n".join(walk.told)
    for word in (*OTHERS[owner], *SECRETS):
        assert word not in told, next(part for part in walk.told if word in part)


@pytest.mark.parametrize("who", ["anonymous", "suspended", *(f"token:{s.value}" for s in TokenScope if s != "read")])
async def test_nothing_is_read_without_the_right_to_read(new_world: NewWorld, who: str) -> None:
    async with new_world() as world:
        walk = await Walk(world, who).all()
    assert walk.read == {}
    assert len(walk.codes) == 1


async def test_administrators_read_all_there_is(new_world: NewWorld) -> None:
    async with new_world() as world:
        walk = await Walk(world, "ada", once=True).all()
    assert walk.codes <= {"invalid_input"}
    for kind, fields in BY_MEMBERS.items():
        # She has neither key nor grant, and was not warned of anything.
        own = kind in ("ApiKeyEdge", "AvailableModel", "AlertNotice", "AlertNoticeEdge")
        assert own or set(fields.split()) <= walk.read[kind], kind
    told = "\n".join(walk.told)
    # Not even they see a credential again, or a hash.
    for word in ("sk-acme-0123456789", "no hash", "argon2"):
        assert word not in told
