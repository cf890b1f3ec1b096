"""Implementations of `ports.upstream.Upstream`: the roads to the model providers and what guards them.

`Http11Upstream` is the gateway's own client and the default; `HttpxUpstream` keeps the same promises on httpx's engine.
Nothing here knows what a model, a key or a dialect is.
"""

from sluicegate.adapters.upstream.addresses import Resolver
from sluicegate.adapters.upstream.client import Http11Upstream
from sluicegate.adapters.upstream.connection import Bounds
from sluicegate.adapters.upstream.httpx_client import HttpxUpstream

__all__ = ["Bounds", "Http11Upstream", "HttpxUpstream", "Resolver"]
