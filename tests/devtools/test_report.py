"""What is counted when cases fail beside others and pass alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devtools import report as reports
from devtools import setup
from devtools.report import Report, Stage

_CASES = """
from pathlib import Path

_TRIED = Path(__file__).with_name("tried")

def test_sound():
    pass

def test_disturbed():
    before = _TRIED.exists()
    _TRIED.touch()
    assert before
"""
_BROKEN = "\ndef test_broken():\n    assert False\n"
_MANY = "\nimport pytest\n@pytest.mark.parametrize('number', range(10))\ndef test_many(number):\n    assert False\n"


def _report(folder: Path, text: str) -> tuple[Report, int]:
    (folder / "test_it.py").write_text(text)
    junit = folder / "junit.xml"
    command = [sys.executable, "-m", "pytest", "--rootdir=.", f"--junitxml={junit}", "test_it.py"]
    again = [*command, "--last-failed", "--last-failed-no-failures=none"]
    report = Report()
    bare = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    report.run(Stage("some", command, cwd=folder, junit=junit, environment=bare, again=again))
    report.try_again()
    return report, report.close()


def test_what_passes_alone_is_counted_as_passed_and_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report, code = _report(tmp_path, _CASES)
    assert (report.passed, report.failed, code) == (2, 0, 0)
    shown = capfd.readouterr().out
    assert "passed at the second try: test_it test_disturbed" in shown
    assert "assert before" in shown, "nobody sees why it failed at first"


def test_what_fails_twice_has_failed(tmp_path: Path) -> None:
    report, code = _report(tmp_path, _CASES + _BROKEN)
    assert (report.passed, report.failed, code) == (2, 1, 1)
    assert not [note for note in report.notes if "test_broken" in note]


def test_many_failures_are_not_tried_again(tmp_path: Path) -> None:
    report, code = _report(tmp_path, _CASES + _MANY)
    assert (report.passed, report.failed, code) == (1, 11, 1)


def test_what_passed_is_left_out_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(reports, "_PASSED", tmp_path / "passed")
    source, runs = tmp_path / "source", tmp_path / "runs"
    script = "import pathlib, sys; pathlib.Path('runs').open('a').write('x'); sys.exit('bad' in open('source').read())"
    stage = Stage("some", [sys.executable, "-c", script], cwd=tmp_path, reads=lambda: [source])

    def outcome(text: str) -> tuple[bool, int]:
        source.write_text(text)
        return Report().run(stage), len(runs.read_text())

    assert [outcome(text) for text in ("good", "good", "bad", "bad", "good", "better", "better")] == [
        (True, 1),
        (True, 1),
        (False, 2),
        (False, 3),
        (True, 3),
        (True, 4),
        (True, 4),
    ]
