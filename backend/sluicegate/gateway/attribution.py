"""Which client a call comes from, for which project, in which session."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sluicegate.gateway.http import RawHeaders

# Recorded user agents; the first that is contained wins, so SDKs come after the products that embed them.
_CLIENTS = (
    (b"claude-cli", "claude-code"),
    (b"claude-code", "claude-code"),
    (b"codex", "codex"),
    (b"cursor", "cursor"),
    (b"opencode", "opencode"),
    (b"qwencode", "qwen-code"),
    (b"geminicli", "gemini-cli"),
    (b"copilot", "copilot"),
    (b"roocode", "roo-code"),
    (b"cline", "cline"),
    (b"continue", "continue"),
    (b"litellm", "litellm"),
    (b"aider", "aider"),
    (b"ai-sdk/", "ai-sdk"),
    (b"asyncopenai/python", "openai-python"),
    (b"openai/python", "openai-python"),
    (b"openai/js", "openai-js"),
    (b"asyncanthropic/python", "anthropic-python"),
    (b"anthropic/python", "anthropic-python"),
    (b"anthropic/js", "anthropic-js"),
    (b"curl/", "curl"),
)
_SESSION_HEADERS = (b"x-claude-code-session-id", b"session-id", b"x-session-id", b"x-session-affinity")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
OWN_HEADERS = frozenset({b"x-client-app", b"x-project"})


@dataclass(frozen=True, slots=True)
class Attribution:
    client_app: str | None
    project: str | None
    session_id: str | None


def _text(value: bytes | None, limit: int) -> str | None:
    if not value:
        return None
    return _UNPRINTABLE.sub("", value.decode("latin-1")).strip()[:limit] or None


def attribution_of(headers: RawHeaders) -> Attribution:
    """Read from `x-client-app`, `x-project`, the user agent and the session headers that clients send."""
    by_name = dict(headers)
    client = _text(by_name.get(b"x-client-app"), 60)
    if client is None:
        agent = by_name.get(b"user-agent", b"").lower()
        client = next((name for mark, name in _CLIENTS if mark in agent), None)
    session = next((by_name[name] for name in _SESSION_HEADERS if name in by_name), None)
    return Attribution(client, _text(by_name.get(b"x-project"), 100), _text(session, 100))
