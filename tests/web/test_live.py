"""The live stream on a real socket: who sees what, and what ends it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from fakes.redis_server import RedisServer
from fakes.wire import stalls, text_chunk
from gateway.bench import CHAT, CREDENTIAL, SUBJECT, Bench, chat, running_bench
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import Budget, ChangeKind, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.services.auth import actor_of
from sluicegate.services.caller import Caller
from sluicegate.services.live import LiveService
from sluicegate.services.pictures import NearLimit, Picture
from sluicegate.services.sessions import open_session

LIVE = "/events/live"
ALL = f"{LIVE}?everyone=true"


@dataclass
class Stream:
    lines: AsyncIterator[str]

    async def event(self) -> tuple[str, Any]:
        name = data = ""
        async for line in self.lines:
            if not line:
                return name, json.loads(data)
            field, _, value = line.partition(": ")
            name, data = (value, data) if field == "event" else (name, value)
        raise AssertionError("the stream ended without saying why")

    async def picture(self, wanted: Callable[[Any], bool] = lambda _: True, within: float = 5.0) -> Any:
        """The first that is as wanted."""
        async with asyncio.timeout(within):
            while True:
                name, data = await self.event()
                if name == "picture" and wanted(data):
                    return data

    async def end(self, within: float = 5.0) -> str:
        async with asyncio.timeout(within):
            while (event := await self.event())[0] != "end":
                pass
            assert [line async for line in self.lines if line] == []
        reason: str = event[1]["reason"]
        return reason


@dataclass
class Desk:
    bench: Bench
    admin: Caller

    @property
    def live(self) -> LiveService:
        live: LiveService = self.bench.app.live
        return live

    async def cookie(self, user_id: str) -> dict[str, str]:
        container = self.bench.container
        async with container.store.write() as tx:
            user = await tx.users.get(user_id)
            assert user is not None
            token = await open_session(tx, container.clock, user, "", "")
        return {"cookie": f"sluicegate={token.reveal()}"}

    async def token(self, *scopes: TokenScope) -> dict[str, str]:
        _, secret = await self.bench.container.services.tokens.create(self.admin, "ci", scopes, None)
        return {"authorization": f"Bearer {secret.reveal()}"}

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.bench.port}", timeout=20)

    async def refused(self, path: str, headers: dict[str, str]) -> tuple[int, str]:
        async with self.client() as client:
            answer = await client.get(path, headers=headers)
        return answer.status_code, answer.json()["error"]["code"]

    @asynccontextmanager
    async def watching(self, path: str, headers: dict[str, str]) -> AsyncIterator[Stream]:
        async with self.client() as client, client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert answer.headers["cache-control"] == "no-store"
            yield Stream(answer.aiter_lines())

    async def until_alone(self, within: float = 3.0) -> None:
        async with asyncio.timeout(within):
            while self.live.watchers:  # noqa: ASYNC110 - streams signal nobody
                await asyncio.sleep(0.01)


@asynccontextmanager
async def _desk(folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240
    async with running_bench(folder, everything=True, **settings) as bench:
        now = bench.container.clock.now()
        root = User("root", "root@example.com", "Root", Role.ADMIN, UserStatus.ACTIVE, now)
        other = User("otto", "otto@example.com", "Otto", Role.MEMBER, UserStatus.ACTIVE, now)
        async with bench.container.store.write() as tx:
            await tx.users.add(root)
            await tx.users.add(other)
        yield Desk(bench, Caller(root, actor_of(root)))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with _desk(tmp_path) as desk:
        yield desk


async def test_only_who_may_see_it_gets_a_stream(desk: Desk) -> None:
    member = await desk.cookie("ada")
    assert await desk.refused(LIVE, {}) == (401, "unauthenticated")
    assert await desk.refused(LIVE, {"authorization": "Bearer sgt_x"}) == (401, "unauthenticated")
    assert await desk.refused(LIVE, await desk.token(TokenScope.USERS)) == (403, "forbidden")
    assert await desk.refused(ALL, member) == (403, "forbidden")
    assert await desk.refused(LIVE, member | {"sec-fetch-site": "cross-site"}) == (403, "forbidden")
    assert await desk.refused(f"{LIVE}?everyone=yes", member) == (400, "invalid_input")
    assert desk.live.watchers == 0
    for path, headers in ((LIVE, member), (ALL, await desk.token(TokenScope.READ)), (ALL, await desk.cookie("root"))):
        async with desk.watching(path, headers) as stream:
            assert (await stream.picture())["everyone"] is (path == ALL)


async def test_calls_and_refusals_show_to_their_owner_and_to_administrators_alone(desk: Desk) -> None:
    bench = desk.bench
    await bench.set_limits(concurrent_requests=1, output_tokens=100_000)
    bench.provider.next(stalls(text_chunk("a" * 400)))
    headers = {"x-client-app": "claude-code", "x-project": "apollo"}
    async with (
        desk.watching(ALL, await desk.cookie("root")) as everybody,
        desk.watching(LIVE, await desk.cookie("ada")) as own,
        desk.watching(LIVE, await desk.cookie("otto")) as other,
    ):
        assert (await everybody.picture())["inFlight"] == 0
        async with bench.client.stream("POST", CHAT, json=chat(stream=True), headers=headers) as call:
            body = call.aiter_raw()
            await anext(body)
            refused = await bench.client.post(CHAT, json=chat())
            assert refused.status_code == 429
            for stream in (everybody, own):
                picture = await stream.picture(lambda p: p["inFlight"] and p["refused"])
                (seen,) = picture["calls"]
                assert seen["id"] == call.headers["x-request-id"]
                assert (seen["userId"], seen["user"]) == ("ada", "Ada <ada@example.com>")
                assert (seen["keyId"], seen["key"].startswith("laptop (sg_")) == ("key-1", True)
                assert (seen["model"], seen["provider"], seen["providerModel"]) == ("team-gpt", "acme", "acme-model")
                assert (seen["clientApp"], seen["project"], seen["streamed"]) == ("claude-code", "apollo", True)
                assert (seen["inputTokens"] > 0, seen["outputTokens"]) == (True, 100)
                (refusal,) = picture["refused"]
                assert (refusal["code"], refusal["status"], refusal["count"]) == ("rate_limit_exceeded", 429, 1)
                assert (refusal["userId"], refusal["keyId"], refusal["model"]) == ("ada", "key-1", "team-gpt")
                assert refusal["retryAfter"] == int(refused.headers["retry-after"])
                assert picture["rates"]["requests"]["minute"] == 1
                (near,) = picture["nearest"]
                assert (near["kind"], near["id"], near["name"]) == ("USER", "ada", "Ada <ada@example.com>")
                assert near["uses"][1] == {"dimension": "CONCURRENT_REQUESTS", "used": 1, "limit": 1}
            nothing = await other.picture()
            assert (nothing["inFlight"], nothing["calls"], nothing["refused"], nothing["nearest"]) == (0, [], [], [])
            assert nothing["rates"]["requests"] == {"second": 0, "minute": 0}
        ended = await everybody.picture(lambda p: p["inFlight"] == 0)
        assert ended["rates"]["refusals"]["minute"] == 1
        assert ended["calls"] == []
    assert CREDENTIAL.text not in json.dumps(ended)


async def test_pools_and_keys_with_limits_of_their_own_show_beside_their_users(desk: Desk) -> None:
    container = desk.bench.container
    group = await container.services.groups.create(desk.admin, "Contractors")
    await container.services.groups.add_members(desk.admin, group.id, ["ada"])
    async with container.store.write() as tx:
        await tx.policy.set_rate_limits(Subject(SubjectKind.POOL, group.id), RateLimits(requests=4))
        await tx.policy.set_rate_limits(Subject(SubjectKind.KEY, "key-1"), RateLimits(requests=2))
        await tx.policy.set_rate_limits(SUBJECT, RateLimits(requests=0, input_tokens=5))
        await tx.policy.set_budget(SUBJECT, Budget())
        tx.changed(
            PolicyChange(ChangeKind.GROUP, group.id),
            PolicyChange(ChangeKind.KEY, "key-1"),
            PolicyChange(ChangeKind.USER, "ada"),
        )
    assert (await desk.bench.client.post(CHAT, json=chat())).status_code == 429
    await desk.bench.set_limits(requests=8)
    assert (await desk.bench.client.post(CHAT, json=chat())).status_code == 200
    async with (
        desk.watching(ALL, await desk.cookie("root")) as everybody,
        desk.watching(LIVE, await desk.cookie("ada")) as own,
        desk.watching(LIVE, await desk.cookie("otto")) as other,
    ):
        for stream in (everybody, own):
            near = (await stream.picture())["nearest"]
            assert [(n["kind"], n["name"], n["uses"][0]["used"], n["uses"][0]["limit"]) for n in near] == [
                ("KEY", "laptop", 1, 2),
                ("POOL", "Contractors", 1, 4),
                ("USER", "Ada <ada@example.com>", 1, 8),
            ]
        assert (await other.picture())["nearest"] == []


async def _suspend(desk: Desk) -> None:
    await desk.bench.container.services.users.suspend(desk.admin, "ada")


async def _end_sessions(desk: Desk) -> None:
    await desk.bench.container.services.sessions.end_all(desk.admin, "ada")


async def _delete(desk: Desk) -> None:
    await desk.bench.container.services.users.delete(desk.admin, "ada")


@pytest.mark.parametrize("lose", [_suspend, _end_sessions, _delete])
async def test_whoever_may_not_come_in_any_more_sees_nothing_more(desk: Desk, lose: Any) -> None:
    async with (
        desk.watching(LIVE, await desk.cookie("ada")) as stream,
        desk.watching(ALL, await desk.cookie("root")) as other,
    ):
        await stream.picture()
        await lose(desk)
        assert await stream.end() == "signed_out"
        assert desk.live.watchers == 1
        await desk.bench.client.post(CHAT, json=chat())
        await other.picture(lambda p: p["refused"] or p["rates"]["requests"]["minute"])


async def test_a_demoted_administrator_sees_only_what_members_see(desk: Desk) -> None:
    container = desk.bench.container
    async with container.store.write() as tx:
        now = container.clock.now()
        await tx.users.add(User("ruth", "ruth@example.com", "Ruth", Role.ADMIN, UserStatus.ACTIVE, now))
    cookie = await desk.cookie("ruth")
    async with desk.watching(ALL, cookie) as everybody, desk.watching(LIVE, cookie) as own:
        await everybody.picture()
        await own.picture()
        await container.services.users.update(desk.admin, "ruth", role=Role.MEMBER)
        assert await everybody.end() == "signed_out"
        assert desk.live.watchers == 1


async def test_a_revoked_token_ends_its_streams(desk: Desk) -> None:
    headers = await desk.token(TokenScope.READ)
    async with desk.watching(ALL, headers) as stream:
        await stream.picture()
        (token,) = await desk.bench.container.services.tokens.own(desk.admin)
        await desk.bench.container.services.tokens.revoke(desk.admin, token.id)
        assert await stream.end() == "signed_out"


async def test_a_database_that_is_away_ends_streams_rather_than_guess_who_may_watch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk.watching(LIVE, await desk.cookie("ada")) as stream:
        await stream.picture()

        def away() -> Any:
            raise OSError("no route to the database")

        monkeypatch.setattr(desk.bench.container.store, "read", away)
        assert await stream.end() == "unavailable"


async def test_streams_are_few_for_each_person_and_altogether(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = await desk.cookie("ada")
    opened = [desk.watching(LIVE, cookie) for _ in range(4)]
    streams = await asyncio.gather(*(stream.__aenter__() for stream in opened))
    answers = await asyncio.gather(*(desk.refused(LIVE, cookie) for _ in range(3)))
    assert answers == [(429, "throttled")] * 3
    monkeypatch.setattr("sluicegate.services.live._MAX_STREAMS", 4)
    assert await desk.refused(LIVE, await desk.cookie("otto")) == (429, "throttled")
    assert all([await stream.picture() for stream in streams])
    for stream in opened:
        await stream.__aexit__(None, None, None)
    await desk.until_alone()
    async with desk.watching(LIVE, cookie) as again:
        await again.picture()


async def test_nothing_is_left_of_whoever_leaves(desk: Desk) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(3):
        async with desk.watching(LIVE, await desk.cookie("ada")) as stream:
            await stream.picture()
        await desk.until_alone()
    async with asyncio.timeout(20):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - tasks signal nobody
            await asyncio.sleep(0.01)


async def test_a_quiet_stream_still_tells_that_it_is_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluicegate.web.live.HEARTBEAT_SECONDS", 0.05)
    async with desk.watching(LIVE, await desk.cookie("ada")) as stream:
        await stream.picture()
        assert await stream.event() == ("heartbeat", {})


async def test_a_reader_who_takes_nothing_is_dropped_and_nothing_is_kept_for_him(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.web.live.STALLED_SECONDS", 0.2)
    monkeypatch.setattr("sluicegate.cli.joining._STUCK_SECONDS", 0.2)
    cookie = (await desk.cookie("ada"))["cookie"]
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", desk.bench.port))
        await loop.sock_sendall(slow, f"GET {LIVE} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n".encode())
        async with asyncio.timeout(5):
            while not (watchers := list(desk.live._watchers)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        (watcher,) = watchers
        (picture,) = (await desk.live._pictures(["ada"])).values()
        told = 0
        deadline = time.monotonic() + 10
        while desk.live.watchers and time.monotonic() < deadline:
            told += 1
            watcher.tell(_large(picture, told))
            await asyncio.sleep(0)
        assert desk.live.watchers == 0
        assert told > 3
        async with asyncio.timeout(5):
            # What is still in the buffers, and then the end, or no more than news that the other side is gone.
            with suppress(ConnectionResetError):
                while await loop.sock_recv(slow, 65536):
                    pass


def _large(picture: Picture, number: int) -> Picture:
    return msgspec.structs.replace(picture, in_flight=number, nearest=[NearLimit("USER", "ada", "x" * 200_000, ())])


@pytest.mark.embedded
async def test_whichever_server_is_asked_shows_what_goes_on_at_all(tmp_path: Path, redis_url: str) -> None:
    name = f"test-{uuid4().hex}"
    shared = {"redis_url": redis_url, "redis_prefix": name}
    async with _desk(tmp_path / "one", **shared) as one, _desk(tmp_path / "two", **shared) as two:
        await one.bench.set_limits(concurrent_requests=2, output_tokens=100_000)
        calls = [desk.bench.client.stream("POST", CHAT, json=chat(stream=True)) for desk in (one, two)]
        for desk in (one, two):
            desk.bench.provider.next(stalls(text_chunk("a" * 400)))
        async with (
            two.watching(ALL, await two.cookie("root")) as everybody,
            two.watching(LIVE, await two.cookie("ada")) as own,
            two.watching(LIVE, await two.cookie("otto")) as other,
        ):
            # Of a call that the asked server does not carry, and of a limit that it has not met.
            async with calls[0] as call:
                body = call.aiter_raw()
                await anext(body)
                assert (await one.bench.client.post(CHAT, json=chat(model="unheard-of"))).status_code == 404
                for stream in (everybody, own):
                    picture = await stream.picture(lambda p: p["inFlight"] and p["refused"], within=20)
                    (seen,) = picture["calls"]
                    assert (seen["id"], seen["userId"]) == (call.headers["x-request-id"], "ada")
                    (refusal,) = picture["refused"]
                    assert (refusal["code"], refusal["model"]) == ("model_not_found", "unheard-of")
                    (near,) = picture["nearest"]
                    assert {"dimension": "CONCURRENT_REQUESTS", "used": 1, "limit": 2} in near["uses"]
                    assert (picture["alone"], picture["rates"]["requests"]["minute"]) == (False, 1)
                # Both together, each once.
                assert (await two.bench.client.post(CHAT, json=chat(model="unheard-of"))).status_code == 404
                async with calls[1] as further:
                    more = further.aiter_raw()
                    await anext(more)
                    for stream in (everybody, own):
                        picture = await stream.picture(
                            lambda p: p["inFlight"] == 2 and p["refused"][0]["count"] == 2, within=20
                        )
                        ids = [call.headers["x-request-id"], further.headers["x-request-id"]]
                        assert [seen["id"] for seen in picture["calls"]] == ids
                        assert len(picture["nearest"]) == len(picture["refused"]) == 1
                nothing = await other.picture()
                assert (nothing["inFlight"], nothing["calls"], nothing["refused"]) == (0, [], [])
                client = Redis.from_url(redis_url)
                views = await client.hgetall(f"{{{name}}}:live:views")
                assert len(views) >= 3
                assert not any(word in view for view in views.values() for word in (b"ada", b"team-gpt", b"laptop"))
            ended = await everybody.picture(lambda p: p["inFlight"] == 0, within=20)
            assert ended["rates"]["refusals"]["minute"] == 2
        # Nobody watches any more, so nobody is asked to show anything.
        await two.until_alone()
        async with asyncio.timeout(30):
            while await client.exists(f"{{{name}}}:live:wanted", f"{{{name}}}:live:views"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await client.aclose()


@pytest.mark.embedded
async def test_without_redis_a_server_shows_its_own_and_says_so(tmp_path: Path) -> None:
    async with RedisServer() as server:
        shared = {"redis_url": server.url}
        async with _desk(tmp_path / "one", **shared) as one, _desk(tmp_path / "two", **shared) as two:
            for desk in (one, two):
                assert (await desk.bench.client.post(CHAT, json=chat(model="unheard-of"))).status_code == 404
            async with two.watching(ALL, await two.cookie("root")) as stream:
                together = await stream.picture(lambda p: p["refused"] and p["refused"][0]["count"] == 2, within=20)
                assert not together["alone"]
                await server.kill()
                alone = await stream.picture(lambda p: p["alone"], within=20)
                assert alone["refused"][0]["count"] == 1
                await server.start()
                await stream.picture(lambda p: not p["alone"] and p["refused"][0]["count"] == 2, within=30)
