"""Stages, their results, and the one closing line."""

from __future__ import annotations

import os
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from devtools.setup import Step
from devtools.shell import CI, RESULTS, ROOT


@dataclass(frozen=True, slots=True)
class Stage:
    """One program to run. With `junit` its own cases are counted, otherwise the stage counts as one. `environment` is
    added to that of this process."""

    name: str
    command: Sequence[str]
    cwd: Path = ROOT
    junit: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Report:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _counting: Lock = field(default_factory=Lock)

    def run(self, *stages: Stage, together: int = 1) -> bool:
        """Runs stages, `together` at a time; True when all of them passed."""
        RESULTS.mkdir(exist_ok=True)
        with ThreadPoolExecutor(together) as pool:
            return all(list(pool.map(self._run_one if together > 1 else self._run_loud, stages)))

    def ensure(self, *steps: Step) -> bool:
        """Takes set-up steps up to the first that fails, which counts as a failure instead of ending the run."""
        for step in steps:
            try:
                step.ensure()
            except SystemExit as reason:
                self.failed += 1
                self.notes.append(f"failed to set up {step.name}: {reason}")
                return False
        return True

    def skip(self, name: str, reason: str) -> None:
        self.skipped += 1
        self.notes.append(f"skipped {name}: {reason}")
        print(f"-- {name}: skipped, {reason}", flush=True)

    def close(self) -> int:
        """Prints the count and answers the exit code. Continuous integration has no excuse for a skip."""
        if CI and self.skipped:
            self.notes.append(f"{self.skipped} skipped, which CI=true does not allow")
            self.failed += self.skipped
            self.skipped = 0
        for note in self.notes:
            print(note)
        print(f"took {time.monotonic() - self.began:.0f} s")
        tail = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{tail}", flush=True)
        return 1 if self.failed else 0

    def _run_loud(self, stage: Stage) -> bool:
        print(f"-- {stage.name}", flush=True)
        return self._run_one(stage, loud=True)

    def _run_one(self, stage: Stage, *, loud: bool = False) -> bool:
        if stage.junit:
            stage.junit.unlink(missing_ok=True)
        began = time.monotonic()
        code, output = _execute(stage, loud=loud)
        with self._counting:
            ok = self._count(stage, code)
        if not ok:
            print(output, flush=True)
        elif stage.junit and output:
            # Their sum, and what they left out.
            print("\n".join(output.rstrip().splitlines()[-2:]), flush=True)
        print(f"-- {stage.name}: {'ok' if ok else 'FAILED'} ({time.monotonic() - began:.1f} s)", flush=True)
        return ok

    def _count(self, stage: Stage, code: int) -> bool:
        if stage.junit is None:
            self.passed += code == 0
            self.failed += code != 0
            if code:
                self.notes.append(f"failed {stage.name}")
            return code == 0
        passed, failed, skipped = _read_junit(stage.junit)
        if code and not failed:
            # It died before it could blame a case: a collection error, a crash, no test found.
            failed = 1
        self.passed += passed
        self.failed += failed
        self.skipped += len(skipped)
        self.notes += [f"skipped {case}" for case in skipped]
        if failed:
            self.notes.append(f"failed {stage.name}: {failed}")
        return failed == 0


def _execute(stage: Stage, *, loud: bool) -> tuple[int, str]:
    """The exit code, and what was printed where that was not shown at once."""
    try:
        done = subprocess.run(
            stage.command,
            cwd=stage.cwd,
            env={**os.environ, **stage.environment},
            stdin=subprocess.DEVNULL,
            stdout=None if loud else subprocess.PIPE,
            stderr=None if loud else subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        return 1, f"cannot run {' '.join(stage.command)}: {error}"
    return done.returncode, done.stdout or ""


def _read_junit(path: Path) -> tuple[int, int, list[str]]:
    if not path.exists():
        return 0, 0, []
    passed = failed = 0
    skipped: list[str] = []
    for case in ET.parse(path).iter("testcase"):  # noqa: S314 our own tools wrote the file
        reason = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif reason is not None:
            skipped.append(f"{case.get('classname')} {case.get('name')}: {reason.get('message') or 'no reason given'}")
        else:
            passed += 1
    return passed, failed, skipped
