"""The catalogue as the schema shows it: what its operations ask for and expect."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, LONG

PROVIDER = (
    "{ id name kind baseUrl organization region apiVersion priceMultiplier headerNames enabled credentialPrefix "
    "credentialUpdatedAt createdAt }"
)
OFFER = "{ id name kind prices { ...p } charged { ...p } own free priced contextWindow maxOutputTokens createdAt }"
LIST = "id startsAt endsAt status prices { ...p } charged { ...p } own multiplier free createdAt"
CLASSES = "input cacheRead cacheWrite5m cacheWrite1h output"
PRICES = f"fragment p on Prices {{ {CLASSES} longContext {{ above {CLASSES} }} }}"
MODEL = "{ id slug displayName kind status createdAt }"
BACKENDS = "{ id priority weight providerModel { id } }"
SECRET = "sk-0123456789abcdef"

ACME = {
    "id": "acme",
    "name": "Acme",
    "kind": "CUSTOM_OPENAI",
    "baseUrl": "https://api.acme.example/v1",
    "organization": None,
    "region": None,
    "apiVersion": None,
    "priceMultiplier": "1",
    "headerNames": [],
    "enabled": True,
    "credentialPrefix": "sk-acm…",
    "credentialUpdatedAt": AT,
    "createdAt": AT,
}
DEMO = ACME | {
    "id": "demo",
    "name": "Demo",
    "kind": "DEMO",
    "baseUrl": None,
    "credentialPrefix": None,
    "credentialUpdatedAt": None,
}


def prices(**known: str) -> dict[str, Any]:
    return {**classes(**known), "longContext": []}


def classes(**known: str) -> dict[str, Any]:
    return dict.fromkeys(CLASSES.split()) | known


FAST_PRICES = {
    **prices(input="0.25", cacheRead="0.025", output="1.25"),
    "longContext": [{"above": 200_000, **classes(input="0.5", output="2.5")}],
}
NOTHING = {**classes(**dict.fromkeys(CLASSES.split(), "0")), "longContext": []}
FAST_OFFER = {
    "id": "offer",
    "name": "demo-fast",
    "kind": "CHAT",
    "prices": FAST_PRICES,
    "charged": FAST_PRICES,
    "own": False,
    "free": False,
    "priced": True,
    "contextWindow": 128_000,
    "maxOutputTokens": 8_000,
    "createdAt": AT,
}
FAST_LIST = {
    "id": "list",
    "startsAt": AT,
    "endsAt": None,
    "status": "CURRENT",
    "prices": FAST_PRICES,
    "charged": FAST_PRICES,
    "own": False,
    "multiplier": "1",
    "free": False,
    "createdAt": AT,
}
UNPRICED = FAST_OFFER | {
    "id": "unpriced",
    "name": "acme-large",
    "prices": prices(),
    "charged": prices(),
    "priced": False,
    "contextWindow": None,
    "maxOutputTokens": None,
}
FAST = {"id": "fast", "slug": "fast", "displayName": "Fast", "kind": "CHAT", "status": "ACTIVE", "createdAt": AT}
SLOW = FAST | {"id": "slow", "slug": "slow", "displayName": "", "status": "DRAFT"}
NO_MORE = {"provider": {"id": "acme"}, "catalogEntry": None}
FIRST = {"providerModelId": "offer"}
SLUGS = ("", " fast", "two words", "Fast", "über", "-x", "x-", "a/b", "a_b", "x" * 101, LONG)


def given(**values: Any) -> dict[str, Any]:
    return {"input": values}
