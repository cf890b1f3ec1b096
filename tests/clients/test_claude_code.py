"""Claude Code, the real program, against the gateway."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from clients.gateway import MODEL, Gateway

_CLAUDE = Path(__file__).parent / "node_modules/.bin/claude"


def _ask(gateway: Gateway, home: Path, *, key: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ANTHROPIC_BASE_URL": gateway.url,
        "ANTHROPIC_AUTH_TOKEN": key,
        "ANTHROPIC_MODEL": MODEL,
        # Everything it would send besides the questions of a user.
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "DISABLE_AUTOUPDATER": "1",
    }
    return subprocess.run(
        [str(_CLAUDE), "--print", "--output-format", "json", "Say hello."],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def _call_since(gateway: Gateway, known: set[str]) -> dict[str, Any]:
    # The ledger is written in batches behind the answer.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for call in gateway.calls():
            if call["id"] not in known:
                return call
        time.sleep(0.2)
    raise AssertionError("no new call in the ledger")


def test_a_question_is_answered_and_metered(gateway: Gateway, tmp_path: Path) -> None:
    known = {call["id"] for call in gateway.calls()}
    done = _ask(gateway, tmp_path, key=gateway.key)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert not answer["is_error"]
    assert answer["result"]
    call = _call_since(gateway, known)
    assert (call["model"], call["status"], call["clientApp"]) == (MODEL, 200, "claude-code")
    assert not call["estimated"]
    assert call["outputTokens"] > 0


def test_a_wrong_key_is_told_to_the_user(gateway: Gateway, tmp_path: Path) -> None:
    done = _ask(gateway, tmp_path, key="sk-wrong")
    assert done.returncode != 0
    assert json.loads(done.stdout)["is_error"]
