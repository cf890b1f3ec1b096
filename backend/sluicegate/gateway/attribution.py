"""Which program a call came from, for which project, in which session."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from sluicegate.ports.upstream import RawHeaders

_MAX_APP = 60
_MAX_LABEL = 100
_WANTED = {
    b"user-agent": "agent",
    b"x-client-app": "app",
    b"x-project": "project",
    b"x-claude-code-session-id": "session",
    b"session-id": "session",
    b"x-session-id": "session",
}
# Looked for in this order, so that a tool comes before the library that it is built on.
_AGENTS = (
    ("claude-cli/", "claude-code"),
    ("claude-code/", "claude-code"),
    ("codex", "codex"),
    ("cursor", "cursor"),
    ("aider", "aider"),
    ("roo-code", "roo-code"),
    ("roocode", "roo-code"),
    ("cline", "cline"),
    ("continue", "continue"),
    ("opencode", "opencode"),
    ("copilot", "copilot"),
    ("qwencode", "qwen-code"),
    ("geminicli", "gemini-cli"),
    ("litellm/", "litellm"),
    ("openai/python", "openai-python"),
    ("asyncopenai/python", "openai-python"),
    ("openai/js", "openai-js"),
    ("anthropic/python", "anthropic-python"),
    ("asyncanthropic/python", "anthropic-python"),
    ("anthropic/js", "anthropic-js"),
    ("ai-sdk/", "ai-sdk"),
    ("curl/", "curl"),
)


class Attribution(NamedTuple):
    """All None where the caller says nothing."""

    client_app: str | None
    project: str | None
    session_id: str | None


def attribution_of(headers: RawHeaders) -> Attribution:
    """What the headers tell; a name that the caller states goes before the one its user agent suggests."""
    agent = app = project = session = None
    for name, value in headers:
        kind = _WANTED.get(name)
        if kind is None:
            continue
        if kind == "agent":
            agent = _client_of(value)
        elif kind == "app":
            app = _label(value, _MAX_APP)
        elif kind == "project":
            project = _label(value, _MAX_LABEL)
        else:
            session = session or _label(value, _MAX_LABEL)
    return Attribution(app or agent, project, session)


@lru_cache(maxsize=1024)
def _client_of(user_agent: bytes) -> str | None:
    text = user_agent[:300].decode("latin-1").lower()
    return next((name for part, name in _AGENTS if part in text), None)


def _label(value: bytes, length: int) -> str | None:
    text = value[: 4 * length].decode("utf-8", "replace").strip()
    return "".join(c for c in text if c.isprintable())[:length] or None
