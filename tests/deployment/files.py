"""The files in `deploy/`, as far as several tests read them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from sluicegate.settings import PREFIX, load

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
KUBERNETES = DEPLOY / "kubernetes"

_LINES = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text()).splitlines()


def dockerfile(instruction: str) -> list[str]:
    """What follows an instruction, each time that it stands in the Dockerfile."""
    return [line.partition(" ")[2] for line in _LINES if line.startswith(f"{instruction} ")]


def image_environment() -> dict[str, str]:
    return dict(part.split("=", 1) for value in dockerfile("ENV") for part in shlex.split(value))


def user_id() -> int:
    """Of the user that the image runs as."""
    (found,) = re.findall(r"useradd .*--uid (\d+)", " ".join(dockerfile("RUN")))
    return int(found)


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def accepted(environment: dict[str, str], secrets: Path) -> Any:
    """The settings that a server makes of these variables; `secrets` is where their files really are. Raises
    ConfigurationError."""
    local = {
        name: str(secrets / Path(value).name) if name.startswith(PREFIX) and name.endswith("_FILE") else value
        for name, value in environment.items()
    }
    return load(image_environment() | local)
