"""aider, the real program, in a repository of its own, against the gateway."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from clients.gateway import Gateway, Watched
from clients.upstream import ANTHROPIC, OPENAI, Upstream

_AIDER = Path(__file__).parent / "aider/.venv/bin/aider"
_BEFORE = "def add(a, b):\n    return a - b\n"
_AFTER = "def add(a, b):\n    return a + b\n"
_EDIT = "calc.py\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n"


@pytest.fixture
def gateway(upstream: Upstream) -> Gateway:
    """The one before that provider, also for `ledger`."""
    return upstream.gateway


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "calc.py").write_text(_BEFORE)
    git(folder, "init", "--quiet")
    git(folder, "config", "user.email", "ada@example.com")
    git(folder, "config", "user.name", "Ada")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Add")
    return folder


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def ask(gateway: Gateway, folder: Path, spoken: str, model: str, *, key: str) -> subprocess.CompletedProcess[str]:
    """One message about calc.py, without a question to the user."""
    base = f"{gateway.url}/v1" if spoken == "openai" else gateway.url
    (folder.parent / "message").write_text(f"Mend add. [[say:{_EDIT}]]")
    return subprocess.run(
        [
            *(
                str(_AIDER),
                "--model",
                f"{spoken}/{model}",
                "--weak-model",
                f"{spoken}/{model}",
                "--edit-format",
                "diff",
            ),
            *("--map-tokens", "0", "--message-file", str(folder.parent / "message"), "--yes-always", "--no-pretty"),
            *("--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-show-release-notes"),
            *("--no-gitignore", "--no-detect-urls", "--no-suggest-shell-commands", "--no-auto-lint", "calc.py"),
        ],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder.parent),
            f"{spoken.upper()}_API_BASE": base,
            f"{spoken.upper()}_API_KEY": key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("spoken", "model", "path", "app"),
    [
        ("openai", OPENAI, "/v1/chat/completions", "openai-python"),
        ("openai", ANTHROPIC, "/v1/messages", "openai-python"),
        ("anthropic", ANTHROPIC, "/v1/messages", "litellm"),
        ("anthropic", OPENAI, "/v1/chat/completions", "litellm"),
    ],
)
def test_a_file_is_edited_and_committed(
    gateway: Gateway,
    ledger: Watched,
    upstream: Upstream,
    repository: Path,
    spoken: str,
    model: str,
    path: str,
    app: str,
) -> None:
    known = len(upstream.asked())
    done = ask(gateway, repository, spoken, model, key=gateway.key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repository / "calc.py").read_text() == _AFTER, done.stdout + done.stderr
    # The edit, then the message of its commit.
    assert [call.path for call in upstream.asked()[known:]] == [path] * 2
    assert ledger.exact(model, 2) == [app] * 2
    assert git(repository, "rev-list", "--count", "HEAD").strip() == "2"
    assert git(repository, "status", "--porcelain", "--untracked-files=no") == ""


def test_a_wrong_key_is_told_to_the_user(gateway: Gateway, upstream: Upstream, repository: Path) -> None:
    known = len(upstream.asked())
    done = ask(gateway, repository, "openai", OPENAI, key="sk-wrong")
    assert "API key" in done.stdout + done.stderr
    assert (repository / "calc.py").read_text() == _BEFORE
    assert upstream.asked()[known:] == []
