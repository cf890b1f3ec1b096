"""aider's way to a model, by the library that it calls them with, against the gateway."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from clients.gateway import Gateway, Watched
from clients.upstream import ANTHROPIC, OPENAI, Upstream

_FOLDER = Path(__file__).parent / "litellm"
_EDIT = "calc.py\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n"


@pytest.fixture
def gateway(upstream: Upstream) -> Gateway:
    """The one before that provider, also for `ledger`."""
    return upstream.gateway


@pytest.mark.parametrize(
    ("spoken", "model", "path", "app"),
    [
        ("openai", OPENAI, "/v1/chat/completions", "openai-python"),
        ("openai", ANTHROPIC, "/v1/messages", "openai-python"),
        ("anthropic", ANTHROPIC, "/v1/messages", "litellm"),
        ("anthropic", OPENAI, "/v1/chat/completions", "litellm"),
    ],
)
def test_an_edit_comes_back_word_for_word(
    gateway: Gateway, ledger: Watched, upstream: Upstream, tmp_path: Path, spoken: str, model: str, path: str, app: str
) -> None:
    known = len(upstream.asked())
    asked = {
        "model": f"{spoken}/{model}",
        "base": f"{gateway.url}/v1" if spoken == "openai" else gateway.url,
        "key": gateway.key,
        "files": "calc.py\n```\ndef add(a, b):\n    return a - b\n```",
        "question": f"Mend add. [[say:{_EDIT}]]",
    }
    done = subprocess.run(
        [str(_FOLDER / ".venv/bin/python"), str(_FOLDER / "replay.py")],
        input=json.dumps(asked),
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == _EDIT.strip()
    (call,) = upstream.asked()[known:]
    assert call.path == path
    assert ledger.exact(model) == [app]
