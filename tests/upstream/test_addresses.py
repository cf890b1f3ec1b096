"""Which addresses may be connected to, and that the checked one is the one used."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fakes.raw_server import Peer, RawServer
from sluicegate.adapters.upstream.addresses import is_public
from sluicegate.ports.upstream import Timeouts, UpstreamError
from sockets import IDLE, KEEPALIVE, USER_TIMEOUT, options_of_those_to
from upstream.calls import call, read_all
from upstream.conftest import AnyUpstream, MakeUpstream


async def echo(peer: Peer) -> None:
    while True:
        head, body = await peer.request()
        assert b"Host: provider.test" in head or b"Host: 127.0.0.1" in head
        await peer.answer(body)


def always(*addresses: str, asked: list[tuple[str, int]] | None = None):
    async def resolve(host: str, port: int) -> Sequence[str]:
        if asked is not None:
            asked.append((host, port))
        return addresses

    return resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
        "fe80::1",
        "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::", "fec0::1",
    ],
)  # fmt: skip
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "172.15.0.1", "172.32.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0x7f000001", "2130706433"])
async def test_a_private_provider_is_refused_unless_the_setting_allows_it(make: MakeUpstream, host: str) -> None:
    async with RawServer(echo) as server:
        with pytest.raises(UpstreamError, match="SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS") as caught:
            await make(allow_private=False).send(call(server, host=host))
        assert (caught.value.kind, caught.value.sent, caught.value.before_first_byte) == ("connect", False, True)
        assert server.accepted == 0


async def test_one_private_address_among_public_ones_is_enough_to_refuse(make: MakeUpstream) -> None:
    async with RawServer(echo) as server:
        upstream = make(allow_private=False, resolve=always("1.1.1.1", "127.0.0.1"))
        with pytest.raises(UpstreamError, match="SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"):
            await upstream.send(call(server, host="provider.test"))
        assert server.accepted == 0


async def test_the_name_is_looked_up_once_and_the_answer_is_connected_to(make: MakeUpstream) -> None:
    asked: list[tuple[str, int]] = []
    async with RawServer(echo) as server:
        upstream = make(resolve=always("127.0.0.1", asked=asked))
        for _ in range(2):
            assert await read_all(await upstream.send(call(server, host="provider.test"))) == b"{}"
        assert asked == [("provider.test", server.port)]


async def test_the_next_address_is_tried_when_one_does_not_answer(make: MakeUpstream) -> None:
    async with RawServer(echo) as server:
        upstream = make(resolve=always("127.0.0.99", "127.0.0.1"))
        assert await read_all(await upstream.send(call(server, host="provider.test"))) == b"{}"


async def test_an_unknown_name_is_a_connect_error(make: MakeUpstream) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    for resolver in (resolve, always()):
        async with RawServer(echo) as server:
            with pytest.raises(UpstreamError) as caught:
                await make(resolve=resolver).send(call(server, host="provider.test"))
            assert (caught.value.kind, caught.value.sent) == ("connect", False)


async def test_a_name_that_never_resolves_times_out_as_not_sent(make: MakeUpstream) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    async with RawServer(echo) as server:
        with pytest.raises(UpstreamError) as caught:
            await make(resolve=resolve).send(call(server, host="provider.test", timeouts=Timeouts(connect=0.05)))
        assert (caught.value.kind, caught.value.sent, caught.value.before_first_byte) == ("timeout", False, True)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for provider.test and 127.0.0.1, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider.test")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("provider.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "provider.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


def tls_server(certificate: Path, names: list[str | None]) -> RawServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _connection, name, _context: names.append(name)
    return RawServer(echo, tls=context)


async def test_tls_asks_for_and_checks_the_name_though_it_connects_to_an_address(
    make: MakeUpstream, certificate: Path
) -> None:
    names: list[str | None] = []
    upstream = make(ca_file=certificate, resolve=always("127.0.0.1"))
    async with tls_server(certificate, names) as server:
        for _ in range(3):
            request = call(server, scheme="https", host="provider.test", body=b"x" * 700_000)
            assert await read_all(await upstream.send(request)) == request.body
        assert names == ["provider.test"]
        assert server.accepted == 1
        assert await read_all(await upstream.send(call(server, scheme="https", host="127.0.0.1"))) == b"{}"
        await upstream.aclose()
        await server.all_closed()


@pytest.mark.parametrize("trusted", [False, True], ids=["unknown authority", "wrong name"])
async def test_tls_without_a_valid_certificate_is_a_connect_error(
    make: MakeUpstream, certificate: Path, trusted: bool
) -> None:
    names: list[str | None] = []
    upstream: AnyUpstream = make(ca_file=certificate if trusted else None, resolve=always("127.0.0.1"))
    async with tls_server(certificate, names) as server:
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server, scheme="https", host="other.test" if trusted else "provider.test"))
        assert (caught.value.kind, caught.value.sent) == ("connect", False)


async def test_a_plain_server_behind_https_is_an_error_with_nothing_sent(make: MakeUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.gone()

    async with RawServer(script) as server:
        with pytest.raises(UpstreamError) as caught:
            await make().send(call(server, scheme="https"))
        assert (caught.value.kind, caught.value.sent) == ("connect", False)


async def test_a_provider_that_is_gone_or_forgotten_on_the_way_is_noticed(upstream: AnyUpstream) -> None:
    async with RawServer(echo) as server:
        await read_all(await upstream.send(call(server)))
        (told,) = options_of_those_to(server.port, KEEPALIVE, IDLE, USER_TIMEOUT).values()
    assert told == (1, 45, 60_000)
