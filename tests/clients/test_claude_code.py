"""Claude Code, the real program, against the gateway."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from clients.gateway import MODEL, Gateway, Watched

_CLAUDE = Path(__file__).parent / "node_modules/.bin/claude"


def ask(
    gateway: Gateway, home: Path, prompt: str = "Say hello.", *arguments: str, key: str, model: str = MODEL, **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ANTHROPIC_BASE_URL": gateway.url,
        "ANTHROPIC_AUTH_TOKEN": key,
        "ANTHROPIC_MODEL": model,
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "DISABLE_AUTOUPDATER": "1",
        # Without it, it also sends what is no question of a user.
        **(more or {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}),
    }
    return subprocess.run(
        [str(_CLAUDE), "--print", "--output-format", "json", prompt, *arguments],
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
        # Calls of an earlier test may reach it only now.
        for call in gateway.calls():
            if call["id"] not in known and call["clientApp"] == "claude-code":
                return call
        time.sleep(0.2)
    raise AssertionError("no new call in the ledger")


def test_a_question_is_answered_and_metered(gateway: Gateway, tmp_path: Path) -> None:
    known = {call["id"] for call in gateway.calls()}
    done = ask(gateway, tmp_path, key=gateway.key)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert not answer["is_error"]
    assert answer["result"]
    call = _call_since(gateway, known)
    assert (call["model"], call["status"], call["clientApp"]) == (MODEL, 200, "claude-code")
    assert not call["estimated"]
    assert call["outputTokens"] > 0


def test_a_wrong_key_is_told_to_the_user(gateway: Gateway, tmp_path: Path) -> None:
    done = ask(gateway, tmp_path, key="sk-wrong")
    assert done.returncode != 0
    assert json.loads(done.stdout)["is_error"]


def test_a_command_is_run_with_a_model_that_only_discovery_knows(
    gateway: Gateway, ledger: Watched, tmp_path: Path
) -> None:
    prompt = 'x [[tool:Bash {"command":"echo tool-$((40+2))"}]]'
    done = ask(
        gateway,
        tmp_path,
        prompt,
        "--allowedTools",
        "Bash",
        key=gateway.key,
        model="claude-demo-fast",
        CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY="1",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert "tool-42" in answer["result"]
    found = json.loads((tmp_path / ".claude/cache/gateway-models.json").read_text())["models"]
    assert {model["id"] for model in found} == {"claude-demo", "claude-demo-fast", "claude-demo-smart"}
    calls = [call for call in ledger.calls(2) if call["model"] == "demo-fast"]
    assert {(call["status"], call["estimated"], call["clientApp"]) for call in calls} == {(200, False, "claude-code")}
    usage = answer["usage"]
    told = usage["input_tokens"] + usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    assert told == sum(int(call["inputTokens"]) for call in calls)
    assert usage["output_tokens"] == sum(int(call["outputTokens"]) for call in calls)


def test_who_signed_in_by_browser_renews_and_asks_without_a_key(
    gateway: Gateway, ledger: Watched, tmp_path: Path
) -> None:
    """From what Claude Code keeps after the sign-in, once its access token is over."""
    signed_in = _signed_in(gateway)
    kept = {
        "gatewayTrust": {"127.0.0.1": "http-loopback"},
        "enterpriseGateway": {
            "url": gateway.url,
            "jwt": "over",
            "expiresAt": int(time.time() * 1000) - 1000,
            "tokenEndpoint": f"{gateway.url}/oauth/token",
            "idpRefreshToken": signed_in["refresh_token"],
            "email": signed_in["email"],
        },
    }
    store = tmp_path / ".claude/.credentials.json"
    store.parent.mkdir()
    store.write_text(json.dumps(kept))
    done = subprocess.run(
        [str(_CLAUDE), "--print", "--output-format", "json", "Say hello."],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ANTHROPIC_MODEL": MODEL, "DISABLE_AUTOUPDATER": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["result"]
    renewed = json.loads(store.read_text())["enterpriseGateway"]
    assert renewed["jwt"] == signed_in["access_token"]
    assert renewed["expiresAt"] > (time.time() + 7 * 3600) * 1000
    assert {call["model"] for call in ledger.calls(1, MODEL)} == {MODEL}


def _signed_in(gateway: Gateway) -> dict[str, str]:
    with httpx.Client(base_url=gateway.url) as http:
        begun = http.post("/oauth/device_authorization", data={"surface": "claude_code"}).json()
        assert http.post("/auth/sign-in", json=gateway.member).is_success
        question = "mutation ($code: String!) { answerDeviceSignIn(userCode: $code, approve: true) { __typename } }"
        asked = {"query": question, "variables": {"code": begun["user_code"]}}
        answered = http.post("/graphql", json=asked, headers={"x-sluicegate-csrf": "1"}).json()
        assert "errors" not in answered, answered
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": begun["device_code"],
        }
        return dict(http.post("/oauth/token", data=form).json())
