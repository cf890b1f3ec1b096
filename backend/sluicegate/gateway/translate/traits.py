"""What providers' models take, told from their names, since no provider answers that question.

OpenAI's reasoning models refuse sampling parameters and want `max_completion_tokens`; Anthropic's recent ones refuse
sampling parameters too. A name that is not known here is taken for a plain model.
"""

from __future__ import annotations

import re

from sluicegate.gateway.translate.form import Target

_OPENAI_REASONING = re.compile(r"(?:^|/)(?:o[1-9](?:-|$)|gpt-(?:[5-9]|\d\d)|codex)")
_CLAUDE_REASONING = re.compile(r"claude-(?:(?:opus|sonnet|haiku|fable)-)?(?:3-7|[4-9]|\d\d)")
_CLAUDE_WITHOUT_SAMPLING = re.compile(r"claude-(?:opus|sonnet|haiku|fable)-(?:4-[7-9]|[5-9])")


def target_of(model: str, max_output: int | None, *, anthropic: bool) -> Target:
    """How to write a request for a provider's model of this name."""
    if anthropic:
        reasons = _CLAUDE_REASONING.search(model) is not None
        return Target(model, max_output, reasons, samples=_CLAUDE_WITHOUT_SAMPLING.search(model) is None)
    # The chat variants of reasoning models neither reason on demand nor refuse to be sampled.
    reasons = _OPENAI_REASONING.search(model) is not None and "-chat" not in model
    return Target(model, max_output, reasons, samples=not reasons)
