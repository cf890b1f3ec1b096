"""What providers' models take.

A model's capabilities tell it, which come with its prices from the catalogue or were typed in. Where they are silent
its name is read, and a name that is not known here is taken for a plain model.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from sluicegate.domain.catalog import ADAPTIVE_THINKING, REASONING, THINKING_BUDGET, ProviderKind
from sluicegate.gateway.translate.form import Target

# Deployments on Azure have names of their own, which tell nothing.
_OPENAI = (ProviderKind.OPENAI, ProviderKind.AZURE_OPENAI)
_OPENAI_REASONING = re.compile(r"(?:^|/)(?:o[1-9](?:-|$)|gpt-(?:[5-9]|\d\d)|codex)")
_CLAUDE_REASONING = re.compile(r"claude-(?:mythos|(?:(?:opus|sonnet|haiku|fable)-)?(?:3[.-]7|[4-9]|[1-9]\d))")
_CLAUDE_BOTH = re.compile(r"claude-(?:opus|sonnet)-4[.-]6")
_CLAUDE_ADAPTIVE = re.compile(
    r"claude-(?:mythos|(?:opus|sonnet|haiku|fable)-(?:4[.-](?:[7-9]|[1-9]\d(?!\d))|[5-9]|[1-9]\d))"
)


def target_of(
    kind: ProviderKind, model: str, max_output: int | None, capabilities: Collection[str] = (), *, anthropic: bool
) -> Target:
    """How to write a request for a provider's model; `anthropic` tells that it is called by Messages."""
    if anthropic:
        return _claude(model, max_output, capabilities)
    # The chat variants of reasoning models neither reason on demand nor refuse to be sampled.
    reasons = _OPENAI_REASONING.search(model) is not None and "-chat" not in model
    reasons = reasons or (kind in _OPENAI and REASONING in capabilities)
    return Target(model, max_output, reasons, samples=not reasons)


def _claude(model: str, max_output: int | None, capabilities: Collection[str]) -> Target:
    """Models that take no budget of thinking any more refuse sampling too, and know one effort more (Claude API docs,
    "Adaptive thinking" and "Effort"; the same holds on Bedrock, User Guide, "Adaptive thinking")."""
    adaptive, budget = ADAPTIVE_THINKING in capabilities, THINKING_BUDGET in capabilities
    if not adaptive and not budget:
        newest = _CLAUDE_ADAPTIVE.search(model) is not None
        adaptive = newest or _CLAUDE_BOTH.search(model) is not None
        budget = not newest and (REASONING in capabilities or _CLAUDE_REASONING.search(model) is not None)
    newest = adaptive and not budget
    return Target(model, max_output, adaptive or budget, samples=not newest, adaptive=adaptive, extra_high=newest)
