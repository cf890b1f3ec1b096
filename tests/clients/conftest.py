"""One gateway for all client tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clients.gateway import Gateway, Watched, running_gateway
from clients.upstream import Upstream, running_upstream


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("data")) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with running_gateway(tmp_path_factory.mktemp("data")) as gateway, running_upstream(gateway) as upstream:
        yield upstream


@pytest.fixture
def ledger(gateway: Gateway) -> Watched:
    """What the test adds to the ledger."""
    return Watched(gateway)
