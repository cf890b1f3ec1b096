"""Every template finds its examples and lets through what only looks like them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluicegate.domain.secret_rule import SecretRule
from sluicegate.policy.secret_patterns import fault_of
from sluicegate.policy.secrets import SecretRules
from sluicegate.services.secret_packs import PACKS, Template

TEMPLATES = {template.key: template for pack in PACKS for template in pack.templates}
every_template = pytest.mark.parametrize("key", TEMPLATES)


def rules_of(*templates: Template) -> SecretRules:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return SecretRules(
        [SecretRule(t.key, t.name, t.description, t.pattern, t.action, t.check, True, t.key, at) for t in templates]
    )


def test_keys_and_names_are_unique() -> None:
    templates = [template for pack in PACKS for template in pack.templates]
    assert len(TEMPLATES) == len({template.name.lower() for template in templates}) == len(templates)
    assert len({pack.key for pack in PACKS}) == len(PACKS)


@every_template
def test_a_template_finds_its_examples_and_nothing_else(key: str) -> None:
    template = TEMPLATES[key]
    assert fault_of(template.pattern) is None
    assert template.examples
    assert template.others
    rules = rules_of(template)
    for example in template.examples:
        for text in (example, f"here: {example}, and so on", f"\n{example}\n"):
            (hit,) = rules.scan([text]).hits
            assert text.encode()[hit.start : hit.end].decode() in example
    for other in template.others:
        assert rules.scan([other]).hits == [], other


def test_all_together_find_in_each_example_what_was_meant() -> None:
    rules = rules_of(*TEMPLATES.values())
    for template in TEMPLATES.values():
        for example in template.examples:
            assert template.key in {hit.rule.id for hit in rules.scan([example]).hits}


def test_plain_prose_and_code_hold_no_secret() -> None:
    text = """
    def connect(password: str, api_key: str | None = None) -> Session:
        \"\"\"Opens a session. The secret is read from the environment: see https://example.com/docs/secrets.\"\"\"
        token = os.environ["API_TOKEN"]
        return Session(password=password, key=settings.secret_key)
    commit 3f786850e387550fdab836ed7e6dc881de23001b, uuid 0190163d-8694-739b-aea5-966c26f8ad91
    2026-11-24T12:00:00.000Z 192.168.0.1:8080 +49 30 1234567 1,234,567,890,123
    """
    assert [hit.rule.id for hit in rules_of(*TEMPLATES.values()).scan([text]).hits] == []
