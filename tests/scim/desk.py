"""A server on a real socket with a provisioning token, as an identity provider meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fakes.provider import Provider
from gateway.bench import CHAT, CREDENTIAL, NOW, chat, listening, populate, server_at
from sluicegate.app import create_app
from sluicegate.cli.protocol import LeanProtocol, RequestBounds
from sluicegate.container import Container
from sluicegate.domain.audit import AuditEvent
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.auth import actor_of
from sluicegate.services.caller import Caller

BASE = "/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Desk:
    """Root is an administrator; Ada, a member, has a key. `http` sends the token."""

    container: Container
    http: httpx.AsyncClient
    url: str
    token: str
    root: Caller

    @property
    def services(self) -> Any:
        return self.container.services

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"content-type": "application/scim+json"} | more.pop("headers", {})
        return await self.http.request(method, BASE + path, json=body, headers=headers, **more)

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.send(method, path, body, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str | None]:
        """Status and scimType of an answer that has to be an error in SCIM's shape."""
        answer = await self.send(method, path, body, **more)
        content = answer.json()
        assert answer.headers["content-type"] == "application/scim+json"
        assert content["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert content["status"] == str(answer.status_code)
        assert content["detail"]
        return answer.status_code, content.get("scimType")

    async def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        return await self.ok("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    async def refused_patch(self, path: str, *operations: dict[str, Any]) -> tuple[int, str | None]:
        return await self.refused("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    async def hire(self, name: str, /, **more: Any) -> str:
        """Somebody new; gives the id."""
        made = await self.ok("POST", "/Users", {"schemas": [USER], "userName": f"{name}@example.com", **more})
        return str(made["id"])

    async def group(self, name: str, *members: str) -> str:
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]}
        return str((await self.ok("POST", "/Groups", body))["id"])

    async def members(self, group_id: str) -> list[str]:
        found = await self.ok("GET", f"/Groups/{group_id}")
        return sorted(member["value"] for member in found["members"])

    async def call(self, url: str | None = None) -> httpx.Response:
        """Ada's key at the gateway."""
        headers = {"authorization": f"Bearer {CREDENTIAL.text}"}
        return await self.http.post((url or self.url) + CHAT, json=chat(), headers=headers)

    async def person(self, user_id: str) -> User | None:
        async with self.container.store.read() as tx:
            return await tx.users.get(user_id)

    async def written(self, **wanted: str) -> list[AuditEvent]:
        """What the audit log has, the oldest first."""
        async with self.container.store.read() as tx:
            page = await tx.audit.page(AuditFilter(**wanted), PageRequest(100))
        return [event for event, _ in reversed(page.items)]


@asynccontextmanager
async def open_desk(folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    async with Provider() as provider:
        container = server_at(folder, allow_private_upstreams=True, **settings)
        await populate(container, provider.port)
        root = User("root", "root@example.com", "Root", Role.ADMIN, UserStatus.ACTIVE, NOW)
        async with container.store.write() as tx:
            await tx.users.add(root)
        await container.start()
        try:
            protocol = LeanProtocol.within(RequestBounds(), container.gateway.direct)
            async with listening(create_app(container), protocol) as (_, port):
                url = f"http://127.0.0.1:{port}"
                admin = Caller(root, actor_of(root))
                _, secret = await container.services.scim_tokens.create(admin, "Okta")
                headers = {"authorization": f"Bearer {secret.reveal()}"}
                async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
                    yield Desk(container, http, url, secret.reveal(), admin)
        finally:
            await container.stop()
