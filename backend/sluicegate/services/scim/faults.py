"""Refusals that SCIM has a word for."""

from __future__ import annotations

from sluicegate.kit.errors import AppError


class ScimFault(AppError):
    """`scim_type` is the keyword of RFC 7644, section 3.12."""

    code = "invalid_input"

    def __init__(self, scim_type: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.scim_type = scim_type
        self.status = status


def invalid_value(message: str) -> ScimFault:
    return ScimFault("invalidValue", message)


def invalid_path(message: str) -> ScimFault:
    return ScimFault("invalidPath", message)
