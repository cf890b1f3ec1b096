"""The suite of scim2-tester, which checks servers against RFC 7643 and RFC 7644."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server, filling
from scim2_tester.checkers import patch_add, patch_replace

from scim.desk import BASE, Desk

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite knows no userName but random ones, where this server takes addresses."""
    usual = filling.generate_random_value

    def generate(context: Any, path: Any, *args: Any, **more: Any) -> Any:
        value = usual(context, path, *args, **more)
        return f"{uuid4()}@example.com" if value is not None and str(path).endswith("userName") else value

    for module in (filling, patch_add, patch_replace):
        monkeypatch.setattr(module, "generate_random_value", generate)


async def test_the_server_passes_the_suite(desk: Desk) -> None:
    def run() -> list[Any]:
        headers = {"authorization": f"Bearer {desk.token}"}
        with httpx2.Client(base_url=desk.url + BASE, headers=headers, timeout=60) as http:
            return list(check_server(SyncSCIMClient(http)))

    results = await asyncio.to_thread(run)
    failed = [
        (each.title, each.resource_type, str(each.reason))
        for each in results
        if each.status in (Status.ERROR, Status.CRITICAL)
    ]
    # Everybody is active or not: there is no third state that a removal could lead to.
    assert failed == [("check_remove_attribute", "User", "PATCH modify() did not remove attribute 'active'")]
    assert Counter(each.status for each in results)[Status.SUCCESS] > 50
