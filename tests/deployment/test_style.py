"""Whatever is in `deploy/` can be read by people, too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from yamllint import linter
from yamllint.config import YamlLintConfig

from deployment.files import COMPOSE, DEPLOY, KUBERNETES
from sluicegate.settings import PREFIX, Settings

_STYLE = YamlLintConfig(
    "{extends: default, rules: {line-length: {max: 120}, document-start: disable, braces: {max-spaces-inside: 0}}}"
)
FILES = sorted(DEPLOY.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_yaml_is_tidy_and_says_nothing_twice(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        assert [f"{p.line}: {p.desc}" for p in linter.run(file, _STYLE)] == []


def test_only_settings_that_exist_are_named() -> None:
    texts = [path.read_text("utf-8") for path in sorted(DEPLOY.rglob("*")) if path.is_file()]
    named = {name for text in texts for name in re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", text)}
    known = {f"{PREFIX}{name.upper()}" for name in Settings.declared()}
    assert {name for name in named if name.removesuffix("_FILE") not in known} == {"SLUICEGATE_IMAGE"}
    assert {COMPOSE, KUBERNETES} <= set(DEPLOY.iterdir())
