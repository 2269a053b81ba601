"""Posting to real servers: the guard at each call, bounds, certificates, no redirects."""

import asyncio
import datetime as dt
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from coffers.outbound.sender import Answer, Sender
from receiver import Receiver, receiving

HERE = (ip_network("127.0.0.0/8"),)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def post(receiver_url: str, sender: Sender) -> Answer:
    try:
        return await sender.post(receiver_url, b'{"a":1}', {"X-One": "1"})
    finally:
        await sender.close()


def leads_to(*addresses: str) -> object:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def test_a_body_arrives_as_it_is_with_its_headers(receiver: Receiver) -> None:
    assert await post(receiver.url, Sender(HERE)) == Answer(200, None)
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["x-one"]) == ("/hook", b'{"a":1}', "1")
    assert got.headers["host"] in receiver.url


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 410, 500, 503])
async def test_what_is_no_success_is_refused_and_no_redirect_is_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.status, receiver.location = status, receiver.url
    assert await post(receiver.url, Sender(HERE)) == Answer(status, "refused")
    assert len(receiver.got) == 1


async def test_a_name_that_leads_elsewhere_by_now_is_not_called(receiver: Receiver) -> None:
    """The name was public when it was given; what it leads to is checked at the call."""
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    url = f"https://example.com:{port}/hook"
    for addresses in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]):
        sender = Sender((), resolve=leads_to(*addresses))  # type: ignore[arg-type]
        assert await post(url, sender) == Answer(None, "blocked")
    # Numbers that are no address in the usual form, but lead to one.
    for host in ("2130706433", "0x7f000001", "127.1"):
        assert await post(f"https://{host}:{port}/", Sender(())) == Answer(None, "blocked")
    assert receiver.got == []


async def test_an_address_that_is_not_allowed_any_more_is_blocked(receiver: Receiver) -> None:
    assert await post(receiver.url, Sender(())) == Answer(None, "blocked")
    assert receiver.got == []


async def test_a_receiver_that_is_away_or_slow_is_told_apart(receiver: Receiver) -> None:
    assert await post("http://127.0.0.1:1/", Sender(HERE)) == Answer(None, "unreachable")
    receiver.holds.clear()
    assert await post(receiver.url, Sender(HERE, seconds=0.2)) == Answer(None, "timeout")


async def test_an_address_that_stays_silent_leaves_time_for_another(receiver: Receiver) -> None:
    port = int(receiver.url.rpartition(":")[2].partition("/")[0])
    with silent(port) as address, silent(port, "127.0.0.3") as other:
        sender = Sender(HERE, seconds=2, resolve=leads_to(address, "127.0.0.1"))  # type: ignore[arg-type]
        assert await post(receiver.url, sender) == Answer(200, None)
        # One of each kind is tried, whichever there is more of.
        addresses = leads_to(f"::ffff:{address}", f"::ffff:{other}", "127.0.0.1")
        sender = Sender(HERE, seconds=2, resolve=addresses)  # type: ignore[arg-type]
        assert await post(receiver.url, sender) == Answer(200, None)


@contextmanager
def silent(port: int, host: str = "127.0.0.2") -> Iterator[str]:
    """Listen at an address that leaves who connects without any answer: its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind((host, port))
        listener.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex((host, port))
        yield host


async def test_nothing_of_an_answer_goes_with_the_next_call() -> None:
    """Two receivers at one address may be those of users who do not know of each other."""
    heads = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).lower())
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: spy=1; Max-Age=9999\r\n\r\n")
        writer.close()

    sender = Sender(HERE, resolve=leads_to("127.0.0.1"))  # type: ignore[arg-type]
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/", f"http://localhost:{port}/"):
            assert await sender.post(url, b"{}", {}) == Answer(200, None)
    await sender.close()
    assert len(heads) == 2
    assert b"cookie" not in heads[1]


async def test_threads_that_wait_for_slow_names_are_nobody_elses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event loop's own threads write to the database."""
    goes_on = threading.Event()

    def slow(*_: object, **__: object) -> object:
        goes_on.wait(20)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    sender = Sender(HERE, seconds=0.2)
    try:
        calls = (sender.post(f"https://h{n}.example.com/", b"{}", {}) for n in range(40))
        assert await asyncio.gather(*calls) == [Answer(None, "timeout")] * 40
        async with asyncio.timeout(5):
            await asyncio.to_thread(int)
    finally:
        goes_on.set()
        await sender.close()


@pytest.mark.parametrize("location", ["mailto:x", "http://[", "\xff", "/" * 60_000])
async def test_where_a_redirect_leads_is_not_looked_at(receiver: Receiver, location: str) -> None:
    receiver.status, receiver.location = 302, location
    assert await post(receiver.url, Sender(HERE)) == Answer(302, "refused")


async def test_an_answer_that_does_not_end_is_not_read() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            writer.close()

    async with await asyncio.start_server(endless, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await post(f"http://127.0.0.1:{port}/", Sender(HERE)) == Answer(200, None)


@pytest.mark.parametrize("own", ["hooks.example.com", "xn--i-7iq.ws"])
async def test_a_certificate_has_to_be_that_of_the_name(tmp_path: Path, own: str) -> None:
    trusted, serving = certificate(tmp_path, own)
    async with receiving(ssl=serving) as receiver:
        port = receiver.url.rpartition(":")[2].partition("/")[0]
        for name, expected in (
            (own, Answer(200, None)),
            ("other.example.com", Answer(None, "unreachable")),
        ):
            resolve = leads_to("127.0.0.1")
            sender = Sender(HERE, resolve=resolve, trusted=trusted)  # type: ignore[arg-type]
            assert await post(f"https://{name}:{port}/hook", sender) == expected
        assert [got.headers["host"] for got in receiver.got] == [f"{own}:{port}"]
        # Without the private authority nobody vouches for it.
        sender = Sender(HERE, resolve=leads_to("127.0.0.1"))  # type: ignore[arg-type]
        unknown = await post(f"https://{own}:{port}/hook", sender)
        assert unknown == Answer(None, "unreachable")


def certificate(home: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what trusts a certificate of a name, and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    (home / "key.pem").write_bytes(pem)
    (home / "cert.pem").write_bytes(made.public_bytes(encoding))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(home / "cert.pem", home / "key.pem")
    return ssl.create_default_context(cafile=str(home / "cert.pem")), serving
