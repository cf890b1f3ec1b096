"""OpenAI's older Completions, which editors still use to fill in at the cursor; its answers are metered like Chat's."""

from __future__ import annotations

from sluicegate.gateway.dialects.chat import ChatCompletions
from sluicegate.gateway.envelope import Envelope


class Completions(ChatCompletions):
    """Implements `Wire`."""

    protocol = None
    path = "/completions"
    endpoint = "completions"

    def max_tokens(self, envelope: Envelope) -> int | None:
        return envelope.count("max_tokens")
