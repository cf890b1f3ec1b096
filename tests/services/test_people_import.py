"""People from a CSV file: the preview tells exactly what the import then does, and an export changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.identity import SITE_URL, Site
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.csv_text import csv_lines, csv_rows
from sluicegate.kit.errors import InvalidInput, StaleVersion
from sluicegate.ports.mail import Mailer
from sluicegate.ports.pages import AuditFilter, PageRequest, UserFilter
from sluicegate.services.caller import Caller
from sluicegate.services.groups import GroupService
from sluicegate.services.people_file import read_people
from sluicegate.services.people_import import FieldChange, ImportResult, LineAction, PeopleImport
from sluicegate.services.users import UserService
from sluicegate.web.exports import _users_csv

FILE = "email;Name;ROLE;groups\r\nzoe@example.com;Zoë;member;Platform\r\nbob@example.com;Bobby;;Platform\r\n"


@pytest.fixture
async def admin(site: Site) -> Caller:
    caller = await site.person("root@example.com", Role.ADMIN)
    groups = GroupService(site.store, site.clock)
    for name in ("Platform", "R&D; Berlin", "=cmd", "'-x"):
        await groups.create(caller, name)
    await site.person("bob@example.com")
    return caller


def importer(site: Site, mailer: Mailer | None = None) -> PeopleImport:
    return PeopleImport(site.store, site.invitations(mailer), site.mail(mailer))


async def counts(site: Site) -> tuple[int, int, int]:
    async with site.store.read() as tx:
        return await tx.users.count(UserFilter()), await tx.audit.count(AuditFilter()), len(site.feed.published)


def told(result: ImportResult) -> list[Any]:
    return [(line.number, line.email, line.action, line.changes) for line in result.lines]


async def test_the_preview_writes_nothing_and_the_import_does_what_it_said(site: Site, admin: Caller) -> None:
    before = await counts(site)
    preview = await importer(site).run(admin, "\ufeff" + FILE, trial=True)
    assert await counts(site) == before
    expected = [
        (
            2,
            "zoe@example.com",
            LineAction.INVITED,
            (FieldChange("name", "", "Zoë"), FieldChange("role", "", "member"), FieldChange("groups", "", "Platform")),
        ),
        (
            3,
            "bob@example.com",
            LineAction.UPDATED,
            (FieldChange("name", "Bob", "Bobby"), FieldChange("groups", "", "Platform")),
        ),
    ]
    assert told(preview) == expected
    assert [line.url for line in preview.lines] == [None, None]
    done = await importer(site).run(admin, FILE, trial=False, expected_plan=preview.plan)
    assert told(done) == expected
    assert (done.lines[0].url or "").startswith(f"{SITE_URL}/welcome/")
    async with site.store.read() as tx:
        page = await tx.audit.page(AuditFilter(), PageRequest(3))
        zoe = await tx.users.by_email("zoe@example.com")
    assert [event.action for event, _ in page.items] == ["group.add_members", "user.update", "user.invite"]
    assert (zoe.name, zoe.status) == ("Zoë", UserStatus.INVITED) if zoe else pytest.fail("nobody was invited")
    with pytest.raises(StaleVersion):
        await importer(site).run(admin, FILE, trial=False, expected_plan=preview.plan)
    again = await importer(site).run(admin, FILE, trial=False)
    assert {line.action for line in again.lines} == {LineAction.UNCHANGED}


async def test_a_line_at_fault_is_told_by_its_number_and_keeps_none_back(site: Site, admin: Caller) -> None:
    text = (
        "email,name,role,groups\n"
        "a@example.com,A,member,\n"
        "\n"
        "b@example.com,B,king,\n"
        'c@example.com,"C\nD",member,\n'
        "d@example.com,D,member,Nowhere\n"
        "A@example.com,A,member,\n"
        "root@example.com,Root,member,\n"
        "e@example.com,E,member,Platform,more\n"
        "f@example.com,\ufffd,member,\n"
        "g@example.com\n"
    )
    result = await importer(site).run(admin, text, trial=False)
    assert [(line.number, line.action, line.error.field if line.error else None) for line in result.lines] == [
        (2, LineAction.INVITED, None),
        (4, LineAction.REFUSED, "role"),
        (5, LineAction.REFUSED, "name"),
        (7, LineAction.REFUSED, "groups"),
        (8, LineAction.REFUSED, "email"),
        (9, LineAction.REFUSED, "role"),
        (10, LineAction.REFUSED, "csv"),
        (11, LineAction.REFUSED, "csv"),
        (12, LineAction.INVITED, None),
    ]


async def test_a_narrow_token_makes_nobody_an_administrator(site: Site, admin: Caller) -> None:
    token = Caller(admin.user, admin.actor, frozenset({TokenScope.USERS}))
    text = "email,role\nz@example.com,admin\nbob@example.com,admin\nroot@example.com,admin\n"
    result = await importer(site).run(token, text, trial=False)
    assert [line.error.code if line.error else line.action for line in result.lines] == [
        "forbidden",
        "forbidden",
        LineAction.UNCHANGED,
    ]


async def test_what_the_export_gives_changes_nothing_when_it_is_imported(site: Site, admin: Caller) -> None:
    async with site.store.write() as tx:
        everybody = [user for user, _ in (await tx.users.page(UserFilter(), "name_asc", PageRequest(100))).items]
        bob = next(user for user in everybody if user.email == "bob@example.com")
        await tx.users.update(bob.id, name="=1+1")
        for name in ("Platform", "R&D; Berlin", "=cmd", "'-x"):
            group = await tx.groups.by_name(name)
            assert group is not None
            await tx.groups.add_members(group.id, [bob.id])
        await tx.users.add(User("i", "-x@example.com", "", Role.ADMIN, UserStatus.INVITED, site.clock.now()))
    batches = UserService(site.store).export(admin, UserFilter(), "name_asc")
    text = "".join([part async for part in _users_csv(batches)])
    for written in (text, "\ufeff" + text, _with_semicolons(text)):
        before = await counts(site)
        result = await importer(site).run(admin, written, trial=False)
        assert {(line.action, line.changes, line.error) for line in result.lines} == {(LineAction.UNCHANGED, (), None)}
        assert len(result.lines) == 3
        assert await counts(site) == before


def _with_semicolons(text: str) -> str:
    """As a spreadsheet in Europe saves it."""
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(csv.reader(io.StringIO(text, newline="")))
    return out.getvalue()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("told", ["", "sep=,"])
def test_the_first_line_tells_what_separates_cells_whatever_ends_it(told: str, end: str) -> None:
    lines = [told, "email,groups", "a@example.com,Platform;Berlin;Legal;Sales"]
    (line,) = read_people(end.join(line for line in lines if line))
    assert (line.email, line.groups) == ("a@example.com", "Platform;Berlin;Legal;Sales")


cells = st.text(st.sampled_from("=+-@'\",;a \u00e9"), max_size=6)


@given(rows=st.lists(st.lists(cells, min_size=2, max_size=4), max_size=6))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_cells_come_back_as_they_were_and_none_is_a_formula(rows: Sequence[Sequence[str]]) -> None:
    text = csv_lines([["email", "name"], *rows])
    assert [cells for _, cells in csv_rows(text)][1:] == [list(row) for row in rows if any(c.strip() for c in row)]
    raw = list(csv.reader(io.StringIO(text, newline="")))
    assert not [cell for row in raw for cell in row if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("email", "no line below"),
        ("e-mail;name;Name\na@b.c;x;y", "two columns"),
        ("name\nx", "must have a column 'email'"),
        ("email,colour\na@example.com,red", "has a column 'colour'"),
        ("email\n" + "a\n" * 501, "501 people"),
        # As a browser gives them that reads UTF-16, and Windows-1252, as UTF-8.
        ("email;name\na@example.com;A".encode("utf-16").decode(errors="replace"), "save the file as 'CSV UTF-8'"),
        ("email;größe\na@example.com;A".encode("cp1252").decode(errors="replace"), "save the file as 'CSV UTF-8'"),
    ],
)
def test_what_is_no_such_file_is_refused_whole(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read_people(text)
