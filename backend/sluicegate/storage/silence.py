"""How soon connections to PostgreSQL find that there is nobody at their other end any more."""

from __future__ import annotations

from collections.abc import Mapping

# A host that lost its power, or an address that leads elsewhere now, ends no connection. By the settings of the system
# that would be noticed after a quarter of an hour, by who waits for nothing after hours. Seconds, but the last.
NOTICE_THE_END: Mapping[str, int] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
