"""Assistants that sign in by way of a browser."""

from __future__ import annotations

from edge_graphql.operations.operation import AT, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

_ASKED = {
    "userCode": "WDJB-MJHT",
    "program": "Claude Code",
    "address": "10.0.0.7",
    "createdAt": AT,
    "expiresAt": "2026-11-24T12:10:00.000Z",
}
_FIELDS = "userCode program address createdAt expiresAt"
_TOKENS = {"token": "forbidden", "mia-token": "forbidden"}

OPERATIONS = {
    "deviceSignIn": Operation(
        f"query ($userCode: String!) {{ deviceSignIn(userCode: $userCode) {{ {_FIELDS} }} }}",
        Role.MEMBER,
        TokenScope.READ,
        {"userCode": "wdjb mjht"},
        _ASKED,
        by="mia",
        codes=_TOKENS,
        faults=(
            bad("not_found", "userCode", userCode="BBBB-BBBB"),
            bad("not_found", "userCode", userCode="x" * 10_000),
            bad("not_found", "userCode", userCode=""),
        ),
    ),
    "answerDeviceSignIn": Operation(
        "mutation ($userCode: String!, $approve: Boolean!) "
        f"{{ answerDeviceSignIn(userCode: $userCode, approve: $approve) {{ signIn {{ {_FIELDS} }} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"userCode": "WDJB-MJHT", "approve": True},
        {"signIn": _ASKED},
        by="mia",
        codes=_TOKENS,
        faults=(bad("not_found", "userCode", userCode="BBBB-BBBB", approve=True),),
        audit=("device_sign_in.approve", "mia"),
    ),
}
