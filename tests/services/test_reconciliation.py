"""What a provider's export says beside the ledger, on real databases."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from fakes.identity import Site
from sluicegate.domain.catalog import Provider, ProviderKind
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.errors import InvalidInput
from sluicegate.services.provider_exports import read_export
from sluicegate.services.reconciliation import Reconciliation, ReconciliationService, Verdict
from sluicegate.storage.usage_reader import SqlUsageReader
from sluicegate.storage.usage_writer import make_usage_writer
from storage.records import NOW, call

ANTHROPIC = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed\n"
    "2026-11-24,claude-x-20260101,key,Default,standard,≤ 200k,100,3,2,40,50,0,global,\n"
    "2026-11-24,claude-x-20260101,other,Default,standard,≤ 200k,100,3,2,40,50,0,global,\n"
)
OPENAI = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,model,input_tokens,output_tokens,"
    "input_cached_tokens\n"
    "1795910400,1795996800,2026-11-29T00:00:00+00:00,2026-11-30T00:00:00+00:00,p,2,GPT-Fast-2026-01-31,290,100,80\n"
    "1795996800,1796083200,2026-11-30T00:00:00+00:00,2026-12-01T00:00:00+00:00,,,,,,\n"
)
COSTS = (
    "start_time,start_time_iso,amount_value,amount_currency,line_item\n"
    '1795910400,2026-11-29T00:00:00+00:00,0.0000015,usd,"gpt-fast, input"\n'
    '1795910400,2026-11-29T00:00:00+00:00,0.0000005,usd,"gpt-fast, output"\n'
)


def test_an_export_of_anthropic_is_read() -> None:
    export = read_export(ANTHROPIC)
    assert export.used == {
        (date(2026, 11, 24), "claude-x-20260101"): {
            "input_tokens": 200,
            "cache_write_5m_tokens": 6,
            "cache_write_1h_tokens": 4,
            "cache_read_tokens": 80,
            "output_tokens": 100,
        }
    }
    assert (export.by_model, export.writes_apart) == (True, True)


def test_an_export_of_openai_is_read() -> None:
    export = read_export("\ufeff" + OPENAI.replace("\n", "\r\n"))
    figures = {"requests": 2, "input_tokens": 210, "cache_read_tokens": 80, "output_tokens": 100}
    assert export.used == {(date(2026, 11, 29), "gpt-fast-2026-01-31"): figures}
    assert (export.by_model, export.writes_apart) == (True, False)


def test_an_export_of_costs_is_read_to_the_nano_dollar() -> None:
    export = read_export(COSTS)
    assert export.used == {(date(2026, 11, 29), None): {"cost_nanos": Decimal(2000)}}
    assert not export.by_model


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column for a day"),
        ("date,model\n2026-11-24,x\n", "no column for any figures, such as num_model_requests"),
        ("date,cost\n2026-11-24,0\n", "no line with a figure above zero"),
        ("date,cost\n24.11.2026,5\n", "line 2, date is '24.11.2026'; it must be a day such as 2026-11-29"),
        ("date,cost\n2026-11-24,five\n", "line 2, cost is 'five', which is no number"),
        ("date,output_tokens\n2026-11-24,1\n2026-11-25,-1\n", "line 3, output_tokens is '-1', which is no number"),
        ("date,cost\n2026-11-24,NaN\n", "line 2, cost is 'NaN', which is no number"),
        ("date,cost,currency\n2026-11-24,5,EUR\n", "line 2, currency is 'EUR'; amounts must be in US dollars"),
        ('date,cost\n2026-11-24,"0,5"\n', "line 2, cost is '0,5', which is no number"),
        ('date,cost\n2026-11-24,"1,23,456"\n', "line 2, cost is '1,23,456', which is no number"),
        ("date;output_tokens\n2026-11-24;1.234\n", "line 2, output_tokens is '1.234', which is no whole number"),
        ("date,output_tokens\n2026-11-24,1e999999\n", "line 2, output_tokens is '1e999999', which is no number"),
        ("date,cost\n9999-12-31T23:59:59-14:00,5\n", "line 2, date is '9999-12-31T23:59:59-14:00'; it must be"),
        ('date,cost\n"2026-11-24,5\n', "is not valid CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_so(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_export(text)
    assert problem in str(caught.value)
    assert caught.value.field == "file"


@pytest.mark.parametrize(
    ("separator", "written", "dollars"),
    [
        (";", "0,5", "0.5"),
        (";", "1.234,50", "1234.5"),
        (";", "1,234.50", "1234.5"),
        (";", "0.5", "0.5"),
        (",", '"1,234.50"', "1234.5"),
        (",", '"$1,234,567"', "1234567"),
        (",", "5E-05", "0.00005"),
    ],
)
@pytest.mark.parametrize("told", ["", "sep={}\r\n", "\ufeffSEP={}\n"])
def test_amounts_are_read_as_spreadsheets_write_them(separator: str, written: str, dollars: str, told: str) -> None:
    export = read_export(f"{told.format(separator)}date{separator}cost\n2026-11-24{separator}{written}\n")
    assert export.used == {(date(2026, 11, 24), None): {"cost_nanos": Decimal(dollars) * 10**9}}


@dataclass
class Books:
    """A ledger with calls to one provider, which another does not see."""

    site: Site
    service: ReconciliationService

    async def write(self, *records: CallRecord) -> None:
        writer = make_usage_writer(self.site.store.engine.url, UTC)
        await asyncio.to_thread(writer.write, records)
        writer.close()

    async def compare(self, text: str, tolerance: str = "0.005") -> Reconciliation:
        return await self.service.compare(read_export(text), "openai", Decimal(tolerance))


def provider(name: str) -> Provider:
    return Provider(name, name, ProviderKind.OPENAI, None, None, None, True, None, None, NOW)


@pytest.fixture
async def books(site: Site) -> Books:
    async with site.store.write() as tx:
        await tx.catalog.add_provider(provider("openai"))
    return Books(site, ReconciliationService(site.store, SqlUsageReader(site.store.engine, UTC)))


def verdicts(found: Reconciliation) -> dict[tuple[str, str | None, str], Verdict]:
    return {(c.day.isoformat(), c.model, c.figure): c.verdict for c in found.comparisons}


async def test_what_agrees_agrees_to_the_token(books: Books) -> None:
    await books.write(*(call(provider_model="claude-x") for _ in range(2)), call(provider_id="other"))
    found = await books.compare(ANTHROPIC)
    assert found.agrees
    assert set(verdicts(found).values()) == {Verdict.EQUAL}
    assert found.totals() == [
        ("input_tokens", 200, 200),
        ("cache_read_tokens", 80, 80),
        ("cache_write_5m_tokens", 6, 6),
        ("cache_write_1h_tokens", 4, 4),
        ("output_tokens", 100, 100),
    ]


async def test_input_includes_what_was_cached_where_the_export_tells_no_writes(books: Books) -> None:
    at = datetime(2026, 11, 29, 23, 59, 59, 999_000, UTC)
    await books.write(*(call(at, cache_read_tokens=40) for _ in range(2)))
    found = await books.compare(OPENAI)
    assert found.agrees
    assert {c.figure: c.ledger for c in found.comparisons} == {
        "requests": 2,
        "input_tokens": 210,
        "cache_read_tokens": 80,
        "output_tokens": 100,
    }


async def test_costs_without_a_model_are_those_of_the_provider_on_each_day(books: Books) -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    await books.write(call(at, provider_model="gpt-fast"), call(at, provider_model="gpt-slow"))
    found = await books.compare(COSTS)
    (line,) = found.comparisons
    assert (line.model, line.provider, line.ledger, line.verdict) == (None, 2000, 2000, Verdict.EQUAL)


async def test_every_way_of_not_agreeing_has_its_name(books: Books) -> None:
    export = (
        "date,model,requests,output_tokens\n"
        "2026-11-24,gpt-fast,2,100\n"
        "2026-11-24,gpt-elsewhere,7,70\n"
        "2026-11-26,gpt-fast,1000,50000\n"
    )
    await books.write(
        *(call(NOW.replace(day=24)) for _ in range(3)),
        call(NOW.replace(day=25), provider_model="gpt-own", estimated=True),
        *(call(NOW.replace(day=26)) for _ in range(999)),
        call(NOW.replace(day=27)),
    )
    found = await books.compare(export)
    assert not found.agrees
    assert (found.first, found.last, found.estimated) == (date(2026, 11, 24), date(2026, 11, 26), 1)
    told = verdicts(found)
    assert told["2026-11-24", "gpt-fast", "requests"] is Verdict.DIFFERENT
    assert told["2026-11-24", "gpt-elsewhere", "output_tokens"] is Verdict.ONLY_PROVIDER
    assert told["2026-11-25", "gpt-own", "requests"] is Verdict.ONLY_LEDGER
    assert told["2026-11-26", "gpt-fast", "requests"] is Verdict.CLOSE
    assert verdicts(await books.compare(export, "0"))["2026-11-26", "gpt-fast", "requests"] is Verdict.DIFFERENT
    (day,) = [c for c in found.comparisons if c.day.day == 24 and c.model == "gpt-fast" and c.figure == "output_tokens"]
    assert day.difference == -50


async def test_the_provider_must_be_known(books: Books) -> None:
    export = read_export(COSTS)
    assert (await books.service.compare(export, None, Decimal(0))).provider.name == "openai"
    with pytest.raises(InvalidInput, match="'acme' is not known; there is 'openai'"):
        await books.service.compare(export, "acme", Decimal(0))
    async with books.site.store.write() as tx:
        await tx.catalog.add_provider(provider("second"))
    with pytest.raises(InvalidInput, match="must be given when there are several; there is 'openai', 'second'"):
        await books.service.compare(export, None, Decimal(0))
