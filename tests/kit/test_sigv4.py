"""Signatures as AWS publishes them in its test suite and its own worked example, and as its own library makes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluicegate.kit.secret import Secret
from sluicegate.kit.sigv4 import AwsKeys, Headers, parse_keys, signed

_PUBLISHED = AwsKeys("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
_FORM = b"application/x-www-form-urlencoded"
_RUNTIME = "bedrock-runtime.us-east-1.amazonaws.com"
_INVOKE = "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/invoke"
_PROFILE = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/invoke"
_JSON = (b"content-type", b"application/json")
_ANY = (b"accept", b"*/*")


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "signature"),
    [
        # get-vanilla, post-vanilla, get-vanilla-query-order-key-case, get-vanilla-query-order-value,
        # post-x-www-form-urlencoded of the published suite.
        ("GET", "/", [], b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", [], b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            [],
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/?Param1=value2&Param1=Value1",
            [],
            b"",
            "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
        ),
        (
            "POST",
            "/",
            [(b"content-type", _FORM)],
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_the_published_suite_is_signed_as_it_says(
    method: str, target: str, headers: Headers, body: bytes, signature: str
) -> None:
    made = signed(
        _PUBLISHED,
        region="us-east-1",
        service="service",
        method=method,
        host="example.amazonaws.com",
        target=target,
        body=body,
        headers=headers,
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert dict(made)[b"authorization"].decode().endswith(f"Signature={signature}")


def test_the_worked_example_is_signed_as_it_says() -> None:
    made = signed(
        _PUBLISHED,
        region="us-east-1",
        service="iam",
        method="GET",
        host="iam.amazonaws.com",
        target="/?Action=ListUsers&Version=2010-05-08",
        body=b"",
        headers=[(b"content-type", _FORM + b"; charset=utf-8")],
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert dict(made)[b"authorization"].decode() == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


@pytest.mark.parametrize(
    ("session", "method", "host", "target", "body", "headers", "signature"),
    [
        (
            None,
            "POST",
            _RUNTIME,
            _INVOKE,
            b'{"a":1}',
            [_JSON, _ANY],
            "c2aa935c6816fdaff7fc72430540b2b54784c8b845fd5ecf3f66a0b49b296368",
        ),
        (
            "SESS/+==",
            "POST",
            _RUNTIME,
            _INVOKE,
            b'{"a":1}',
            [_JSON, _ANY],
            "3dc47adaeaf3e43253cca24fb652fe0fc66a7963317e75741248d88c0c939d68",
        ),
        (
            None,
            "GET",
            "bedrock.us-east-1.amazonaws.com",
            "/inference-profiles?type=SYSTEM_DEFINED&maxResults=1000",
            b"",
            [(b"accept", b"application/json")],
            "af7467a7e457ef309388c50a142cf155eeb40793ef3b0d81494770e67e0298be",
        ),
        (
            None,
            "POST",
            "127.0.0.1:9100",
            _PROFILE,
            b"{}",
            [_JSON],
            "66361839f5b25460d9fc4a7b43441c534eea35f85a848283379f0341cda8e95a",
        ),
    ],
)
def test_calls_of_bedrock_are_signed_as_by_botocore(
    session: str | None, method: str, host: str, target: str, body: bytes, headers: Headers, signature: str
) -> None:
    """The signatures were made with botocore 1.44.8."""
    made = dict(
        signed(
            AwsKeys("AKIDEXAMPLE", Secret("s/ecret+key"), Secret(session) if session else None),
            region="us-east-1",
            service="bedrock",
            method=method,
            host=host,
            target=target,
            body=body,
            headers=headers,
            now=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
        )
    )
    names = sorted({"host", "x-amz-date", *(name.decode() for name, _ in headers)})
    names += ["x-amz-security-token"] if session else []
    assert made[b"authorization"].decode() == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/bedrock/aws4_request, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    assert made[b"x-amz-date"] == b"20261124T120000Z"
    assert made.get(b"x-amz-security-token") == (session.encode() if session else None)


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
        assert keys.text.reveal() == text
