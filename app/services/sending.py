"""Signed messages over HTTP, to addresses outside the network, or inside where it is configured.

The name of a receiver is resolved once, every address it has is looked at, and the connection is
made to one of these very addresses: a name that says something else a moment later changes
nothing.  TLS is verified for the name.  No redirect is followed, and no answer is read beyond its
headers.
"""

from __future__ import annotations

import hmac
import socket
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BufferedReader
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from threading import Timer
from time import perf_counter
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from rules.messages import Message

CONNECT_SECONDS, WHOLE_SECONDS = 5.0, 10.0
"""How long a receiver may take to be connected to, and for all of it; resolving is not counted."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - the beginning of all of them
_LONGEST_WAIT = 10**8
_PORTS = {"https": 443, "http": 80}
_GLOBAL_UNICAST = ip_network("2000::/3")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class NotSent(Exception):
    """A message did not arrive, as far as is known; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class AddressRefused(NotSent):
    """The receiver is inside the network, where nothing is sent unless it is configured."""


class NotEncrypted(NotSent):
    """The receiver is outside the network and has no TLS."""


class NameUnknown(NotSent):
    """The receiver's name has no address."""


class NotConnected(NotSent):
    """The receiver cannot be reached, or hung up."""


class CertificateRefused(NotSent):
    """The receiver could not show by TLS that it is who it is said to be."""


class TooSlow(NotSent):
    """The receiver did not answer in time."""


class NoAnswer(NotSent):
    """What the receiver answered is not HTTP."""


class NetworksInvalid(Exception):
    """MERIT_HOOK_NETWORKS names something that is no network; the message says what."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be signed and sent."""

    id: str
    url: str
    secrets: tuple[str, ...]
    body: bytes

    def headers(self, at: datetime) -> Mapping[str, str]:
        """Return the headers by which a receiver knows the message as ours (Standard Webhooks)."""
        timestamp = str(int(at.timestamp()))
        signed = b".".join((self.id.encode(), timestamp.encode(), self.body))
        return {
            "Content-Type": "application/json",
            "User-Agent": "Merit",
            "Connection": "close",
            "webhook-id": self.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(_signature(each, signed) for each in self.secrets),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered: a status, and how long it wishes to be left in peace."""

    status: int
    wait: timedelta | None = None

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks inside which messages may be sent, also without TLS."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list of networks with commas between them.

        :raises NetworksInvalid: naming what is none.
        """
        return cls(tuple(_network(each.strip()) for each in text.split(",") if each.strip()))

    def require(self, address: Address, host: str, scheme: str) -> None:
        """Refuse an address to which nothing may be sent.

        :raises AddressRefused: if it is inside the network, and no configured one.
        :raises NotEncrypted: if it is outside, and is to be sent to without TLS.
        """
        if any(address in each for each in self.allowed):
            return
        if not _is_outside(address):
            raise AddressRefused(
                Message(
                    "%(host)s is %(address)s, which is inside the network; "
                    "MERIT_HOOK_NETWORKS does not allow it.",
                    host=host,
                    address=str(address),
                )
            )
        if scheme != "https":
            raise NotEncrypted(
                Message("%(host)s is outside the network: it takes https.", host=host)
            )


def send(letter: Letter, networks: Networks, at: datetime) -> Answer:
    """Send a message and return what was answered, whatever it was.

    :param at: when this is, for the signature.
    :raises NotSent: if nothing was answered.
    """
    url = urlsplit(letter.url)
    addresses = checked(url, networks)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    with _limited(url.hostname or "") as limit:
        line = _line(url)
        try:
            limit.guard(line, _connected(addresses))
            if url.scheme == "https":
                _encrypt(line, limit)
            line.request("POST", target, letter.body, dict(letter.headers(at)))
            with line.getresponse() as response:
                return Answer(response.status, _wait(response.headers.get("Retry-After"), at))
        finally:
            line.close()


def checked(url: SplitResult, networks: Networks) -> Sequence[tuple[str, int]]:
    """Resolve the name of a receiver and return its addresses, all of which may be sent to.

    :raises NameUnknown, AddressRefused, NotEncrypted: if not.
    """
    host = url.hostname or ""
    try:
        found = socket.getaddrinfo(host, _port(url), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameUnknown(Message("The name %(host)s has no address.", host=host)) from error
    places = list(dict.fromkeys((str(each[4][0]), int(each[4][1])) for each in found))
    for address, _ in places:
        networks.require(ip_address(address), host, url.scheme)
    return places


def _is_outside(address: Address) -> bool:
    """Tell whether an address is on the internet: one host's, and no way back in.

    IPv6 addresses that stand for one of IPv4 are not: what they stand for could be inside.
    """
    if isinstance(address, IPv6Address):
        stands_for_other = address.sixtofour or address.teredo
        return address.is_global and address in _GLOBAL_UNICAST and not stands_for_other
    return address.is_global and not address.is_multicast


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise NetworksInvalid(
            Message(
                "MERIT_HOOK_NETWORKS: %(text)s is not a network such as 10.1.0.0/16.", text=text
            )
        ) from error


def _port(url: SplitResult) -> int:
    return url.port or _PORTS[url.scheme]


def _line(url: SplitResult) -> HTTPConnection:
    """Return what speaks HTTP once it is given a socket; it connects nothing by itself."""
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    line = kind(url.hostname or "", _port(url))
    line.response_class, line.auto_open = _WholeResponse, 0
    return line


def _connected(addresses: Sequence[tuple[str, int]]) -> socket.socket:
    """Connect to the first address that answers."""
    until = perf_counter() + CONNECT_SECONDS
    for last, address in enumerate(addresses, 1 - len(addresses)):
        try:
            return socket.create_connection(address, max(0.1, until - perf_counter()))
        except OSError:
            if not last:
                raise
    raise OSError("no address")


def _encrypt(line: HTTPConnection, limit: _Limit) -> None:
    """Put a connection under TLS, for the name and not the address."""
    encrypted = _tls().wrap_socket(
        line.sock, server_hostname=line.host, do_handshake_on_connect=False
    )
    limit.guard(line, encrypted)
    encrypted.do_handshake()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Lines(BufferedReader):
    """What an answer is read from; knows the last line."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


class _WholeResponse(HTTPResponse):
    """An answer whose headers came to their end; the library takes a cut one for whole."""

    def __init__(self, sock: socket.socket, *rest: Any, **more: Any) -> None:
        super().__init__(sock, *rest, **more)
        self.fp.close()
        self.fp = self._lines = _Lines(sock.makefile("rb", buffering=0))

    def begin(self) -> None:
        super().begin()
        if self._lines.last not in (b"\r\n", b"\n"):
            raise HTTPException


class _Limit:
    """Ends a conversation that takes too long, at whatever point it is."""

    def __init__(self) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self.timer = Timer(WHOLE_SECONDS, self._end)
        self.timer.daemon = True
        self.timer.start()

    def guard(self, line: HTTPConnection, connected: socket.socket) -> None:
        """Have a conversation held over a socket that is cut when it takes too long."""
        connected.settimeout(WHOLE_SECONDS)
        line.sock = self._socket = connected

    def _end(self) -> None:
        self.is_over = True
        if self._socket is not None:
            # not the TLS socket's own, which takes its layer from under whoever is reading
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextmanager
def _limited(host: str) -> Iterator[_Limit]:
    """Limit how long a conversation takes, and say plainly how it failed.

    :raises NotSent: if it did.
    """
    limit = _Limit()
    try:
        yield limit
    except (OSError, HTTPException, ValueError) as error:
        raise _failure(error, host, limit.is_over) from error
    finally:
        limit.timer.cancel()


def _failure(error: Exception, host: str, is_over: bool) -> NotSent:
    if is_over or isinstance(error, TimeoutError):
        return TooSlow(Message("%(host)s did not answer in time.", host=host))
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", None) or error.reason or "TLS"
        return CertificateRefused(
            Message("%(host)s failed at TLS: %(reason)s.", host=host, reason=reason)
        )
    if isinstance(error, OSError):
        return NotConnected(Message("%(host)s cannot be reached, or hung up.", host=host))
    return NoAnswer(Message("What %(host)s answered is not HTTP.", host=host))


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def _wait(text: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After asks for; None if it asks for nothing that can be read."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), _LONGEST_WAIT))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(0), until.replace(tzinfo=until.tzinfo or UTC) - now)
