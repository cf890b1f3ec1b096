"""Signatures as AWS's own library makes them; the expected ones were computed with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluicegate.gateway.providers.sigv4 import AwsKeys, parse_keys, signed
from sluicegate.kit.secret import Secret

_PLAIN = "c2aa935c6816fdaff7fc72430540b2b54784c8b845fd5ecf3f66a0b49b296368"
_TEMPORARY = "3dc47adaeaf3e43253cca24fb652fe0fc66a7963317e75741248d88c0c939d68"


@pytest.mark.parametrize(("session", "signature"), [(None, _PLAIN), ("SESS/+==", _TEMPORARY)])
def test_a_signature_is_the_one_that_aws_expects(session: str | None, signature: str) -> None:
    headers = signed(
        AwsKeys("AKIDEXAMPLE", Secret("s/ecret+key"), Secret(session) if session else None),
        region="us-east-1",
        service="bedrock",
        host="bedrock-runtime.us-east-1.amazonaws.com",
        path="/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/invoke",
        body=b'{"a":1}',
        headers=[(b"content-type", b"application/json"), (b"accept", b"*/*")],
        now=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
    )
    found = dict(headers)
    names = "accept;content-type;host;x-amz-date" + (";x-amz-security-token" if session else "")
    assert found[b"authorization"].decode() == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/bedrock/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    assert found[b"x-amz-date"] == b"20261124T120000Z"
    assert found.get(b"x-amz-security-token") == (session.encode() if session else None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("AKIA1:secret", ("AKIA1", "secret", None)),
        ("AKIA1:se/cret:ses:sion==", ("AKIA1", "se/cret", "ses:sion==")),
        ("ABSKQmVkcm9ja0FQSUtleQ==", None),
        ("AKIA1:", None),
        (":secret", None),
        ("not a key:secret", None),
    ],
)
def test_access_keys_are_told_from_bearer_keys(text: str, parts: tuple[str, str, str | None] | None) -> None:
    keys = parse_keys(Secret(text))
    if parts is None:
        assert keys is None
    else:
        assert keys is not None
        assert (keys.access, keys.secret.reveal()) == parts[:2]
        assert (keys.session.reveal() if keys.session else None) == parts[2]
