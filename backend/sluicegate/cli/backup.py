"""A backup of the database as one file, and a database from such a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sluicegate.cli.running import loaded
from sluicegate.premises import restore_backup, write_backup

_PIPE = Path("-")


def add_to(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="Where the backup goes; must not exist yet. - writes to a pipe.")],
) -> None:
    """Writes the whole database to one file, while servers run. The key that opens provider credentials is not in it:
    keep a copy of that apart."""
    settings = loaded()
    if file == _PIPE:
        done = write_backup(settings, sys.stdout.buffer)
    else:
        if file.exists():
            raise FileExistsError(f"{file} exists already. Name another file.")
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
                done = write_backup(settings, out)
                out.flush()
                os.fsync(out.fileno())
            _name(draft, file)
        finally:
            draft.unlink(missing_ok=True)
    typer.echo(
        f"{done.total:,} rows of {len(done.rows)} tables. Key {done.head.key_id} opens what is sealed.", err=True
    )


def _name(draft: Path, file: Path) -> None:
    """Gives it the name of a file that is not there; raises FileExistsError for one that came to be there meanwhile."""
    try:
        os.link(draft, file)
    except FileExistsError:
        raise
    except OSError:
        # Shares and sticks mostly know no links: there the name is taken before what shall have it comes.
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        draft.replace(file)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup; - reads what is piped in.")],
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Also when no key at hand opens the backup's secrets.")
    ] = False,
) -> None:
    """Fills an empty database from a backup, of SQLite or PostgreSQL alike, and brings it to this release's schema. A
    database with anything in it is left as it is."""
    settings = loaded()
    if file == _PIPE:
        done = restore_backup(settings, sys.stdin.buffer, without_key=without_key)
    else:
        with file.open("rb") as source:
            done = restore_backup(settings, source, without_key=without_key)
    made = done.head.made_at.strftime("%Y-%m-%d %H:%M UTC")
    typer.echo(
        f"{done.total:,} rows of {len(done.rows)} tables, as they were at {made} in release {done.head.release}."
    )
