"""The GraphQL API of a server, as an automation token reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.kit.errors import AppError, InvalidInput
from sluicegate.kit.secret import Secret

# Commands reach other servers; a server itself does without the client.
if TYPE_CHECKING:
    import httpx

_SECONDS = 60.0


class RemoteRefusal(AppError):
    """What the server, or the way there, answered instead; `extensions` as GraphQL gives them."""

    def __init__(self, message: str, extensions: dict[str, Any] | None = None) -> None:
        self.extensions = extensions or {}
        super().__init__(message, field=self.extensions.get("field"))
        self.code = str(self.extensions.get("code", "unreachable"))


class RemoteServer:
    def __init__(self, url: str, token: Secret) -> None:
        """Raises InvalidInput for what is no address of a server."""
        import httpx

        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo or parsed.query:
            raise InvalidInput("url", "must be the address of a server, like https://ai.example.com")
        self._url = str(parsed).rstrip("/") + "/graphql"
        self._token = token

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer's data; raises RemoteRefusal."""
        import httpx

        headers = {"authorization": f"Bearer {self._token.reveal()}"}
        body = {"query": query, "variables": variables}
        try:
            # A redirect would hand the token to somebody else.
            async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False) as client:
                answer = await client.post(self._url, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise RemoteRefusal(f"{self._url} cannot be reached: {error or type(error).__name__}") from None
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_redirect:
            raise RemoteRefusal(f"{self._url} sends elsewhere; give the address that it sends to")
        try:
            told = answer.json()
            if errors := told.get("errors"):
                raise RemoteRefusal(str(errors[0]["message"]), dict(errors[0].get("extensions", {})))
            if "data" in told:
                return dict(told["data"])
            refused = told["error"]
            raise RemoteRefusal(str(refused["message"]), {"code": refused["code"]})
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RemoteRefusal(
                f"{self._url} answers with status {answer.status_code}, not as Sluicegate does"
            ) from None
