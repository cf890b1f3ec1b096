"""JSON lines on standard error, ours and those of libraries; a second look keeps secrets out of them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

# Secrets have a type that does not print itself. This is for what slips through, such as a driver's own message.
_SECRETS = (
    (re.compile(r"\b(sg[tp]?_[0-9A-Za-z]{12}_)[0-9A-Za-z]+"), r"\1***"),
    (re.compile(r"\b(sk-)[0-9A-Za-z_-]{6,}"), r"\1***"),
    (re.compile(r"\b(bearer\s+)[^\s\"'\\]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(://[^:/@\s\"]*:)[^@/\s\"]+(?=@)"), r"\1***"),
)


class _Unfailing:
    """Standard error, such as a file on a disk that may be full: no line is worth the call that it tells of."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def set_up_logging(level: str) -> None:
    """`level` is the least that is logged of ours; libraries are heard from warnings on."""
    least = logging.getLevelNamesMapping()[level.upper()]
    common: list[Any] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    rendering: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(), _without_secrets]
    out = cast("TextIO", _Unfailing())
    structlog.configure(
        processors=[*common, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[handler], force=True)


def _without_secrets(_logger: Any, _method: str, line: MutableMapping[str, Any] | str) -> str:
    text = str(line)
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text
