"""What providers are called with: a key, or AWS's pair of keys, as one text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sluicegate.domain.catalog import KINDS, ProviderKind
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.secret import Secret
from sluicegate.kit.sigv4 import AwsKeys, parse_keys

_MAX_CREDENTIAL = 4000
_PREFIX_LENGTH = 6
# Of a shorter credential, six characters would give too much away.
_SHORT = 20
# AWS IAM User Guide, "Unique identifiers": those of users begin with AKIA, temporary ones with ASIA.
_ACCESS_KEY = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,124}", re.ASCII)
_TEMPORARY = "ASIA"


@dataclass(frozen=True, slots=True)
class NewAccessKeys:
    """`session` belongs to temporary keys."""

    access: str
    secret: Secret
    session: Secret | None = None


def credential_for(kind: ProviderKind, credential: Secret | None, keys: NewAccessKeys | None) -> Secret | None:
    """What is stored; None for none. Raises InvalidInput."""
    if keys is None:
        found = _checked(credential, "credential")
        return _checked_for_aws(found) if found and KINDS[kind].takes_access_keys else found
    if not KINDS[kind].takes_access_keys:
        raise InvalidInput("accessKeys", f"must be empty: {KINDS[kind].label} is called with a key of its own")
    if credential:
        raise InvalidInput("accessKeys", "must be empty where a credential is given: calls are made with one of them")
    access = keys.access.strip()
    if not _ACCESS_KEY.fullmatch(access):
        raise InvalidInput("accessKeys.accessKeyId", "must be an access key id, which begins with AKIA or ASIA")
    secret, session = _checked(keys.secret, "accessKeys.secretAccessKey"), keys.session
    if secret is None:
        raise InvalidInput("accessKeys.secretAccessKey", "is needed")
    session = _checked(session, "accessKeys.sessionToken")
    if access.startswith(_TEMPORARY) and session is None:
        raise InvalidInput("accessKeys.sessionToken", "is needed with a temporary key, which begins with ASIA")
    return _checked(AwsKeys(access, secret, session).text, "accessKeys")


def _checked_for_aws(credential: Secret) -> Secret:
    text = credential.reveal()
    if parse_keys(credential) is None and (":" in text or _ACCESS_KEY.fullmatch(text)):
        message = "must be an API key of Bedrock's; an access key and its secret go into accessKeys"
        raise InvalidInput("credential", message)
    return credential


def _checked(credential: Secret | None, field: str) -> Secret | None:
    if not credential:
        return None
    text = credential.reveal().strip()
    if len(text) > _MAX_CREDENTIAL:
        raise InvalidInput(field, f"must have at most {_MAX_CREDENTIAL} characters")
    if not all(33 <= ord(c) <= 126 for c in text):
        raise InvalidInput(field, "must not contain blanks, line breaks or letters beyond ASCII")
    return Secret(text) if text else None


def prefix_of(credential: Secret) -> str:
    """The beginning that people may see again."""
    text = credential.reveal()
    return f"{text[:_PREFIX_LENGTH]}…" if len(text) >= _SHORT else "…"
