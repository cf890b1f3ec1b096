"""AWS Signature Version 4 (AWS General Reference, "Create a signed AWS API request")."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sluicegate.kit.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """`session` belongs to temporary keys alone."""

    access: str
    secret: Secret
    session: Secret | None = None

    @property
    def text(self) -> Secret:
        """As one text, which `parse_keys` reads."""
        parts = [self.access, self.secret.reveal(), *([self.session.reveal()] if self.session else [])]
        return Secret(":".join(parts))


def parse_keys(credential: Secret) -> AwsKeys | None:
    """`ACCESS:SECRET` or `ACCESS:SECRET:SESSION`; None for anything else, such as a bearer key."""
    parts = credential.reveal().split(":", 2)
    if len(parts) < 2 or not all(parts) or not parts[0].isalnum():
        return None
    return AwsKeys(parts[0], Secret(parts[1]), Secret(parts[2]) if len(parts) == 3 else None)


def signed(
    keys: AwsKeys,
    *,
    region: str,
    service: str,
    method: str,
    host: str,
    target: str,
    body: bytes,
    headers: Headers,
    now: datetime,
) -> Headers:
    """The headers that make a request acceptable at `now`, which is UTC. `target` is path and query as they are sent,
    encoded once.

    `headers` are signed too and come back with the others; their names are lower-case, each there once.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    extra = [(b"x-amz-date", stamp.encode())]
    if keys.session is not None:
        extra.append((b"x-amz-security-token", keys.session.reveal().encode()))
    signing = sorted([*headers, *extra, (b"host", host.encode())])
    names = ";".join(name.decode() for name, _ in signing)
    path, _, query = target.partition("?")
    canonical = "\n".join(
        [
            method,
            # Every service but S3 wants what is encoded already encoded once more.
            quote(path, safe="/-_.~"),
            _canonical_query(query),
            *(f"{name.decode()}:{' '.join(value.decode().split())}" for name, value in signing),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(_signing_key(keys, scope), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"{_ALGORITHM} Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
    return [*headers, *extra, (b"authorization", credential.encode())]


def _canonical_query(query: str) -> str:
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _signing_key(keys: AwsKeys, scope: str) -> bytes:
    key = b"AWS4" + keys.secret.reveal().encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
