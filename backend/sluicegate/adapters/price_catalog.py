"""The price catalogue: the file that comes with the release, and the one that an operator puts in its place."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from sluicegate.domain.catalog import MAX_TOKENS, ModelKind, ProviderKind, check_capabilities
from sluicegate.domain.price_catalog import CatalogEntry, PriceCatalog
from sluicegate.domain.usage import LongContext, Prices
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import parse_usd

_FORMAT = 1
_MAX_BYTES = 8_000_000
_SECONDS = 30.0


class _Classes(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    input: str
    output: str | None = None
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None


class _Tier(_Classes, kw_only=True):
    above: int


class _Prices(_Classes, kw_only=True):
    long_context: list[_Tier] = msgspec.field(default_factory=list[_Tier])


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    provider: ProviderKind
    model: str
    source: str
    as_of: date
    prices: _Prices
    kind: ModelKind = ModelKind.CHAT
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: list[str] = msgspec.field(default_factory=list[str])
    details_source: str | None = None
    details_as_of: date | None = None


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    published: date
    models: list[_Model]
    about: list[str] = msgspec.field(default_factory=list[str])


def parse_catalog(data: bytes, *, refreshed: bool) -> PriceCatalog:
    """Raises InvalidInput that names the place of the first fault."""
    try:
        document = msgspec.json.decode(data, type=_Document)
    except msgspec.ValidationError as error:
        raise InvalidInput("catalogue", f"does not have the form of a price catalogue: {error}") from None
    except msgspec.DecodeError as error:
        raise InvalidInput("catalogue", f"is not JSON: {error}") from None
    if document.format != _FORMAT:
        raise InvalidInput("catalogue.format", f"is {document.format}; this release reads format {_FORMAT}")
    if not document.models:
        raise InvalidInput("catalogue.models", "must not be empty")
    seen: set[tuple[ProviderKind, str]] = set()
    entries: list[CatalogEntry] = []
    for index, model in enumerate(document.models):
        place = f"catalogue.models.{index}"
        if (model.provider, model.model) in seen:
            raise InvalidInput(f"{place}.model", f"{model.model!r} of {model.provider} is there already")
        seen.add((model.provider, model.model))
        entries.append(_entry(model, place))
    return PriceCatalog(document.published, refreshed, tuple(entries))


def _entry(model: _Model, place: str) -> CatalogEntry:
    if not 1 <= len(model.model) <= 200 or not model.model.isprintable() or model.model != model.model.strip():
        raise InvalidInput(f"{place}.model", "must have 1 to 200 characters, and no blanks around them")
    if urlsplit(model.source).scheme != "https":
        raise InvalidInput(f"{place}.source", "must be the https address of a price page")
    if model.prices.output is None and model.kind is ModelKind.CHAT:
        raise InvalidInput(f"{place}.prices.output", "must be known")
    for name in ("context_window", "max_output_tokens"):
        tokens = getattr(model, name)
        if tokens is not None and not 1 <= tokens <= MAX_TOKENS:
            raise InvalidInput(f"{place}.{name}", f"must lie between 1 and {MAX_TOKENS}")
    if model.details_source is not None and urlsplit(model.details_source).scheme != "https":
        raise InvalidInput(f"{place}.details_source", "must be the https address of a page")
    check_capabilities(model.capabilities, f"{place}.capabilities")
    return CatalogEntry(
        model.provider,
        model.model,
        model.kind,
        _prices(model.prices, f"{place}.prices"),
        model.source,
        model.as_of,
        model.context_window,
        model.max_output_tokens,
        tuple(model.capabilities),
        model.details_source,
        model.details_as_of,
    )


def _prices(given: _Prices, place: str) -> Prices:
    tiers: list[LongContext] = []
    for index, tier in enumerate(given.long_context):
        if tier.above <= (tiers[-1].above if tiers else 0):
            raise InvalidInput(f"{place}.long_context.{index}.above", "must lie above 0, and above the tier before")
        tiers.append(LongContext(tier.above, _classes(tier, f"{place}.long_context.{index}")))
    return replace(_classes(given, place), long_context=tuple(tiers))


def _classes(given: _Classes, place: str) -> Prices:
    def price(name: str) -> int | None:
        text: str | None = getattr(given, name)
        return None if text is None else parse_usd(text, f"{place}.{name}")

    return Prices(
        price("input"), price("cache_read"), price("cache_write_5m"), price("cache_write_1h"), price("output")
    )


class CatalogFile:
    """Implements ports.prices.CatalogSource over a file in the data folder, whose changes it sees at the next look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shipped: PriceCatalog | None = None
        self._refreshed: tuple[int, PriceCatalog] | None = None

    def load(self) -> PriceCatalog:
        """The refreshed one, unless the release knows a later state."""
        if self._shipped is None:
            self._shipped = parse_catalog(shipped(), refreshed=False)
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return self._shipped
        if self._refreshed is None or self._refreshed[0] != changed:
            self._refreshed = (changed, parse_catalog(self._path.read_bytes(), refreshed=True))
        found = self._refreshed[1]
        return found if found.published >= self._shipped.published else self._shipped

    def replace(self, data: bytes) -> PriceCatalog:
        """Puts another catalogue in its place, as one step; raises InvalidInput, and then nothing changes."""
        found = parse_catalog(data, refreshed=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return found


def shipped() -> bytes:
    return (files("sluicegate") / "catalogue" / "prices.json").read_bytes()


def fetched(address: str) -> bytes:
    """What stands at an address; raises InvalidInput naming what is wrong with it. Redirects are not followed."""
    # Only the command that fetches needs it.
    import httpx

    try:
        with (
            httpx.Client(timeout=_SECONDS) as client,
            client.stream("GET", address, headers={"accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise InvalidInput("source", f"answered with status {answer.status_code}")
            data = bytearray()
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > _MAX_BYTES:
                    raise InvalidInput("source", f"sends more than {_MAX_BYTES // 1_000_000} MB")
            return bytes(data)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InvalidInput("source", f"cannot be fetched: {error or type(error).__name__}") from None
