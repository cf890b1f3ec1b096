"""The price catalogue: looking at it, and putting a newer one in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sluicegate.cli.running import table_console
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.price_catalog import CatalogEntry
from sluicegate.domain.price_list import PriceClass
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import format_usd
from sluicegate.premises import catalog_file, fetched, make_data_dir
from sluicegate.settings import load as load_settings

prices_app = typer.Typer(no_args_is_help=True, help="The price catalogue that models are imported from.")
KindOption = Annotated[ProviderKind | None, typer.Option(help="Only models of this kind of provider.")]
SearchOption = Annotated[str | None, typer.Option(help="Only models with this in their name.")]
SourceArgument = Annotated[str, typer.Argument(help="A file, or an address that begins with https://.")]


@prices_app.command("list")
def list_prices(kind: KindOption = None, search: SearchOption = None) -> None:
    """Shows the catalogue in use, in US dollars per million tokens."""
    catalog = catalog_file(load_settings()).load()
    wanted = (search or "").lower()
    shown = [e for e in catalog.entries if kind in (None, e.kind) and wanted in e.model.lower()]
    from rich.table import Table

    table = Table(box=None)
    for name in ("Provider", "Model", "Input", "Cache read", "Write 5 min", "Write 1 h", "Output", "As of"):
        table.add_column(name, no_wrap=True)
    for entry in sorted(shown, key=lambda e: (e.kind, e.model)):
        table.add_row(entry.kind.value, entry.model, *_cells(entry), entry.as_of.isoformat())
    console = table_console()
    console.print(table)
    whose = "refreshed" if catalog.refreshed else "shipped with this release"
    console.print(f"{len(shown)} models of the catalogue of {catalog.published.isoformat()}, {whose}.")


def _cells(entry: CatalogEntry) -> list[str]:
    cells: list[str] = []
    for name in PriceClass:
        price = getattr(entry.prices, name)
        tiers = [(tier.above, getattr(tier.prices, name)) for tier in entry.prices.long_context]
        lines = [f">{above // 1000}k: {format_usd(value)}" for above, value in tiers if value is not None]
        cells.append("\n".join(["" if price is None else format_usd(price), *lines]))
    return cells


@prices_app.command()
def refresh(source: SourceArgument) -> None:
    """Puts another catalogue in the place of the one in use, after checking all of it. Prices of models that were added
    stay as they are; their page tells where the catalogue differs."""
    settings = load_settings()
    make_data_dir(settings)
    if source.startswith(("https://", "http://")):
        data = fetched(source)
    else:
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise InvalidInput("source", f"cannot be read: {error.strerror or error}") from None
    catalog = catalog_file(settings).replace(data)
    typer.echo(f"The catalogue of {catalog.published.isoformat()} with {len(catalog.entries)} models is in use.")
    if not catalog_file(settings).load().refreshed:
        typer.echo("The one that came with this release is newer, and goes before it.")
