"""Answers that several mutations give."""

from __future__ import annotations

import strawberry


@strawberry.type(description="Something is gone.")
class DeletedPayload:
    id: strawberry.ID = strawberry.field(description="Its former id.")


def deleted(id: strawberry.ID) -> DeletedPayload:
    return DeletedPayload(id=id)
