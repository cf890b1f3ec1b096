"""The report on what a provider's own export says beside the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.running import bytes_of, loaded, opened, table_console
from sluicegate.kit.csv_text import csv_lines
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import format_usd
from sluicegate.premises import check_database
from sluicegate.services.provider_exports import COST, Export, read_export
from sluicegate.services.reconciliation import Comparison, Reconciliation, ReconciliationService, Verdict
from sluicegate.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

_NAMES = {"cost_nanos": "cost in USD"}
_HEAD = ("day", "model", "figure", "provider", "ledger", "difference", "verdict")
_AGREES = (Verdict.EQUAL, Verdict.CLOSE)


def add_to(app: typer.Typer) -> None:
    app.command()(reconcile)


def reconcile(
    file: Annotated[Path, typer.Argument(help="The provider's usage or cost export as CSV; - reads what is piped in.")],
    provider: Annotated[str | None, typer.Option(help="Its name here; not needed when there is only one.")] = None,
    tolerance: Annotated[float, typer.Option(min=0, max=100, help="Per cent by which figures may differ.")] = 0.5,
    everything: Annotated[bool, typer.Option("--all", help="Show also the lines that agree.")] = False,
    report: Annotated[Path | None, typer.Option("--csv", help="Write all lines to this file as CSV.")] = None,
) -> None:
    """Compares a provider's export with the ledger, by day and model. Ends with status 1 when they differ."""
    settings = loaded()
    check_database(settings)
    part = Decimal(str(tolerance)) / 100
    found = asyncio.run(_compare(settings, read_export(_text_of(file)), provider, part))
    if report is not None:
        # A difference can be left to the spreadsheet, which would take its sign for a formula's.
        rows = ([*cells[:5], cells[6]] for cells in (_HEAD, *map(_cells, found.comparisons)))
        report.write_text(csv_lines(rows), newline="")
    _show(found, everything=everything)
    if not found.agrees:
        raise typer.Exit(1)


async def _compare(settings: Settings, export: Export, provider: str | None, part: Decimal) -> Reconciliation:
    async with opened(settings) as container:
        service = ReconciliationService(container.store, container.usage_reader)
        return await service.compare(export, provider, part)


def _text_of(file: Path) -> str:
    try:
        data = bytes_of(file)
    except OSError as error:
        raise InvalidInput("file", f"cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("file", "is not UTF-8 text; save it as 'CSV UTF-8'") from None


def _show(found: Reconciliation, *, everything: bool) -> None:
    console = table_console()
    console.print(f"{found.provider.name}, {found.first} to {found.last}, days in UTC")
    shown = [c for c in found.comparisons if everything or c.verdict not in _AGREES]
    if shown:
        console.print(_table(_HEAD, map(_cells, shown)))
    agree = sum(c.verdict in _AGREES for c in found.comparisons)
    console.print(f"{agree} of {len(found.comparisons)} lines agree.")
    totals = [
        (_NAMES.get(figure, figure), _amount(figure, theirs), _amount(figure, ours), _amount(figure, theirs - ours))
        for figure, theirs, ours in found.totals()
    ]
    console.print(_table(("total", "provider", "ledger", "difference"), totals))
    if found.estimated:
        console.print(f"{found.estimated} calls of these days are estimated: the provider reported no usage for them.")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    from rich.table import Table

    table = Table()
    for name in head:
        table.add_column(name, justify="right" if name in ("provider", "ledger", "difference") else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _cells(line: Comparison) -> tuple[str, ...]:
    figure = line.figure
    amounts = (_amount(figure, value) for value in (line.provider, line.ledger, line.difference))
    return (line.day.isoformat(), line.model or "", _NAMES.get(figure, figure), *amounts, line.verdict.value)


def _amount(figure: str, value: Decimal | int) -> str:
    return format_usd(round(value)) if figure == COST else f"{Decimal(value):f}"
