"""Further headers of providers: what may be set, what stays, and that nobody sees a value again."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.catalog import Provider, ProviderKind
from sluicegate.domain.user import Role
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.secret import Secret
from sluicegate.policy.provider_headers import open_headers
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.caller import Caller
from sluicegate.services.provider_headers import MAX_HEADERS, NewHeader, checked
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService

URL = "https://llm.example.com/v1"


def header(name: str, value: str | None = "v") -> NewHeader:
    return NewHeader(name, None if value is None else Secret(value))


class Stage:
    def __init__(self, site: Site, admin: Caller) -> None:
        self.site, self.admin, self.vault = site, admin, EnvelopeVault(b"k" * 32)
        self.providers = ProviderService(site.store, self.vault, site.clock, allow_private=False)

    async def create(self, *headers: NewHeader, kind: ProviderKind = ProviderKind.CUSTOM_OPENAI) -> Provider:
        url = URL if kind is not ProviderKind.OPENROUTER else None
        new = NewProvider(kind, "P", base_url=url, credential=Secret("sk-012345678901234567890"), headers=headers)
        return await self.providers.create(self.admin, new)

    async def update(self, provider: Provider, *headers: NewHeader, **values: Any) -> Provider:
        change = ProviderChange(headers=headers, **values)
        return await self.providers.update(self.admin, provider.id, change)

    async def stored(self, provider: Provider) -> dict[str, str]:
        async with self.site.store.read() as tx:
            sealed = await tx.catalog.sealed_headers(provider.id)
        return open_headers(self.vault, provider.id, sealed)


@pytest.fixture
async def stage(site: Site) -> Stage:
    return Stage(site, await site.person("ada@example.com", Role.ADMIN))


async def test_values_are_sealed_and_names_are_shown(stage: Stage) -> None:
    provider = await stage.create(header("X-Team", " s3cret "), header("x-b", "2"), kind=ProviderKind.OPENROUTER)
    assert provider.header_names == ("x-team", "x-b")
    assert await stage.providers.get(stage.admin, provider.id) == provider
    assert await stage.stored(provider) == {"x-team": "s3cret", "x-b": "2"}
    async with stage.site.store.read() as tx:
        sealed = await tx.catalog.sealed_headers(provider.id)
        page = await tx.audit.page(AuditFilter(target_id=provider.id), PageRequest())
    assert "s3cret" not in f"{sealed} {page}"
    assert page.items[0][0].after["header_names"] == ["x-team", "x-b"]


async def test_headers_are_replaced_as_a_whole_and_values_stay_where_none_is_given(stage: Stage) -> None:
    provider = await stage.create(header("x-a", "1"), header("x-b", "2"))
    changed = await stage.update(provider, header("X-B", None), header("x-c", "3"))
    assert changed.header_names == ("x-b", "x-c")
    assert await stage.stored(provider) == {"x-b": "2", "x-c": "3"}
    assert (await stage.update(provider)).header_names == ()
    assert await stage.stored(provider) == {}


async def test_headers_stay_when_nothing_is_said_of_them(stage: Stage) -> None:
    provider = await stage.create(header("x-a", "1"))
    renamed = await stage.providers.update(stage.admin, provider.id, ProviderChange(name="Q"))
    assert renamed.header_names == ("x-a",)
    assert await stage.stored(provider) == {"x-a": "1"}


async def test_values_do_not_follow_to_another_host(stage: Stage) -> None:
    provider, key = await stage.create(header("x-a", "1")), Secret("sk-other")
    elsewhere = "https://evil.example/v1"
    for headers in ({}, {"headers": (header("x-a", None),)}):
        change = ProviderChange(base_url=elsewhere, credential=key, **headers)
        with pytest.raises(InvalidInput) as caught:
            await stage.providers.update(stage.admin, provider.id, change)
        assert (caught.value.field or "").startswith("headers")
    assert await stage.providers.get(stage.admin, provider.id) == provider
    moved = await stage.update(provider, base_url=elsewhere, credential=key)
    assert (moved.base_url, moved.header_names) == (elsewhere, ())


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        *(
            ((header("x-ok"), header(name)), "headers.1.name")
            for name in (
                "Authorization",
                "x-api-key",
                "API-Key",
                "x-goog-api-key",
                "Proxy-Authorization",
                "Cookie",
                "Host",
                "Connection",
                "Transfer-Encoding",
                "Content-Length",
                "content-type",
                "Accept-Encoding",
                "X-Forwarded-For",
                "x-ok",
                "two words",
                "x:y",
                "",
                "x\r\ny",
                "ü",
                "x" * 101,
            )
        ),
        *(((header("x-a", value),), "headers.0.value") for value in ("", "  ", "a\r\nb: c", "\x00", "ü", "v" * 2001)),
        (tuple(header(f"x-{n}") for n in range(MAX_HEADERS + 1)), "headers"),
    ],
)
def test_faulty_headers_are_refused_by_their_place(headers: tuple[NewHeader, ...], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked(ProviderKind.CUSTOM_ANTHROPIC, headers)
    assert caught.value.field == field


async def test_a_faulty_header_changes_nothing(stage: Stage) -> None:
    provider = await stage.create(header("x-a", "1"))
    for attempt in (stage.create(header("Host")), stage.update(provider, header("x-b"), header("x-c", None))):
        with pytest.raises(InvalidInput):
            await attempt
    assert await stage.stored(provider) == {"x-a": "1"}


def test_other_kinds_take_none() -> None:
    for kind in (ProviderKind.OPENAI, ProviderKind.ANTHROPIC, ProviderKind.GEMINI, ProviderKind.DEMO):
        assert checked(kind, ()) == []
        with pytest.raises(InvalidInput, match="takes none of its own") as caught:
            checked(kind, (header("x-a"),))
        assert caught.value.field == "headers"
