"""The CSV file that people are imported from: what its lines say, before anybody looks who there is."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

from sluicegate.domain.user import Role, parse_email, parse_name
from sluicegate.kit.csv_text import csv_rows
from sluicegate.kit.errors import AppError, InvalidInput

MAX_LINES = 500
MAX_LENGTH = 500_000
_COLUMNS = ("email", "name", "role", "groups")
# The export's other columns may stay in the file; they can't be imported.
_PASSED_OVER = ("status", "created_at", "last_active_at")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """`number` counts the file's lines from 1. None is a cell that is empty or a column that is missing."""

    number: int
    email: str
    name: str | None = None
    role: Role | None = None
    groups: str | None = None
    error: AppError | None = None


def read_people(text: str, field: str = "csv") -> list[PersonLine]:
    """Raises InvalidInput for what is no such file; what is wrong with one line stands with that line."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(field, f"must have at most {MAX_LENGTH} characters; import it in parts")
    try:
        rows = list(csv_rows(text))
    except csv.Error as error:
        raise InvalidInput(field, f"is not CSV: {error}") from None
    if not rows:
        raise InvalidInput(field, "is empty; its first line must name the columns, like email,name,role,groups")
    columns = _columns(rows[0][1], field)
    if len(rows) == 1:
        raise InvalidInput(field, "has no line below its headings")
    if len(rows) > MAX_LINES + 1:
        raise InvalidInput(field, f"has {len(rows) - 1} people; import at most {MAX_LINES} at once")
    lines: list[PersonLine] = []
    seen: dict[str, int] = {}
    for number, cells in rows[1:]:
        line = _line(number, dict(zip(columns, cells, strict=False)), len(cells) > len(columns))
        if line.error is None and line.email in seen:
            error = InvalidInput("email", f"stands on line {seen[line.email]} already")
            line = PersonLine(number, line.email, error=error)
        seen.setdefault(line.email, number)
        lines.append(line)
    return lines


def _require_utf8(cells: Iterable[str], field: str) -> None:
    """What was read as UTF-8 and is none shows up as the one character that stands for such, or as NUL."""
    if any("\ufffd" in cell or "\0" in cell for cell in cells):
        raise InvalidInput(field, "has characters that are not UTF-8; save the file as 'CSV UTF-8'")


def _columns(headings: list[str], field: str) -> list[str]:
    _require_utf8(headings, field)
    columns = [heading.strip().lower().replace("e-mail", "email") for heading in headings]
    for column in columns:
        if column not in (*_COLUMNS, *_PASSED_OVER):
            raise InvalidInput(field, f"has a column {column[:40]!r}; there are {', '.join(_COLUMNS)}")
        if columns.count(column) > 1:
            raise InvalidInput(field, f"has two columns {column!r}")
    if "email" not in columns:
        raise InvalidInput(field, "must have a column 'email' in its first line")
    return columns


def _line(number: int, cells: dict[str, str], too_many: bool) -> PersonLine:
    given = {column: value.strip() for column, value in cells.items() if value.strip()}
    email = given.get("email", "")
    try:
        if too_many:
            raise InvalidInput("csv", "has more cells than there are columns; put quotes around a cell with a comma")
        _require_utf8(given.values(), "csv")
        if not email:
            raise InvalidInput("email", "must not be empty")
        email = parse_email(email)
        name = parse_name(given["name"]) if "name" in given else None
        return PersonLine(number, email, name, _role(given.get("role")), given.get("groups"))
    except AppError as error:
        return PersonLine(number, email[:254], error=error)


def _role(text: str | None) -> Role | None:
    if text is None:
        return None
    try:
        return Role(text.lower())
    except ValueError:
        raise InvalidInput("role", f"{text[:40]!r} is no role; write admin or member") from None
