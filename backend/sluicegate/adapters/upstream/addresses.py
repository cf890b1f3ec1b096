"""Which network addresses a provider's name may stand for.

An administrator types provider URLs, so a name can be made to point into the gateway's own network. The address that
was checked is the one that is connected to; resolving a second time would let the name change in between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from sluicegate.kit.network import is_public
from sluicegate.ports.upstream import UpstreamError

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port to addresses, in the order in which they should be tried. Raises `OSError` for an unknown name."""

# A model may think for minutes without a byte, after which routers on the way forget a connection; and a host that is
# gone ends none. Calls would wait as long as they may for a first byte. Seconds, but the last; some systems lack some.
_ALIVE = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 45),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 15),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 4),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 60_000),
)
KEPT_ALIVE: Sequence[tuple[int, int, int]] = [
    (level, getattr(socket, name), value) for level, name, value in _ALIVE if hasattr(socket, name)
]
"""What is set for the socket of each connection."""

ALLOW_PRIVATE_SETTING = "SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"


async def resolve_by_system(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def addresses_of(
    host: str, port: int, *, resolve: Resolver | None, allow_private: bool, setting: str = ALLOW_PRIVATE_SETTING
) -> Sequence[str]:
    """All addresses of `host`; raises `UpstreamError` when one of them is not allowed, and names the setting that would
    allow it; `OSError` when none is known."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        addresses = await (resolve or resolve_by_system)(host, port)
    else:
        addresses = [host]
    if not addresses:
        raise OSError(f"{host} has no address")
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise UpstreamError(
                    "connect",
                    f"{host} stands for the private address {address}; set {setting}=true to allow it.",
                )
    return addresses
