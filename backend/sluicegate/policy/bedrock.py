"""Where Amazon Bedrock is called, and how a request to it proves whose it is.

Its runtime answers calls, its control plane lists what can be called. Both want requests that are signed for the
service `bedrock`, or one of Bedrock's API keys as a bearer (Amazon Bedrock API Reference).
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote, urlsplit

from sluicegate.domain.catalog import KINDS, Provider, ProviderKind
from sluicegate.kit.secret import Secret
from sluicegate.kit.sigv4 import parse_keys, signed
from sluicegate.ports.upstream import Origin, RawHeaders

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}", re.ASCII)
_RUNTIME = "bedrock-runtime"
# Profiles are called by names that put where they route to in front: `us.anthropic.claude-…`.
_PREFIXED = re.compile(r"^[a-z-]{2,10}\.(?=anthropic\.)")
_FOUNDATION = re.compile(r"anthropic\.[\w.:-]+")


def is_region(text: str) -> bool:
    return _REGION.fullmatch(text) is not None


def runtime_address(provider: Provider) -> tuple[Origin, str] | None:
    """Origin and base path of the runtime; None for a provider without a region."""
    if provider.region is None:
        return None
    parts = urlsplit(provider.base_url or _usual(provider.region))
    return Origin.of(parts), parts.path.rstrip("/")


def control_address(provider: Provider) -> tuple[Origin, str] | None:
    """Origin and base path of the control plane: AWS has it beside the runtime under another name; any other address,
    such as that of a proxy, stands for both."""
    address = runtime_address(provider)
    if address is None:
        return None
    origin, path = address
    first, dot, rest = origin.host.partition(".")
    if dot and first.startswith(_RUNTIME):
        origin = Origin(origin.scheme, f"bedrock{first.removeprefix(_RUNTIME)}.{rest}", origin.port)
    return origin, path


def _usual(region: str) -> str:
    address = (KINDS[ProviderKind.BEDROCK].default_base_url or "").format(region=region)
    return f"{address}.cn" if region.startswith("cn-") else address


def model_path(model: str, action: str) -> str:
    """The path of what is asked of a model, a profile or the ARN of either."""
    return f"/model/{quote(model, safe='-._~')}/{action}"


def foundation_model(model: str) -> str | None:
    """The foundation model behind a name or ARN; None where the name does not tell."""
    name = _PREFIXED.sub("", model.rpartition("/")[2])
    return name if _FOUNDATION.fullmatch(name) else None


def proven(
    headers: RawHeaders,
    credential: Secret,
    *,
    region: str,
    method: str,
    origin: Origin,
    target: str,
    body: bytes,
    now: datetime,
) -> RawHeaders:
    """Headers that are good at `now`, which is UTC, for a few minutes. `target` is path and query as they are sent."""
    keys = parse_keys(credential)
    if keys is None:
        return [*headers, (b"authorization", b"Bearer " + credential.reveal().encode())]
    return signed(
        keys,
        region=region,
        service="bedrock",
        method=method,
        host=origin.authority,
        target=target,
        body=body,
        headers=headers,
        now=now,
    )
