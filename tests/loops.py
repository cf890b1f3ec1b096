"""The event loop of servers, as tests run on it."""

from __future__ import annotations

import warnings

import uvloop


class ServerLoop(uvloop.Loop):
    def close(self) -> None:
        """Raises ResourceWarning for what was left open, once all of it is closed."""
        # uvloop warns while it closes such things, and waits for ever for one whose warning is an error.
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("always", ResourceWarning)
            super().close()
        for warning in left:
            raise ResourceWarning(str(warning.message))
