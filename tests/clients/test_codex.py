"""Codex, the real program, against the gateway."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clients.gateway import Gateway, Watched

_CODEX = Path(__file__).parent / "codex/node_modules/.bin/codex"
_CONFIG = """
model = "{model}"
model_provider = "gw"
[model_providers.gw]
name = "gw"
base_url = "{url}/v1"
env_key = "GW_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


def ask(gateway: Gateway, home: Path, prompt: str, *, model: str, key: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the events that it printed, and what it complained of."""
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text(_CONFIG.format(model=model, url=gateway.url))
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GW_KEY": key, "NO_PROXY": "127.0.0.1,localhost"}
    done = subprocess.run(
        [str(_CODEX), "exec", "--skip-git-repo-check", "--json", prompt],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, events, done.stdout + done.stderr


@pytest.mark.parametrize("model", ["demo-smart", "claude-demo-smart"])
def test_a_command_is_run_and_its_output_read(gateway: Gateway, ledger: Watched, tmp_path: Path, model: str) -> None:
    prompt = 'x [[tool:exec_command {"cmd":"echo tool-$((40+2))"}]]'
    code, events, output = ask(gateway, tmp_path, prompt, model=model, key=gateway.key)
    assert code == 0, output
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    assert any("tool-42" in item.get("aggregated_output", "") for item in items), output
    assert any(item["type"] == "agent_message" and "exited with code 0" in item["text"] for item in items), output
    calls = ledger.calls(2)
    assert [(c["model"], c["status"], c["estimated"], c["clientApp"]) for c in calls] == [
        ("demo-smart", 200, False, "codex")
    ] * 2
    (usage,) = [event["usage"] for event in events if event["type"] == "turn.completed"]
    assert usage["input_tokens"] == sum(int(c["inputTokens"]) for c in calls)
    assert usage["cached_input_tokens"] == sum(int(c["cacheReadTokens"]) for c in calls)
    assert usage["output_tokens"] == sum(int(c["outputTokens"]) for c in calls)


def test_a_model_that_is_not_there_is_told_to_the_user(gateway: Gateway, ledger: Watched, tmp_path: Path) -> None:
    code, _, output = ask(gateway, tmp_path, "Say hello.", model="no-such-model", key=gateway.key)
    assert code != 0
    assert "'no-such-model' does not exist here" in output


def test_a_wrong_key_is_told_to_the_user(gateway: Gateway, tmp_path: Path) -> None:
    code, _, output = ask(gateway, tmp_path, "Say hello.", model="demo-smart", key="sk-wrong")
    assert code != 0
    assert "API key" in output
