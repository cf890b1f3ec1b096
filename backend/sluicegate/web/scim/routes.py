"""The routes below /scim/v2."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sluicegate.kit.errors import Unauthenticated
from sluicegate.services.caller import Caller
from sluicegate.services.scim.groups import ScimGroups, groups_match
from sluicegate.services.scim.paths import is_plain, parse_filter
from sluicegate.services.scim.people import ScimPeople, people_match
from sluicegate.services.scim.tokens import ScimTokenService
from sluicegate.web.requests import address_of
from sluicegate.web.scim import discovery
from sluicegate.web.scim.messages import NoSuchEndpoint, NotOffered, ScimRoute, WrongMethod, answer, read_body
from sluicegate.web.scim.shapes import (
    Asked,
    asked_by_body,
    asked_by_query,
    cut_of,
    group_resource,
    listed,
    user_resource,
)

PREFIX = "/scim/v2"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

Known = Callable[[Request], Awaitable[Caller]]


class _Paths(NamedTuple):
    many: str
    one: str
    search: str


_USERS = _Paths("/Users", "/Users/{user_id}", "/Users/.search")
_GROUPS = _Paths("/Groups", "/Groups/{group_id}", "/Groups/.search")


def scim_routes(tokens: ScimTokenService, people: ScimPeople, groups: ScimGroups) -> APIRouter:
    """Every one of them, also those that do not exist, needs a token."""

    async def known(request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Send a provisioning token as Authorization: Bearer.")
        return await tokens.caller(token.strip(), address_of(request))

    def base() -> str:
        return tokens.base_url

    router = APIRouter(prefix=PREFIX, route_class=ScimRoute)
    _add_discovery(router, known, base)
    _add_users(router, known, base, people)
    _add_groups(router, known, base, groups)
    _add_the_rest(router, known)
    return router


def _id(text: str) -> str:
    """Of what an address names; raises NotFound for what no id is."""
    if not is_plain(text):
        raise NoSuchEndpoint
    return text


def _add_discovery(router: APIRouter, known: Known, base: Callable[[], str]) -> None:
    @router.get("/ServiceProviderConfig")
    async def config(request: Request) -> Response:
        await known(request)
        return await answer(discovery.service_provider_config(base()))

    async def all_of(request: Request, found: list[dict[str, Any]]) -> Response:
        await known(request)
        return await answer(listed(found, len(found), 1))

    async def one_of(request: Request, found: list[dict[str, Any]], name: str) -> Response:
        await known(request)
        for each in found:
            if each["id"].lower() == name.lower():
                return await answer(each)
        raise NoSuchEndpoint

    @router.get("/ResourceTypes")
    async def resource_types(request: Request) -> Response:
        return await all_of(request, discovery.resource_types(base()))

    @router.get("/ResourceTypes/{name}")
    async def resource_type(request: Request, name: str) -> Response:
        return await one_of(request, discovery.resource_types(base()), name)

    @router.get("/Schemas")
    async def schemas(request: Request) -> Response:
        return await all_of(request, discovery.schemas(base()))

    @router.get("/Schemas/{name}")
    async def schema(request: Request, name: str) -> Response:
        return await one_of(request, discovery.schemas(base()), name)


def _add_users(router: APIRouter, known: Known, base: Callable[[], str], people: ScimPeople) -> None:
    async def found(caller: Caller, asked: Asked) -> Response:
        where = people_match(parse_filter(asked.filter)) if asked.filter is not None else []
        with_groups = asked.cut.wants("groups")
        total, persons = await people.page(caller, where, asked.start - 1, asked.count, groups=with_groups)
        resources = [asked.cut.of(user_resource(person, base())) for person in persons]
        return await answer(listed(resources, total, asked.start))

    @router.get(_USERS.many)
    async def users(request: Request) -> Response:
        return await found(await known(request), asked_by_query(request.query_params))

    @router.post(_USERS.search)
    async def search(request: Request) -> Response:
        caller = await known(request)
        return await found(caller, asked_by_body(await read_body(request)))

    @router.post(_USERS.many)
    async def create(request: Request) -> Response:
        caller = await known(request)
        person = await people.create(caller, await read_body(request))
        resource = user_resource(person, base())
        return await answer(cut_of(request.query_params).of(resource), 201, resource["meta"]["location"])

    @router.get(_USERS.one)
    async def user(request: Request, user_id: str) -> Response:
        caller, cut = await known(request), cut_of(request.query_params)
        person = await people.get(caller, _id(user_id), groups=cut.wants("groups"))
        return await answer(cut.of(user_resource(person, base())))

    @router.put(_USERS.one)
    async def replace(request: Request, user_id: str) -> Response:
        caller = await known(request)
        person = await people.replace(caller, _id(user_id), await read_body(request))
        return await answer(cut_of(request.query_params).of(user_resource(person, base())))

    @router.patch(_USERS.one)
    async def patch(request: Request, user_id: str) -> Response:
        caller = await known(request)
        person = await people.patch(caller, _id(user_id), await read_body(request))
        return await answer(cut_of(request.query_params).of(user_resource(person, base())))

    @router.delete(_USERS.one)
    async def delete(request: Request, user_id: str) -> Response:
        await people.delete(await known(request), _id(user_id))
        return Response(status_code=204)


def _add_groups(router: APIRouter, known: Known, base: Callable[[], str], groups: ScimGroups) -> None:
    async def found(caller: Caller, asked: Asked) -> Response:
        where = groups_match(parse_filter(asked.filter)) if asked.filter is not None else []
        with_members = asked.cut.wants("members")
        total, some = await groups.page(caller, where, asked.start - 1, asked.count, members=with_members)
        resources = [asked.cut.of(group_resource(each, base())) for each in some]
        return await answer(listed(resources, total, asked.start))

    @router.get(_GROUPS.many)
    async def many(request: Request) -> Response:
        return await found(await known(request), asked_by_query(request.query_params))

    @router.post(_GROUPS.search)
    async def search(request: Request) -> Response:
        caller = await known(request)
        return await found(caller, asked_by_body(await read_body(request)))

    @router.post(_GROUPS.many)
    async def create(request: Request) -> Response:
        caller, cut = await known(request), cut_of(request.query_params)
        group = await groups.create(caller, await read_body(request), members=cut.wants("members"))
        resource = group_resource(group, base())
        return await answer(cut.of(resource), 201, resource["meta"]["location"])

    @router.get(_GROUPS.one)
    async def one(request: Request, group_id: str) -> Response:
        caller, cut = await known(request), cut_of(request.query_params)
        group = await groups.get(caller, _id(group_id), members=cut.wants("members"))
        return await answer(cut.of(group_resource(group, base())))

    @router.put(_GROUPS.one)
    async def replace(request: Request, group_id: str) -> Response:
        caller, cut = await known(request), cut_of(request.query_params)
        group = await groups.replace(caller, _id(group_id), await read_body(request), members=cut.wants("members"))
        return await answer(cut.of(group_resource(group, base())))

    @router.patch(_GROUPS.one)
    async def patch(request: Request, group_id: str) -> Response:
        # Without a body, which would hold every member.
        await groups.patch(await known(request), _id(group_id), await read_body(request))
        return Response(status_code=204)

    @router.delete(_GROUPS.one)
    async def delete(request: Request, group_id: str) -> Response:
        await groups.delete(await known(request), _id(group_id))
        return Response(status_code=204)


def _add_the_rest(router: APIRouter, known: Known) -> None:
    ends = ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas", *_USERS, *_GROUPS)

    async def wrong_method(request: Request) -> Response:
        await known(request)
        raise WrongMethod

    async def nothing(request: Request) -> Response:
        await known(request)
        raise NoSuchEndpoint

    async def not_offered(request: Request) -> Response:
        await known(request)
        raise NotOffered

    for path in ("/Me", "/Bulk", "/.search"):
        router.add_api_route(path, not_offered, methods=_METHODS)
    for path in ends:
        router.add_api_route(path, wrong_method, methods=_METHODS)
    router.add_api_route("/{rest:path}", nothing, methods=_METHODS)
