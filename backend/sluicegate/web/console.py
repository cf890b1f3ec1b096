"""The console's files: built ahead, hashed names cached for good, every page the same index."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

_NOT_BUILT = "The console is not built. Run `npm run build`, then start the server again.\n"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    tag: str


class Console:
    """Serves what lies in `folder` at start; nothing else on the disk can be reached."""

    def __init__(self, folder: Path) -> None:
        self._files = {f"/{path.relative_to(folder).as_posix()}": _read(path) for path in _files(folder)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._response(scope["method"], scope["path"], Headers(scope=scope))(scope, receive, send)

    def _response(self, method: str, path: str, headers: Headers) -> Response:
        if method not in ("GET", "HEAD"):
            return PlainTextResponse("Method not allowed.\n", 405, {"allow": "GET, HEAD"})
        if "/index.html" not in self._files:
            return PlainTextResponse(_NOT_BUILT, 503)
        if path == "/index.html" or path not in self._files:
            if path != "/index.html" and not _is_page(path, headers):
                return PlainTextResponse("Not found.\n", 404)
            path = "/index.html"
        return self._file(path, headers)

    def _file(self, path: str, headers: Headers) -> Response:
        accepted = {part.split(";")[0].strip() for part in headers.get("accept-encoding", "").lower().split(",")}
        encoding, file = None, self._files[path]
        for name, suffix in _ENCODINGS:
            if name in accepted and path + suffix in self._files:
                encoding, file = name, self._files[path + suffix]
                break
        answer = {
            "etag": file.tag,
            "vary": "accept-encoding, accept",
            "cache-control": _FOREVER if path.startswith("/assets/") else "no-cache",
        }
        if file.tag in headers.get("if-none-match", ""):
            return Response(None, 304, answer)
        if encoding is not None:
            answer["content-encoding"] = encoding
        return Response(file.body, 200, answer, mimetypes.guess_type(path)[0] or "application/octet-stream")


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _is_page(path: str, headers: Headers) -> bool:
    """Whether a browser wants to go there: no missing file, nothing hidden. The first page is there for everybody, so
    that those who only look whether anybody is at home find it."""
    if path == "/":
        return True
    if path.startswith("/assets/") or any(part.startswith(".") for part in path.split("/")):
        return False
    return "text/html" in headers.get("accept", "")
