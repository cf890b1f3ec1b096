"""The installed command, started as a shell starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from cli.program import PATIENCE, environment

COMMAND = str(Path(sys.executable).with_name("sluicegate"))


def test_help_names_every_command() -> None:
    done = subprocess.run([COMMAND, "--help"], env=environment({}), capture_output=True, text=True, check=True)
    for name in [
        "serve",
        "demo",
        "migrate",
        "create-admin",
        "token",
        "apply",
        "export",
        "policy",
        "reconcile",
        "schema",
        "doctor",
    ]:
        assert f" {name} " in done.stdout
    bare = subprocess.run([COMMAND, "no-such"], env=environment({}), capture_output=True, text=True, check=False)
    assert (bare.returncode, "No such command" in bare.stderr) == (2, True)


def test_it_serves_in_one_process_and_stops_when_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    # A variable of the server underneath, which would start workers with counters of their own.
    values = environment({"DATA_DIR": str(tmp_path / "data"), "LOG_LEVEL": "debug"}) | {"WEB_CONCURRENCY": "4"}
    with log.open("wb") as output:
        process = subprocess.Popen([COMMAND, "serve", "--port", "0"], env=values, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE
        while "http://" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        url = next(word for word in log.read_text().split() if word.startswith("http://"))
        while time.monotonic() < deadline:
            try:
                assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
                break
            except httpx.TransportError:
                time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        assert children == ""
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()


def test_secrets_that_slip_into_a_log_line_are_masked() -> None:
    key, token = f"sg_abcdefghijkl_{'x' * 49}", f"sgt_abcdefghijkl_{'y' * 49}"
    provisioning = f"sgp_abcdefghijkl_{'w' * 49}"
    script = f"""
import logging, structlog
from sluicegate.cli.logs import set_up_logging
set_up_logging("info")
structlog.get_logger().warning("leak", key="{key}", token="{token}", other="{provisioning}")
logging.getLogger("driver").warning("Authorization: Bearer %s to %s", "z" * 20, "postgresql://ada:hunter2@db/x")
try:
    raise ValueError("sk-proj-0123456789")
except ValueError:
    logging.getLogger("driver").exception("failed")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 3
    for secret in ("xxx", "yyy", "www", "zzz", "hunter2", "0123456789"):
        assert secret not in done.stderr
    for prefix in ("sg", "sgt", "sgp"):
        assert f"{prefix}_abcdefghijkl_***" in done.stderr
    for kept in ("Bearer ***", "postgresql://ada:***@db/x", "driver"):
        assert kept in done.stderr
