"""The compose file is one, and starts what the image and the settings really are."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from deployment.files import COMPOSE, ROOT, accepted, dockerfile, documents, image_environment, user_id
from deployment.programs import program
from sluicegate.cli.commands import app
from sluicegate.cli.server import GRACE_SECONDS
from sluicegate.settings import PREFIX

FILE = COMPOSE / "compose.yaml"
GATEWAYS = ("gateway-1", "gateway-2")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def example() -> dict[str, str]:
    lines = (COMPOSE / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled_in(value: Any, given: dict[str, str]) -> Any:
    """With variables replaced as compose does it; fails for one that is needed and not given."""
    if isinstance(value, dict):
        return {key: filled_in(inner, given) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled_in(inner, given) for inner in value]
    return _VARIABLE.sub(lambda m: given.get(m[1]) or _default(m), value) if isinstance(value, str) else value


def _default(variable: re.Match[str]) -> str:
    assert variable[2] == "-", f"{variable[1]} is not in .env.example"
    return variable[3]


@pytest.fixture(scope="module")
def compose() -> Any:
    (document,) = documents(FILE)
    return filled_in(document, example())


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the script makes them."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run(["sh", COMPOSE / "secrets.sh", folder], check=True, capture_output=True)
    return folder


def seconds(duration: str) -> int:
    assert duration.endswith("s")
    return int(duration.removesuffix("s"))


def test_it_is_what_the_specification_of_compose_allows() -> None:
    schema = json.loads(files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text())
    validator = jsonschema_rs.validator_for(schema)
    (document,) = documents(FILE)
    assert [f"{list(e.instance_path)}: {e.message}" for e in validator.iter_errors(document)] == []
    document["services"]["redis"]["comand"] = []
    assert not validator.is_valid(document)


def test_every_service_network_volume_and_secret_that_is_named_exists(compose: Any) -> None:
    services = compose["services"]
    named: dict[str, set[str]] = {"services": set(), "networks": set(), "volumes": set(), "secrets": set()}
    for service in services.values():
        named["services"] |= set(service.get("depends_on", ()))
        named["networks"] |= set(service["networks"])
        named["volumes"] |= {volume.split(":")[0] for volume in service.get("volumes", ()) if volume[0] != "."}
        named["secrets"] |= set(service.get("secrets", ()))
    assert named["services"] <= set(services)
    for kind in ("networks", "volumes", "secrets"):
        assert named[kind] == set(compose[kind]), kind


def test_no_service_has_more_than_it_needs(compose: Any) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    # Whoever has no user here has one of its image's own.
    services = compose["services"]
    assert {name for name, one in services.items() if "user" not in one} == {"migrate", "caddy", *GATEWAYS}
    assert dockerfile("USER") not in ([], ["root"])
    assert "USER proxy" in services["caddy"]["build"]["dockerfile_inline"]
    assert {name for name, service in services.items() if "ports" in service} == {"caddy"}
    assert compose["networks"]["back"] == {"internal": True}
    assert {name for name, one in services.items() if "front" in one["networks"]} == {"migrate", "caddy", *GATEWAYS}
    assert services["caddy"]["networks"] == ["front"]


def test_servers_take_its_settings_with_the_secrets_that_the_script_makes(compose: Any, secrets: Path) -> None:
    made = {path.name for path in secrets.iterdir()}
    assert {Path(secret["file"]).name for secret in compose["secrets"].values()} == made
    assert all(secret["file"] == f"./secrets/{name}" for name, secret in compose["secrets"].items())
    for name in ("migrate", *GATEWAYS):
        service = compose["services"][name]
        paths = {v for k, v in service["environment"].items() if k.startswith(PREFIX) and k.endswith("_FILE")}
        assert paths == {f"/run/secrets/{secret}" for secret in service["secrets"]}
        settings = accepted(service["environment"], secrets)
        assert settings.public_url == "https://ai.example.com"
        assert settings.redis_url == "redis://redis:6379/0"
        password = (secrets / "postgres-password").read_text().strip()
        assert settings.database == f"postgresql://sluicegate:{password}@postgres:5432/sluicegate"
    database = compose["services"]["postgres"]["environment"]
    assert database["POSTGRES_USER"] == database["POSTGRES_DB"] == "sluicegate"


def test_the_script_makes_secrets_once_and_for_nobody_else(secrets: Path) -> None:
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert len(set(before.values())) == len(before)
    subprocess.run(["sh", COMPOSE / "secrets.sh", secrets], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o444}
    assert os.access(COMPOSE / "secrets.sh", os.X_OK)
    assert "deploy/compose/secrets/" in (ROOT / ".gitignore").read_text().split()


def test_gateways_keep_their_journals_and_wait_for_what_they_need(compose: Any) -> None:
    services, data = compose["services"], image_environment()["SLUICEGATE_DATA_DIR"]
    volumes = [services[name]["volumes"] for name in GATEWAYS]
    assert volumes == [[f"gateway-1:{data}"], [f"gateway-2:{data}"]]
    for name in GATEWAYS:
        needs = services[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["postgres"] == needs["redis"] == {"condition": "service_healthy"}
    migrate = services["migrate"]
    assert (migrate["command"], migrate["image"]) == (["migrate"], services["gateway-1"]["image"])
    assert f"{data}:uid={user_id()},mode=0700" in migrate["tmpfs"]
    assert services["gateway-1"]["build"] == os.path.relpath(ROOT, COMPOSE)


def test_there_is_time_for_calls_to_end(compose: Any) -> None:
    for name in GATEWAYS:
        service = compose["services"][name]
        drain = int(service["environment"]["SLUICEGATE_DRAIN_SECONDS"])
        assert drain >= 10 * interval_of_health_checks()
        assert seconds(service["stop_grace_period"]) >= drain + GRACE_SECONDS + 10
    assert seconds(compose["services"]["caddy"]["stop_grace_period"]) >= 60


def interval_of_health_checks() -> int:
    (found,) = re.findall(r"health_interval (\d+)s", (COMPOSE / "Caddyfile").read_text())
    return int(found)


def test_the_database_is_asked_where_gateways_reach_it(compose: Any) -> None:
    """While its image makes it, it answers at its socket already, to be shut down again."""
    assert "--host=127.0.0.1" in compose["services"]["postgres"]["healthcheck"]["test"]


def test_the_manual_names_services_and_commands_that_there_are(compose: Any) -> None:
    manual = (ROOT / "docs/operations.md").read_text()
    lines = [line.split("#")[0] for line in re.findall(r"docker compose (?:run|exec|stop|restart|up) [^`\n]+", manual)]
    assert len(lines) >= 10
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    for line in lines:
        verb, *words = [word for word in line.split()[2:] if not word.startswith("-")]
        assert set(words if verb == "stop" else words[:1]) <= set(compose["services"]), line
        called = words[1:] if verb == "run" else words[2:] if "sluicegate" in words[1:2] else []
        assert set(called[:1]) <= commands, line
    database = compose["services"]["postgres"]["environment"]
    assert manual.count(f" --username={database['POSTGRES_USER']} {database['POSTGRES_DB']}\n") == 2


def test_redis_is_set_up_as_the_manual_says(compose: Any) -> None:
    command = " ".join(compose["services"]["redis"]["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--save  --appendonly no" in command


def test_the_proxy_goes_where_gateways_listen(compose: Any) -> None:
    caddy, port = compose["services"]["caddy"], image_environment()["SLUICEGATE_PORT"]
    assert caddy["environment"]["GATEWAYS"] == " ".join(f"{name}:{port}" for name in GATEWAYS)
    config = adapted(caddy["environment"])
    servers = config["apps"]["http"]["servers"].values()
    assert {listener for server in servers for listener in server["listen"]} <= {":8443", ":8080"}
    assert caddy["ports"] == ["80:8080", "443:8443"]
    # Where the official image looks for it.
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in caddy["volumes"]


def test_the_caddyfile_is_valid_and_written_as_caddy_writes() -> None:
    caddy = program("caddy")
    told = {**os.environ, "SITE_ADDRESS": "ai.example.com"}
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", COMPOSE / "Caddyfile"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert (done.returncode, "Valid configuration" in done.stdout + done.stderr) == (0, True), done.stderr
    written = subprocess.run([caddy, "fmt", COMPOSE / "Caddyfile"], capture_output=True, text=True, check=False)
    assert written.stdout == (COMPOSE / "Caddyfile").read_text()


def adapted(environment: dict[str, str]) -> Any:
    command = [program("caddy"), "adapt", "--adapter", "caddyfile", "--config", str(COMPOSE / "Caddyfile")]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
