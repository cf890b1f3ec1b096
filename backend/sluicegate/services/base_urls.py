"""Addresses of providers, as administrators type them: taken apart, checked and put together again.

A name that resolves to a private address is not caught here but where it is connected to, since it may change.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.network import is_public

_FIELD = "baseUrl"
_SETTING = "SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"
_WEBHOOK_SETTING = "SLUICEGATE_ALLOW_PRIVATE_WEBHOOKS"
_ISSUER_SETTING = "SLUICEGATE_ALLOW_PRIVATE_ISSUERS"
_MAX_LENGTH = 500
_MAX_QUERY = 400
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*")
# Resolvers read 127.1, 0x7f000001 and 2130706433 as addresses too, so nothing that ends like these passes as a name.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


def parse_webhook_url(text: str, *, allow_private: bool) -> str:
    """As `parse_base_url`, of an endpoint of somebody else's: it may have a query, and keeps a slash at the end."""
    plain, mark, query = text.strip().partition("?")
    if len(query) > _MAX_QUERY or not _QUERY.fullmatch(query):
        raise InvalidInput("url", f"has a query that cannot be taken; it may have {_MAX_QUERY} characters, no fragment")
    base = _parse(plain, "url", _WEBHOOK_SETTING, allow_private=allow_private)
    slash = "/" if plain.endswith("/") else ""
    return f"{base}{slash}{mark}{query}"


def parse_issuer(text: str, *, allow_private: bool) -> str:
    """As `parse_base_url`, of an identity provider: by https, since people are known by what it says, and with a slash
    at the end where it has one, since issuers are compared letter by letter."""
    plain = text.strip()
    base = _parse(plain, "issuer", _ISSUER_SETTING, allow_private=allow_private)
    if base.startswith("http://") and not allow_private:
        raise InvalidInput("issuer", f"must begin with https://; set {_ISSUER_SETTING}=true to allow http, for trials")
    return base + ("/" if plain.endswith("/") else "")


def parse_base_url(text: str, *, allow_private: bool) -> str:
    """The address rebuilt from its parts, without a slash at the end; raises InvalidInput."""
    return _parse(text, _FIELD, _SETTING, allow_private=allow_private)


def _parse(text: str, field: str, setting: str, *, allow_private: bool) -> str:
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        raise InvalidInput(field, f"must have at most {_MAX_LENGTH} characters")
    if not text.isascii() or any(ord(c) <= 32 or ord(c) == 127 or c == "\\" for c in text):
        raise InvalidInput(field, "must not contain blanks, control characters, backslashes or letters beyond ASCII")
    if "?" in text or "#" in text:
        raise InvalidInput(field, "must have neither a query nor a fragment")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidInput(field, "is not an address; write it like https://api.example.com/v1") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(field, "must begin with https:// or http:// and name a host")
    if "@" in parts.netloc:
        raise InvalidInput(field, "must not contain a user name or password; the credential has its own field")
    if port == 0:
        raise InvalidInput(field, "names a port that does not exist")
    host = _checked_host(parts.hostname, field, setting, allow_private=allow_private)
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{_checked_path(parts.path, field)}"


def _checked_path(path: str, field: str) -> str:
    path = path.rstrip("/")
    if not _PATH.fullmatch(path) or any(segment in (".", "..") for segment in path.split("/")):
        raise InvalidInput(field, "has a path that cannot be taken; write it like https://api.example.com/v1")
    return path


def _checked_host(host: str, field: str, setting: str, *, allow_private: bool) -> str:
    host = host.lower().removesuffix(".")
    address = _literal(host)
    if address is not None:
        public = is_public(str(address))
        shown = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    else:
        labels = host.split(".")
        if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)) or _NUMERIC_LABEL.fullmatch(labels[-1]):
            raise InvalidInput(field, f"{host!r} is not a host name")
        public = labels[-1] != "localhost"
        shown = host
    if not public and not allow_private:
        raise InvalidInput(field, f"{host} is a private address; set {setting}=true to allow it")
    return shown


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
