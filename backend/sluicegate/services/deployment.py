"""What everybody who is signed in may know about this installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deployment:
    """`url` is asked anew each time: a server that listens on any free port knows its address only once it runs."""

    version: str
    url: Callable[[], str]
    time_zone: str
    mail_configured: bool
