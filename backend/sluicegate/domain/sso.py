"""Single sign-on by OpenID Connect: what an administrator sets, and what an identity provider tells of a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.text import check_visible, composed

CALLBACK_PATH = "/auth/sso/callback"
SECRET_PLACE = "sso:sso"  # noqa: S105
DEFAULT_GROUPS_CLAIM = "groups"
# Asked for always: who it is, the address that finds an account, and the name.
BASE_SCOPES = ("openid", "email", "profile")
MAX_MAPPINGS = 500
MAX_VALUE_LENGTH = 250
MAX_SUBJECT_LENGTH = 255
_MAX_CLIENT_ID_LENGTH = 255
_MAX_SECRET_LENGTH = 1000
_MAX_LABEL_LENGTH = 60
_MAX_CLAIM_LENGTH = 200
_MAX_LIST = 50
_MAX_NAME_LENGTH = 120
# RFC 6749, section 3.3.
_SCOPE = re.compile(r"[!#-\[\]-~]{1,100}")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


class SignInWay(StrEnum):
    """How somebody came in: with a password, with a one-time link, or through the identity provider."""

    PASSWORD = "password"  # noqa: S105
    LINK = "link"
    SSO = "sso"


@dataclass(frozen=True, slots=True)
class LastSignIn:
    user_id: str
    at: datetime
    way: SignInWay


class SsoProblem(StrEnum):
    """Why somebody could not come in, as far as that person may know it."""

    OFF = "off"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    CHANGED = "changed"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NO_EMAIL = "no_email"
    UNVERIFIED = "unverified"
    NO_ACCOUNT = "no_account"
    DOMAIN = "domain"
    SUSPENDED = "suspended"
    OTHER_IDENTITY = "other_identity"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class SsoSettings:
    """Where people sign in and what that gives them. The client secret is kept apart, sealed; `domains` are those of
    the e-mail addresses of people who are created, any when there is none."""

    enabled: bool = False
    issuer: str = ""
    client_id: str = ""
    label: str = ""
    scopes: tuple[str, ...] = ()
    groups_claim: str = DEFAULT_GROUPS_CLAIM
    creates_people: bool = False
    domains: tuple[str, ...] = ()
    members_use_passwords: bool = True
    trusts_email: bool = False
    admin_values: tuple[str, ...] = ()
    secret_updated_at: datetime | None = None

    @property
    def all_scopes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*BASE_SCOPES, *self.scopes)))

    @property
    def button(self) -> str:
        """What the button on the sign-in page names."""
        return self.label or "single sign-on"


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """Whoever has `value` in the groups claim is a member of the group."""

    value: str
    group_id: str


@dataclass(frozen=True, slots=True)
class Identity:
    """An account at an issuer that is linked to a person. `email` is what the issuer told last."""

    id: str
    user_id: str
    issuer: str
    subject: str
    email: str
    linked_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What an issuer says of a person. `email_verified` is None where it says nothing of it, `groups` where the claim
    is missing."""

    issuer: str
    subject: str
    email: str
    email_verified: bool | None
    name: str
    groups: tuple[str, ...] | None


def read_claims(claims: Mapping[str, Any], groups_claim: str) -> Told:
    """From the claims of an ID token that was checked; whatever has the wrong type counts as missing."""
    verified = claims.get("email_verified")
    # Some issuers write it as text.
    if isinstance(verified, str):
        verified = {"true": True, "false": False}.get(verified.lower())
    return Told(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        email=_text(claims, "email"),
        email_verified=verified if isinstance(verified, bool) else None,
        name=_visible(_text(claims, "name")),
        groups=claim_values(claims, groups_claim),
    )


def claim_values(claims: Mapping[str, Any], path: str) -> tuple[str, ...] | None:
    """The texts of a claim, None when it is missing. A claim of just this name goes before one that is nested, since
    names that are addresses have full stops in them."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = cast("Mapping[str, Any]", found).get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list):
        return None
    return tuple(composed(value) for value in cast("list[Any]", found) if isinstance(value, str))


def parse_label(text: str) -> str:
    label = composed(text)
    if len(label) > _MAX_LABEL_LENGTH:
        raise InvalidInput("label", f"must have at most {_MAX_LABEL_LENGTH} characters")
    check_visible(label, "label")
    return label


def parse_client_id(text: str) -> str:
    client_id = text.strip()
    if len(client_id) > _MAX_CLIENT_ID_LENGTH or not all(" " < c <= "~" for c in client_id):
        raise InvalidInput(
            "clientId", f"must have at most {_MAX_CLIENT_ID_LENGTH} characters, all of them visible ASCII"
        )
    return client_id


def parse_client_secret(text: str) -> str:
    secret = text.strip()
    if not 0 < len(secret) <= _MAX_SECRET_LENGTH or not all(" " <= c <= "~" for c in secret):
        raise InvalidInput("clientSecret", f"must have 1 to {_MAX_SECRET_LENGTH} characters, all of them visible ASCII")
    return secret


def parse_scopes(values: Sequence[str]) -> tuple[str, ...]:
    """Without those that are asked for anyhow."""
    scopes = _listed(values, "scopes")
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise InvalidInput("scopes", f"{scope[:80]!r} is no scope; write them one by one, without blanks")
    return tuple(scope for scope in scopes if scope not in BASE_SCOPES)


def parse_groups_claim(text: str) -> str:
    claim = text.strip()
    if not claim or len(claim) > _MAX_CLAIM_LENGTH:
        raise InvalidInput(
            "groupsClaim", f"must have 1 to {_MAX_CLAIM_LENGTH} characters, such as groups or realm_access.roles"
        )
    check_visible(claim, "groupsClaim")
    return claim


def parse_domains(values: Sequence[str]) -> tuple[str, ...]:
    domains = tuple(dict.fromkeys(value.lower().removeprefix("@") for value in _listed(values, "domains")))
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            raise InvalidInput("domains", f"{domain[:80]!r} is not the domain of an e-mail address, like example.com")
    return domains


def parse_values(values: Sequence[str], field: str) -> tuple[str, ...]:
    """Values of the groups claim, which are compared letter by letter."""
    listed = _listed(values, field, MAX_MAPPINGS)
    for value in listed:
        if len(value) > MAX_VALUE_LENGTH:
            raise InvalidInput(field, f"must have at most {MAX_VALUE_LENGTH} characters each")
        check_visible(value, field)
    return listed


def _listed(values: Sequence[str], field: str, most: int = _MAX_LIST) -> tuple[str, ...]:
    listed = tuple(dict.fromkeys(composed(value) for value in values))
    if "" in listed:
        raise InvalidInput(field, "must not hold an empty entry")
    if len(listed) > most:
        raise InvalidInput(field, f"takes at most {most} entries")
    return listed


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _visible(name: str) -> str:
    """A name that can be shown, empty where it cannot."""
    name = composed(name)[:_MAX_NAME_LENGTH].strip()
    try:
        check_visible(name, "name")
    except InvalidInput:
        return ""
    return name
