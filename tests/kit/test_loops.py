"""The loop that tests run on."""

from __future__ import annotations

import asyncio
import socket

import pytest

from loops import ServerLoop


def test_what_is_left_open_ends_the_loop_with_an_error_and_not_never() -> None:
    loop = ServerLoop()
    open_server = loop.run_until_complete(loop.create_server(asyncio.Protocol, "127.0.0.1", 0))
    port = open_server.sockets[0].getsockname()[1]
    with pytest.raises(ResourceWarning, match="TCPServer"):
        loop.close()
    assert loop.is_closed()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
