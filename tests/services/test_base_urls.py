"""Typed addresses of providers: taken apart, checked, put together again."""

from __future__ import annotations

import pytest

from sluicegate.kit.errors import InvalidInput
from sluicegate.services.base_urls import parse_base_url


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        (" https://API.Example.com./v1/ ", "https://api.example.com/v1"),
        ("http://llm.example.com:8080", "http://llm.example.com:8080"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com/openai/deployments/gpt-4.1", "https://api.example.com/openai/deployments/gpt-4.1"),
        ("https://8.8.8.8/v1", "https://8.8.8.8/v1"),
        ("https://[2606:4700:4700:0::1111]:443/v1", "https://[2606:4700:4700::1111]:443/v1"),
        ("https://my_host.internal/v1", "https://my_host.internal/v1"),
    ],
)
def test_good_addresses_are_kept_in_one_form(typed: str, kept: str) -> None:
    assert parse_base_url(typed, allow_private=False) == kept
    assert parse_base_url(kept, allow_private=False) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "api.example.com/v1",
        "//api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///v1",
        "https://user@api.example.com",
        "https://user:secret@api.example.com",
        "https://api.example.com@evil.example/",
        "https://api.example.com?key=1",
        "https://api.example.com/v1?",
        "https://api.example.com/v1#x",
        "https://api.example.com/v1#",
        "https://api.example.com\\@evil.example",
        "https://api.example.com/v1\r\nx-evil: 1",
        "https://api.exa\tmple.com",
        "https://api.example.com/\x00",
        "https://api.example.com:99999",
        "https://api.example.com:0",
        "https://api.example.com:x",
        "https://api.example.com/../admin",
        "https://api.example.com/%2e%2e/admin",
        "https://api.example.com//v1",
        "https://exämple.com",
        "https://a..b",
        "https://-a.com",
        "https://[::1",
        "https://127.1",
        "https://0x7f000001",
        "https://2130706433",
        "https://0177.0.0.1",
        "https://api.example.com/" + "a" * 500,
        f"https://{'a' * 64}.com",
    ],
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_what_is_no_plain_address_is_refused(typed: str, allow_private: bool) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_base_url(typed, allow_private=allow_private)
    assert caught.value.field == "baseUrl"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_private_addresses_need_the_setting(host: str) -> None:
    with pytest.raises(InvalidInput, match="SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"):
        parse_base_url(f"http://{host}:8000/v1", allow_private=False)
    assert parse_base_url(f"http://{host}:8000/v1", allow_private=True).startswith("http://")
