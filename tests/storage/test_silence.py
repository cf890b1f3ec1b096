"""A host of PostgreSQL that is gone without a word is noticed within seconds by everybody who is connected to it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from sqlalchemy.engine import make_url

from databases import PostgresTemplate
from sluicegate.container import Container
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.settings import load
from sluicegate.storage.engine import database_url
from sluicegate.storage.session_lock import SessionLock
from sockets import KEEPALIVE, USER_TIMEOUT, options_of_those_to
from storage.records import call

_LIMIT_MS = 10_000


async def test_every_connection_of_a_server_notices(
    tmp_path: Path, postgres_schema: PostgresTemplate, redis_url: str
) -> None:
    url = postgres_schema.restored()
    port = make_url(url).port or 5432
    before = options_of_those_to(port)
    values = {"data_dir": tmp_path, "database_url": url, "redis_url": redis_url, "redis_prefix": f"test-{uuid4().hex}"}
    container = Container(load({}, **values), "http://127.0.0.1")
    await container.start()
    container.usage_writer.write([call()])
    container.usage_writer.recent(Subject(SubjectKind.USER, "ada"), 0)
    async with container.store.read() as one, container.store.read() as other:
        await one.jobs.all()
        await other.jobs.all()
        with SessionLock(url, True).kept():
            known = options_of_those_to(port, KEEPALIVE, USER_TIMEOUT)
    made = {local: told for local, told in known.items() if local not in before}
    await container.stop()
    # Two of the pool, both of the writer, both of the feed, and the lock.
    assert len(made) >= 7
    assert set(made.values()) == {(1, _LIMIT_MS)}


def test_what_the_url_itself_says_holds() -> None:
    url = database_url("postgresql://ada@db/gate?tcp_user_timeout=60000")
    assert url.query["tcp_user_timeout"] == "60000"
    assert url.query["keepalives_idle"] == "5"
    assert not database_url("sqlite:////data/sluicegate.db").query
