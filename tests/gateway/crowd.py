"""A caller of whom many fit on one event loop: a connection for each call, and no more of the answer than its code."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from gateway.bench import CHAT, chat

_CODE = re.compile(rb'"code":"(\w+)"')


async def ask(port: int, credential: str, body: dict[str, Any] | None = None) -> str:
    """The code of a refusal, or ok."""
    content = json.dumps(body or chat()).encode()
    head = (
        f"POST {CHAT} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {credential}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode() + content)
        answer = await reader.read()
    finally:
        writer.close()
    if answer.startswith(b"HTTP/1.1 200 "):
        return "ok"
    code = _CODE.search(answer)
    assert code is not None, answer
    return code[1].decode()
