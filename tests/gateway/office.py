"""An administrator with the schema in hand, beside a gateway on a real socket: what is set here must hold there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.bench import CHAT, CREDENTIAL, NOW, SUBJECT, Bench, chat
from sluicegate.domain.apikey import ApiKey, new_credential
from sluicegate.domain.audit import AuditEvent
from sluicegate.domain.policy import ChangeKind, PolicyChange, Subject, SubjectKind
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.graphql.context import Context
from sluicegate.graphql.schema import build_schema
from sluicegate.kit.crypto import hash_key_secret
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.auth import actor_of
from sluicegate.services.caller import Caller

_SCHEMA = build_schema()
_GRANTED = ("team-gpt", "team-claude")


@dataclass
class Office:
    bench: Bench
    admin: Caller
    ada: Caller

    async def ask(self, query: str, caller: Caller | None = None, **variables: Any) -> Any:
        """The answer's data; by default the administrator asks."""
        data, errors = await self._execute(query, caller, variables)
        assert errors == [], errors
        return data

    async def error(self, query: str, caller: Caller | None = None, **variables: Any) -> dict[str, Any]:
        """The extensions and the message of the one error that the answer must have."""
        _, errors = await self._execute(query, caller, variables)
        assert len(errors) == 1, errors
        return (errors[0].extensions or {}) | {"message": errors[0].message}

    async def _execute(self, query: str, caller: Caller | None, variables: dict[str, Any]) -> tuple[Any, list[Any]]:
        context = Context(caller or self.admin, self.bench.container.services)
        result = await _SCHEMA.execute(query, variable_values=variables, context_value=context)
        return result.data, list(result.errors or ())

    async def call(self, credential: str = CREDENTIAL.text, **values: Any) -> httpx.Response:
        return await self.bench.client.post(
            CHAT, json=chat(**values), headers={"authorization": f"Bearer {credential}"}
        )

    async def hire(self, user_id: str, *group_ids: str) -> str:
        """A colleague with Ada's own grants; gives the key."""
        user = User(user_id, f"{user_id}@example.com", user_id.title(), Role.MEMBER, UserStatus.ACTIVE, NOW)
        made = new_credential()
        hashed = await asyncio.to_thread(hash_key_secret, made.secret)
        subject = Subject(SubjectKind.USER, user_id)
        async with self.bench.container.store.write() as tx:
            await tx.users.add(user)
            await tx.keys.add(ApiKey(f"key-{user_id}", made.public_id, user_id, "desk", made.prefix, hashed, NOW))
            own = await tx.policy.grants_of([SUBJECT])
            await tx.policy.add_grants(subject, [grant.model_id for grant in own], NOW)
            for group_id in group_ids:
                await tx.groups.add_members(group_id, [user_id])
            tx.changed(PolicyChange(ChangeKind.USER, user_id))
        return made.text

    async def written(self, **wanted: str) -> list[AuditEvent]:
        """What the audit log has, the oldest first; `wanted` as AuditFilter takes it."""
        async with self.bench.container.store.read() as tx:
            page = await tx.audit.page(AuditFilter(**wanted), PageRequest(100))
        return [event for event, _ in reversed(page.items)]

    async def as_user(self, user_id: str) -> Caller:
        async with self.bench.container.store.read() as tx:
            user = await tx.users.get(user_id)
        assert user is not None
        return Caller(user, actor_of(user))

    async def group(self, name: str, *user_ids: str) -> str:
        """A new group with these members; gives its id."""
        made = await self.bench.container.services.groups.create(self.admin, name)
        if user_ids:
            await self.bench.container.services.groups.add_members(self.admin, made.id, user_ids)
        return made.id


async def open_office(bench: Bench) -> Office:
    """With Ada as member and one administrator who calls nothing."""
    root = User("root", "root@example.com", "Root", Role.ADMIN, UserStatus.ACTIVE, NOW)
    async with bench.container.store.write() as tx:
        await tx.users.add(root)
        ada = await tx.users.get(SUBJECT.id)
    assert ada is not None
    return Office(bench, Caller(root, actor_of(root)), Caller(ada, actor_of(ada)))
