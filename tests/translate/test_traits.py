"""What is known of a provider's model by its name, and by what it is said to be able to do."""

from __future__ import annotations

import pytest

from sluicegate.domain.catalog import ProviderKind
from sluicegate.gateway.translate.traits import target_of


@pytest.mark.parametrize(
    ("name", "anthropic", "reasons", "samples"),
    [
        ("gpt-4.1", False, False, True),
        ("gpt-5-codex", False, True, False),
        ("gpt-5-chat-latest", False, False, True),
        ("o3-mini", False, True, False),
        ("openai/gpt-6-sol", False, True, False),
        ("llama-3.3-70b", False, False, True),
        ("claude-3-5-haiku", True, False, True),
        ("claude-sonnet-4-5", True, True, True),
        ("claude-opus-4-8", True, True, False),
    ],
)
def test_models_are_known_by_their_names(name: str, anthropic: bool, reasons: bool, samples: bool) -> None:
    target = target_of(ProviderKind.CUSTOM_OPENAI, name, None, anthropic=anthropic)
    assert (target.reasons, target.samples) == (reasons, samples)


@pytest.mark.parametrize(
    ("name", "reasons", "adaptive", "samples"),
    [
        ("claude-3-5-sonnet-20241022", False, False, True),
        ("claude-3-7-sonnet-20250219", True, False, True),
        ("claude-sonnet-4-20250514", True, False, True),
        ("claude-opus-4-1-20250805", True, False, True),
        ("claude-haiku-4-5-20251001", True, False, True),
        ("claude-sonnet-4-6", True, True, True),
        ("anthropic/claude-opus-4.6", True, True, True),
        ("claude-opus-4-7", True, True, False),
        ("us.anthropic.claude-opus-4-8", True, True, False),
        ("claude-opus-4-10", True, True, False),
        ("claude-sonnet-5", True, True, False),
        ("claude-haiku-5-5-20261007", True, True, False),
        ("claude-fable-5-1", True, True, False),
        ("claude-mythos-preview", True, True, False),
        ("claude-opus-10", True, True, False),
        ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/x", False, False, True),
    ],
)
def test_how_claude_thinks_is_known_by_its_names(name: str, reasons: bool, adaptive: bool, samples: bool) -> None:
    target = target_of(ProviderKind.ANTHROPIC, name, None, anthropic=True)
    assert (target.reasons, target.adaptive, target.samples) == (reasons, adaptive, samples)
    assert target.extra_high is not samples


def test_what_is_known_of_a_model_goes_before_its_name() -> None:
    unnamed = target_of(ProviderKind.BEDROCK, "arn:x", None, ["adaptive-thinking"], anthropic=True)
    assert (unnamed.reasons, unnamed.adaptive, unnamed.samples) == (True, True, False)
    both = target_of(ProviderKind.BEDROCK, "arn:x", None, ["adaptive-thinking", "thinking-budget"], anthropic=True)
    assert (both.reasons, both.adaptive, both.samples) == (True, True, True)
    old = target_of(ProviderKind.ANTHROPIC, "claude-opus-5", None, ["thinking-budget"], anthropic=True)
    assert (old.reasons, old.adaptive, old.samples) == (True, False, True)
    some = target_of(ProviderKind.ANTHROPIC, "team", None, ["reasoning", "tools"], anthropic=True)
    assert (some.reasons, some.adaptive, some.samples) == (True, False, True)
    deployed = target_of(ProviderKind.AZURE_OPENAI, "our-deployment", None, ["reasoning"], anthropic=False)
    assert (deployed.reasons, deployed.samples) == (True, False)
    elsewhere = target_of(ProviderKind.MOONSHOT, "kimi-k3", None, ["reasoning"], anthropic=False)
    assert (elsewhere.reasons, elsewhere.samples) == (False, True)
