"""Keyset connections over `ports.pages.Page`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import strawberry

from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import Page, PageRequest

MAX_PAGE = 100

T = TypeVar("T")
N = TypeVar("N")


@strawberry.type(description="Where a page ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow.")
    end_cursor: str | None = strawberry.field(
        description="Give it as `after` to get the next page; null on an empty page."
    )


@strawberry.type(description="One row of a list.")
class Edge(Generic[N]):
    node: N = strawberry.field(description="The row itself.")
    cursor: str = strawberry.field(description="Give it as `after` to get what follows this row.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[N]):
    edges: list[Edge[N]] = strawberry.field(description="The rows of this page, in order.")
    page_info: PageInfo = strawberry.field(description="Where this page ends.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many match on all pages; counted only when asked for.")
    async def total_count(self) -> int:
        return await self.count()


def page_request(first: int, after: str | None) -> PageRequest:
    """Raises InvalidInput naming `first` outside 1 to 100."""
    if not 1 <= first <= MAX_PAGE:
        raise InvalidInput("first", f"must lie between 1 and {MAX_PAGE}")
    return PageRequest(first, after or None)


def edges_of(page: Page[T], node: Callable[[T], N]) -> list[Edge[N]]:
    return [Edge(node=node(item), cursor=cursor) for item, cursor in page.items]


def page_info(page: Page[T]) -> PageInfo:
    return PageInfo(has_next_page=page.has_next, end_cursor=page.items[-1][1] if page.items else None)


def connection(page: Page[T], node: Callable[[T], N], count: Callable[[], Awaitable[int]]) -> Connection[N]:
    """The page as the schema shows it; `count` runs only when `totalCount` is selected."""
    return Connection(edges=edges_of(page, node), page_info=page_info(page), count=count)
