"""The wheel carries all that an installed gateway needs: no Node, no checkout."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "backend/sluicegate"
# What an sdist holds; without a built console, as after a fresh clone.
SOURCES = (
    "backend",
    "frontend",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "schema.graphql",
    "README.md",
    "LICENSE",
)
MAIN = "from sluicegate.cli import main; main()"


def build(root: Path, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    return subprocess.run(command, cwd=root, env=os.environ | env, check=False, capture_output=True, text=True)


def only_wheel(folder: Path) -> Path:
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return only_wheel(folder)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel; what it depends on is that of this environment."""
    target = tmp_path_factory.mktemp("installed") / "site"
    uv = Path(sys.executable).with_name("uv")
    install = [str(uv), "pip", "install", "--quiet", "--no-deps", "--offline", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return target


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A clone that nobody has built anything in, with the packages of the lock installed."""
    root = tmp_path / "clone"
    root.mkdir()
    ignored = shutil.ignore_patterns("dist", "gql", "routeTree.gen.ts", "__pycache__")
    for name in (*SOURCES, "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            shutil.copy2(source, root / name)
    (root / "node_modules").symlink_to(ROOT / "node_modules")
    return root


def assert_has_console(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "sluicegate/console/dist/index.html" in names
    assert any(name.startswith("sluicegate/console/dist/assets/") and name.endswith(".js") for name in names)


def test_it_carries_the_price_catalogue(wheel: Path) -> None:
    assert "sluicegate/catalogue/prices.json" in zipfile.ZipFile(wheel).namelist()


def test_everything_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        f"sluicegate/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - names == set()
    assert_has_console(wheel)


def test_an_installed_wheel_has_the_command(installed: Path, tmp_path: Path) -> None:
    run = f"import sluicegate; print(sluicegate.__file__); {MAIN}"
    command = [sys.executable, "-c", run, "--help"]
    env = {"PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(str(installed))


def test_an_installed_wheel_serves_the_console_where_there_is_no_node(installed: Path, tmp_path: Path) -> None:
    with serving(installed, tmp_path) as url, httpx.Client(base_url=url) as http:
        page = http.get("/admin/users", headers={"accept": "text/html"})
        assert page.status_code == 200
        scripts = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
        assert scripts
        for script in scripts:
            assert http.get(script).status_code == 200
        assert http.get("/healthz").json() == {"status": "ok"}
        asked = http.post("/graphql", json={"query": "{ viewer { isAdmin } }"})
        assert asked.json()["errors"][0]["extensions"]["code"] == "unauthenticated"


def test_a_clone_builds_its_console_into_the_wheel_and_again_when_a_source_has_changed(
    sources: Path, tmp_path: Path
) -> None:
    built = build(sources, tmp_path / "first")
    assert built.returncode == 0, built.stderr
    assert_has_console(only_wheel(tmp_path / "first"))

    index = sources / "backend/sluicegate/console/dist/index.html"
    as_built = index.stat().st_mtime_ns
    assert build(sources, tmp_path / "second").returncode == 0
    assert index.stat().st_mtime_ns == as_built

    page = sources / "frontend/index.html"
    page.write_text(page.read_text().replace("<title>", "<title>Changed "))
    assert build(sources, tmp_path / "third").returncode == 0
    assert "<title>Changed " in index.read_text()


def test_a_console_that_cannot_be_built_fails_the_wheel_with_the_way_out(sources: Path, tmp_path: Path) -> None:
    done = build(sources, tmp_path / "wheels", PATH=str(tmp_path / "nothing"))
    assert done.returncode != 0
    assert "needs Node.js 20.19 or newer" in done.stdout + done.stderr
    assert not list((tmp_path / "wheels").glob("*.whl"))


@contextmanager
def serving(installed: Path, folder: Path) -> Iterator[str]:
    """`sluicegate serve` with nothing but Python on its path."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", "--port", str(port)],
            cwd=folder,
            env={"PYTHONPATH": str(installed), "PATH": str(folder), "SLUICEGATE_DATA_DIR": str(folder / "data")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while not answers(url):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False
