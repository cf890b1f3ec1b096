"""Stages, their results, and the one closing line."""

from __future__ import annotations

import os
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from devtools.setup import Step, digest_of
from devtools.shell import CI, RESULTS, ROOT

_PASSED = ROOT / ".setup/passed"
# With more failures than that, it is not for what ran beside them.
_FEW = 10


@dataclass(frozen=True, slots=True)
class Stage:
    """One program to run. With `junit` its own cases are counted, otherwise the stage counts as one. `environment` is
    added to that of this process. `again` runs at least those cases that failed, see `Report.try_again`. With `reads`
    it is left out while these files are the ones with which it last passed."""

    name: str
    command: Sequence[str]
    cwd: Path = ROOT
    junit: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    again: Sequence[str] = ()
    reads: Callable[[], Iterable[Path]] | None = None


@dataclass(frozen=True, slots=True)
class _Cases:
    passed: int = 0
    failed: Sequence[str] = ()
    skipped: Sequence[str] = ()


@dataclass(slots=True)
class Report:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _counting: Lock = field(default_factory=Lock)
    _second_tries: list[tuple[Stage, Sequence[str]]] = field(default_factory=list[tuple[Stage, Sequence[str]]])

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

    def try_again(self) -> None:
        """Runs the few cases that failed once more, with nothing beside them: tests of servers that stop, stand still
        and come back look at the clock, and others may have taken the processor. One that passes now is counted as
        passed and named at the end."""
        tries, self._second_tries = self._second_tries, []
        for stage, failed in tries:
            print(f"-- {stage.name}: {len(failed)} failed, once more", flush=True)
            code, output = _execute(replace(stage, command=stage.again), loud=False)
            print(output, flush=True)
            still = _read_junit(stage.junit).failed if stage.junit else ()
            if code and not still:
                continue
            better = max(0, len(failed) - len(still))
            self.failed -= better
            self.passed += better
            self.notes += [f"passed at the second try: {case}" for case in failed if case not in still]

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
        stamp, digest = _PASSED / stage.name, digest_of(stage.reads()) if stage.reads else ""
        if digest and stamp.exists() and stamp.read_text() == digest:
            with self._counting:
                self.passed += 1
            print(f"-- {stage.name}: ok, nothing has changed since it passed", flush=True)
            return True
        if stage.junit:
            stage.junit.unlink(missing_ok=True)
        began = time.monotonic()
        code, output = _execute(stage, loud=loud)
        with self._counting:
            ok = self._count(stage, code)
        if ok and digest:
            # As of before it ran: what was edited meanwhile was not looked at.
            _PASSED.mkdir(parents=True, exist_ok=True)
            stamp.write_text(digest)
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
        cases = _read_junit(stage.junit)
        failed = len(cases.failed)
        if code and not failed:
            # It died before it could blame a case: a collection error, a crash, no test found.
            failed = 1
        elif stage.again and 0 < failed <= _FEW:
            self._second_tries.append((stage, cases.failed))
        self.passed += cases.passed
        self.failed += failed
        self.skipped += len(cases.skipped)
        self.notes += [f"skipped {case}" for case in cases.skipped]
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


def _read_junit(path: Path) -> _Cases:
    if not path.exists():
        return _Cases()
    passed = 0
    failed: list[str] = []
    skipped: list[str] = []
    for case in ET.parse(path).iter("testcase"):  # noqa: S314 our own tools wrote the file
        name = f"{case.get('classname')} {case.get('name')}"
        reason = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif reason is not None:
            skipped.append(f"{name}: {reason.get('message') or 'no reason given'}")
        else:
            passed += 1
    return _Cases(passed, failed, skipped)
