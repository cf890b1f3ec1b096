"""The connections of this process, as the kernel has them."""

from __future__ import annotations

import os
import socket

KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
IDLE = (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
USER_TIMEOUT = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def options_of_those_to(port: int, *options: tuple[int, int]) -> dict[int, tuple[int, ...]]:
    """The values of these options for each connection of this process to that port, by its own port."""
    found: dict[int, tuple[int, ...]] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as copy:
                if copy.family != socket.AF_UNIX and copy.getpeername()[1] == port:
                    found[copy.getsockname()[1]] = tuple(copy.getsockopt(*option) for option in options)
        except OSError:
            # Gone by now, no socket, or one that listens.
            continue
    return found
