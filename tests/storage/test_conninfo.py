"""Who connects without the pool is told the same as the pool."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from sluicegate.storage.conninfo import conninfo


def test_names_and_passwords_may_hold_anything() -> None:
    url = "postgresql://a%40b:two%20words%2B%27%5C%25@db.example:5433/my%20data?options=-c%20jit%3Doff&sslmode=disable"
    assert conninfo_to_dict(conninfo(make_url(url))) == {
        "user": "a@b",
        "password": "two words+'\\%",
        "host": "db.example",
        "port": "5433",
        "dbname": "my data",
        "options": "-c jit=off",
        "sslmode": "disable",
    }


def test_several_hosts_stay_several() -> None:
    given = conninfo_to_dict(conninfo(make_url("postgresql:///name?host=one:1&host=two:2")))
    assert (given["host"], given["port"]) == ("one,two", "1,2")


def test_the_driver_gets_what_was_written(fresh_postgres_url: str) -> None:
    url = make_url(fresh_postgres_url).update_query_dict({"application_name": "two words"})
    with psycopg.connect(conninfo(url)) as connection:
        assert connection.execute("SHOW application_name").fetchone() == ("two words",)
