"""Implementations of `ports.upstream.Upstream`: the roads to the model providers and what guards them.

`Http11Upstream` is the gateway's own client and the default; `httpx_client.HttpxUpstream` keeps the same promises on
httpx's engine, which only servers load that are set to it. Nothing here knows what a model, a key or a dialect is.
"""

from sluicegate.adapters.upstream.addresses import Resolver
from sluicegate.adapters.upstream.client import Http11Upstream
from sluicegate.adapters.upstream.connection import Bounds

__all__ = ["Bounds", "Http11Upstream", "Resolver"]
