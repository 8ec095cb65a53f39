"""Messages are signed as the specification says, and sent nowhere they should not go."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.services import sending
from app.services.sending import (
    AddressRefused,
    Answer,
    CertificateRefused,
    Letter,
    NameUnknown,
    Networks,
    NetworksInvalid,
    NoAnswer,
    NotConnected,
    NotEncrypted,
    NotSent,
    TooSlow,
    checked,
    send,
)
from tests.receiving import Manner, Receiver, certified, is_signed, receiving

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
INSIDE = Networks.parse("127.0.0.0/8, ::1/128")
SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = '{"name": "Гальчинський"}'.encode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody longer than half a second."""
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)


def letter(url: str, *secrets: str) -> Letter:
    return Letter("msg_1", url, secrets or (SECRET,), BODY)


# -- what is sent ------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_specifications_own_library() -> None:
    """Made by standardwebhooks 1.1.0 of the same message."""
    message = Letter("msg_p5jXN8AQM9LWM0D4loKWxJek", "", (SECRET,), b'{"test": 2432232314}')

    headers = message.headers(datetime.fromtimestamp(1614265330, UTC))

    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_gets_the_bytes_it_can_verify(receiver: Receiver) -> None:
    answer = send(letter(receiver.url), INSIDE, NOW)

    [received] = receiver.requests
    assert answer == Answer(204)
    assert (received.path, received.body) == ("/hook?of=merit", BODY)
    assert received.headers["host"] == f"localhost:{receiver.port}"
    assert received.headers["content-type"] == "application/json"
    assert is_signed(received, SECRET, at=NOW.timestamp())
    assert not is_signed(received, OTHER)
    assert not is_signed(replace(received, body=BODY + b" "), SECRET)


def test_two_secrets_sign_side_by_side(receiver: Receiver) -> None:
    send(letter(receiver.url, OTHER, SECRET), INSIDE, NOW)

    [received] = receiver.requests
    assert is_signed(received, SECRET)
    assert is_signed(received, OTHER)


@pytest.mark.parametrize("status", [200, 299, 400, 410, 500, 503])
def test_the_status_is_what_counts(receiver: Receiver, status: int) -> None:
    receiver.treat = lambda *_: status

    answer = send(letter(receiver.url), INSIDE, NOW)

    assert (answer.status, answer.is_good) == (status, status < 300)


def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    receiver.treat = lambda *_: "redirects"

    assert send(letter(receiver.url), INSIDE, NOW) == Answer(302)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Wed, 01 Jul 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Wed, 01 Jul 2026 11:00:00 GMT", timedelta(0)),
        ("9" * 30, timedelta(seconds=10**8)),
        ("-1", None),
        ("soon", None),
        ("²", None),
        ("", None),
    ],
)
def test_a_receiver_may_say_when_to_come_again(
    receiver: Receiver, text: str, wait: timedelta | None
) -> None:
    receiver.treat, receiver.retry_after = lambda *_: 503, text

    assert send(letter(receiver.url), INSIDE, NOW).wait == wait


@pytest.mark.parametrize(
    ("manner", "failure"),
    [
        ("hangs", TooSlow),
        ("dawdles", TooSlow),
        ("hangs_up", NotConnected),
        ("cuts", NoAnswer),
        ("babbles", NoAnswer),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_every_way_to_fail_has_a_name(
    receiver: Receiver, manner: Manner, failure: type[NotSent]
) -> None:
    receiver.treat = lambda *_: manner

    with pytest.raises(failure) as raised:
        send(letter(receiver.url), INSIDE, NOW)

    assert "localhost" in raised.value.message


def test_nobody_listening_is_not_connected() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(NotConnected):
            send(letter(f"http://127.0.0.1:{taken.getsockname()[1]}/"), INSIDE, NOW)


@pytest.mark.usefixtures("impatient")
def test_one_that_listens_and_never_takes_up_is_too_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        for scheme in ("http", "https"):
            with pytest.raises(TooSlow):
                send(letter(f"{scheme}://127.0.0.1:{port}/"), INSIDE, NOW)


# -- whom it is sent to --------------------------------------------------------------------------


def trusting(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    """Trust a certificate as an installation does that has its own authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    sending._tls.cache_clear()
    monkeypatch.setattr(sending, "_tls", sending._tls.__wrapped__)


def test_tls_is_verified_for_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, shown = certified(tmp_path, "localhost")
    trusting(monkeypatch, trusted)
    with receiving(tls=shown) as receiver:
        assert send(letter(receiver.url), INSIDE, NOW) == Answer(204)

        [received] = receiver.requests
        assert is_signed(received, SECRET)
        assert received.headers["host"] == f"localhost:{receiver.port}"


def test_a_certificate_of_another_name_or_of_nobodys_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, shown = certified(tmp_path, "example.com")
    _, nobodys = certified(tmp_path, "localhost")
    trusting(monkeypatch, trusted)
    for each in (shown, nobodys):
        with receiving(tls=each) as receiver:
            with pytest.raises(CertificateRefused, match="localhost failed at TLS"):
                send(letter(receiver.url), INSIDE, NOW)
            assert receiver.requests == []


def test_one_that_speaks_no_tls_is_refused(receiver: Receiver) -> None:
    with pytest.raises(CertificateRefused):
        send(letter(receiver.url.replace("http:", "https:")), INSIDE, NOW)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "0",
        "localhost",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
        "[2001:0:7f00:1::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[2001:db8::1]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_is_sent_inside_the_network(scheme: str, host: str) -> None:
    with pytest.raises(AddressRefused, match="inside the network"):
        send(letter(f"{scheme}://{host}/"), Networks(), NOW)


@pytest.mark.parametrize("text", ["8.8.8.8", "100.63.255.255", "2606:4700::1111", "172.32.0.1"])
def test_the_internet_may_be_sent_to_with_tls_only(text: str) -> None:
    Networks().require(ip_address(text), "example.com", "https")
    with pytest.raises(NotEncrypted, match="is outside the network: it takes https"):
        Networks().require(ip_address(text), "example.com", "http")


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every name resolve to these addresses; return the names that were asked for."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def answered(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host in addresses:  # a socket is made for an address, no name is looked up
            return resolve(host, port, *rest, **more)
        asked.append(host)
        return [each for name in addresses for each in resolve(name, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", answered)
    return asked


def test_a_name_that_resolves_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "8.8.8.8", "10.0.0.1")  # one good address excuses none

    with pytest.raises(AddressRefused, match=r"^example\.com is 10\.0\.0\.1, which is inside"):
        send(letter("https://example.com/"), Networks(), NOW)


def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving(monkeypatch, "127.0.0.1")

    send(letter(f"http://example.com:{receiver.port}/"), INSIDE, NOW)

    assert asked == ["example.com"]
    assert receiver.requests[0].headers["host"] == f"example.com:{receiver.port}"


def test_the_next_address_is_tried_where_the_first_does_not_answer(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "127.0.0.9", "127.0.0.1")

    assert send(letter(f"http://example.com:{receiver.port}/"), INSIDE, NOW) == Answer(204)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 64 + ".example", "1.2.3.4.5"])
def test_a_name_without_an_address_is_told(host: str) -> None:
    with pytest.raises(NameUnknown, match="has no address"):
        checked(urlsplit(f"https://{host}/"), Networks())


@pytest.mark.parametrize(
    "text", ["localhost", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8;127.0.0.1", "all"]
)
def test_networks_that_are_none_are_named(text: str) -> None:
    with pytest.raises(NetworksInvalid, match="is not a network such as"):
        Networks.parse(text)


def test_only_the_networks_that_are_configured_are_allowed() -> None:
    networks = Networks.parse(" 10.1.0.0/16 ,127.0.0.1, fd00::/8,")

    for allowed in ("10.1.2.3", "127.0.0.1", "fd00::1"):
        networks.require(ip_address(allowed), "host", "http")
    for refused in ("10.2.0.1", "127.0.0.2", "fc00::1", "::ffff:127.0.0.1"):
        with pytest.raises(AddressRefused):
            networks.require(ip_address(refused), "host", "http")
