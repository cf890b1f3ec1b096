"""Call records to write down."""

from __future__ import annotations

from datetime import UTC, datetime

from sluicegate.domain.usage import CallRecord
from sluicegate.kit.ids import new_id

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def call(at: datetime = NOW, **values: object) -> CallRecord:
    """A successful call of Ada's unless told otherwise."""
    plain: dict[str, object] = {
        "call_id": new_id(),
        "started_ms": milliseconds(at),
        "finished_ms": milliseconds(at) + 1500,
        "user_id": "ada",
        "user_label": "Ada <ada@example.com>",
        "key_id": "key-1",
        "key_label": "laptop (sg_abc…)",
        "group_ids": ("team",),
        "model_slug": "fast",
        "provider_id": "openai",
        "provider_name": "OpenAI",
        "provider_model": "gpt-fast",
        "endpoint": "chat",
        "stream": True,
        "status": 200,
        "outcome": "ok",
        "input_tokens": 100,
        "cache_read_tokens": 40,
        "cache_write_5m_tokens": 3,
        "cache_write_1h_tokens": 2,
        "output_tokens": 50,
        "reasoning_tokens": 10,
        "cost_nanos": 1_000,
        "estimated": False,
        "first_byte_ms": 120,
        "client_app": "aider",
        "project": None,
        "session_id": None,
    }
    return CallRecord(**plain | values)  # type: ignore[arg-type]
