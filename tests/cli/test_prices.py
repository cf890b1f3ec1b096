"""`sluicegate prices`: looking at the catalogue, and refreshing it from a file or an address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.program import run

NEWER = json.dumps(
    {
        "format": 1,
        "published": "2099-01-01",
        "models": [
            {
                "provider": "openai",
                "model": "gpt-next",
                "source": "https://example.com/prices",
                "as_of": "2098-12-31",
                "prices": {"input": "1.5", "output": "9", "long_context": [{"above": 200000, "input": "3"}]},
            }
        ],
    }
).encode()


@pytest.fixture
def page() -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = {"/prices.json": (200, NEWER), "/moved": (302, b""), "/big": (200, b" " * 9_000_000)}
            status, body = found.get(self.path, (404, b"no such page"))
            self.send_response(status)
            self.send_header("location", "/prices.json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_shipped_catalogue_is_listed_offline(tmp_path: Path) -> None:
    done = run("prices", "list", "--kind", "anthropic", "--search", "OPUS", DATA_DIR=str(tmp_path / "data"))
    assert (done.status, done.errors) == (0, "")
    assert "claude-opus-4-8" in done.out
    assert "gpt" not in done.out
    assert "shipped with this release" in done.out
    assert not (tmp_path / "data").exists()


def test_it_is_refreshed_from_a_file(tmp_path: Path) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "new.json"
    file.write_bytes(NEWER)
    done = run("prices", "refresh", str(file), DATA_DIR=data)
    assert (done.status, done.out) == (0, "The catalogue of 2099-01-01 with 1 models is in use.\n")
    listed = run("prices", "list", DATA_DIR=data)
    assert "gpt-next" in listed.out
    assert "1 models of the catalogue of 2099-01-01, refreshed." in listed.out
    assert ">200k: 3" in listed.out


def test_it_is_refreshed_from_an_address(tmp_path: Path, page: str) -> None:
    data = str(tmp_path / "data")
    assert run("prices", "refresh", f"{page}/prices.json", DATA_DIR=data).status == 0
    assert "gpt-next" in run("prices", "list", DATA_DIR=data).out


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/none", "source: answered with status 404"),
        ("/moved", "source: answered with status 302"),
        ("/big", "source: sends more than 8 MB"),
    ],
)
def test_what_an_address_does_not_give_is_told(tmp_path: Path, page: str, path: str, sentence: str) -> None:
    done = run("prices", "refresh", page + path, DATA_DIR=str(tmp_path / "data"))
    assert (done.status, done.out, done.errors) == (2, "", sentence + "\n")


def test_a_faulty_catalogue_changes_nothing(tmp_path: Path) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "new.json"
    file.write_bytes(NEWER.replace(b'"9"', b'"nine"'))
    done = run("prices", "refresh", str(file), DATA_DIR=data)
    assert (done.status, done.out) == (2, "")
    assert done.errors.startswith("catalogue.models.0.prices.output: ")
    assert run("prices", "refresh", str(tmp_path / "none"), DATA_DIR=data).errors.startswith("source: cannot be read")
    assert "shipped with this release" in run("prices", "list", DATA_DIR=data).out
