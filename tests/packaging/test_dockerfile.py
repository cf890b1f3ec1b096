"""The Dockerfile names what the project has: no engine runs here, so each of its lines is held against the sources."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from sluicegate.cli.server import GRACE_SECONDS
from sluicegate.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
LINES = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text()).splitlines()
INSTRUCTIONS = [line.split(" ", 1) for line in LINES if line.strip() and not line.startswith("#")]
# What a build makes, and no clone has.
BUILT = {"backend/sluicegate/console/dist"}


def values(name: str) -> list[str]:
    return [value for instruction, value in INSTRUCTIONS if instruction == name]


def environment() -> dict[str, str]:
    return dict(part.split("=", 1) for value in values("ENV") for part in shlex.split(value))


def test_everything_that_is_copied_is_there() -> None:
    sources = [source for value in values("COPY") if "--from" not in value for source in value.split()[:-1]]
    assert {"pyproject.toml", "requirements.lock", "package-lock.json", "backend", "frontend"} <= set(sources)
    assert [source for source in sources if not (ROOT / source).exists()] == []
    kept_out = ROOT / ".dockerignore"
    assert not kept_out.exists() or not set(sources) & {line.strip("/") for line in kept_out.read_text().split()}


def test_what_one_stage_takes_from_another_is_made_there() -> None:
    stages = {value.split(" AS ")[1] for value in values("FROM") if " AS " in value}
    taken = [re.fullmatch(r"--from=(\w+) (\S+) (\S+)", value) for value in values("COPY") if "--from" in value]
    assert [match[1] for match in taken if match] == ["console", "wheel"]
    assert stages == {"console", "wheel"}
    assert all(match and (match[2].removeprefix("/src/") in BUILT or "/opt/sluicegate" in match[2]) for match in taken)


def test_the_base_images_are_releases_that_the_project_supports() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    least = tuple(map(int, re.findall(r"\d+", project["requires-python"])[:2]))
    pythons = [re.match(r"python:(\d+)\.(\d+)-slim", value) for value in values("FROM") if value.startswith("python")]
    assert len(pythons) == 2
    assert len({match.groups() for match in pythons if match}) == 1
    assert all(match and (int(match[1]), int(match[2])) >= least for match in pythons)
    (node,) = [re.match(r"node:(\d+)-", value) for value in values("FROM") if value.startswith("node")]
    engines = json.loads((ROOT / "package.json").read_text())["engines"]["node"]
    assert node is not None
    assert int(node[1]) > int(re.findall(r"\d+", engines)[0])


def test_nothing_but_the_base_images_comes_from_a_registry() -> None:
    """A syntax of its own would be one more image, which those who mirror what `FROM` names do not have."""
    assert [line for line in LINES if line.startswith("# syntax")] == []


def test_it_runs_as_nobody_in_particular_and_owns_its_folder() -> None:
    """Its user stands in numbers: of a name Kubernetes does not know that it is not root."""
    (user,) = values("USER")
    last_stage = max(index for index, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
    number = re.fullmatch(r"([1-9]\d+):\1", user)
    assert number is not None
    assert INSTRUCTIONS.index(["USER", user]) > last_stage
    made = " ".join(value for name, value in INSTRUCTIONS[last_stage:] if name == "RUN")
    assert re.search(
        rf"groupadd --gid {number[1]} (\w+) .*useradd --uid {number[1]} --gid \1 .*--owner \1 --group \1 ", made
    )
    assert values("VOLUME") == values("WORKDIR")[-1:] == [environment()["SLUICEGATE_DATA_DIR"]]


def test_all_of_python_is_compiled_in_it() -> None:
    """The user could keep nothing that is compiled at a start, and each look at the health starts an interpreter."""
    ours, its_own = values("RUN")[-2:]
    assert ours.count("uv pip install --compile-bytecode ") == 2
    assert re.search(r"python -m compileall -q .* /usr/local/lib/python3\.11$", its_own)
    assert values("FROM")[-1].startswith("python:3.11-")


def test_its_settings_exist_and_its_port_is_the_usual_one() -> None:
    given = {name.removeprefix(PREFIX).lower() for name in environment() if name.startswith(PREFIX)}
    assert given <= set(Settings.declared())
    assert values("EXPOSE") == [environment()["SLUICEGATE_PORT"]] == [str(Settings().port)]
    assert environment()["SLUICEGATE_HOST"] == "0.0.0.0"


def test_the_command_and_the_health_check_can_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        scripts = tomllib.load(file)["project"]["scripts"]
    (entry,), (command,), (check,) = (values(name) for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK"))
    assert json.loads(entry) == ["sluicegate"]
    assert "sluicegate" in scripts
    assert json.loads(command) == ["serve"]
    program = json.loads(check.partition("CMD ")[2])
    assert program[:2] == ["python", "-c"]
    asked: list[str] = []
    monkeypatch.setenv("SLUICEGATE_PORT", "8080")
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: asked.append(url))
    exec(compile(program[2], "HEALTHCHECK", "exec"), {})
    assert asked == ["http://127.0.0.1:8080/healthz"]
    assert values("STOPSIGNAL") == ["SIGTERM"]


def test_the_manual_gives_calls_in_flight_the_time_that_the_server_gives_them() -> None:
    """Of Docker alone they get ten seconds, and then the server is killed."""
    manual = (ROOT / "docs/operations.md").read_text()
    (told,) = re.findall(r"`docker run (.*) sluicegate`", manual)
    (seconds,) = re.findall(r"--stop-timeout (\d+) ", told)
    assert int(seconds) >= GRACE_SECONDS + 10
    (port,), (folder,) = values("EXPOSE"), values("VOLUME")
    assert f"-p {port}:{port}" in told
    assert told.endswith(f":{folder}")


def test_versions_come_from_the_lock_alone() -> None:
    steps = " ".join(values("RUN"))
    installs = re.findall(r"pip install (.*?)(?= && |$| RUN)", steps)
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    assert "npm ci" in steps
    assert "npm install" not in steps
    # What a setting may need is there.
    assert "--extra otel" in steps
