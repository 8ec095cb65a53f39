"""Receivers of web hooks for tests and benches: real servers that can fail in every way."""

from __future__ import annotations

import hmac
import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.clock import system_clock

Manner = Literal[
    "takes", "hangs", "hangs_up", "cuts", "babbles", "takes_and_hangs_up", "dawdles", "redirects"
]
"""How a receiver treats a request; a number is a status that it answers with."""

Treat = Callable[["Receiver", str], "Manner | int"]
"""Says how to treat a message of this id."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


@dataclass
class Receiver:
    """A server that keeps every message it takes, by its id, as a receiver should."""

    treat: Treat = lambda _receiver, _id: "takes"
    retry_after: str | None = None
    requests: list[Received] = field(default_factory=list)
    taken: dict[str, Received] = field(default_factory=dict)
    again: int = 0
    lock: Lock = field(default_factory=Lock)
    closing: Event = field(default_factory=Event)
    came: Event = field(default_factory=Event)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/hook?of=merit"

    def take(self, received: Received) -> None:
        with self.lock:
            self.again += received.id in self.taken
            self.taken.setdefault(received.id, received)


def is_signed(received: Received, secret: str, *, at: float | None = None) -> bool:
    """Verify a message as the Standard Webhooks specification says a receiver should."""
    key = b64decode(secret.removeprefix("whsec_"))
    stamp = received.headers["webhook-timestamp"]
    if at is not None and abs(at - int(stamp)) > 300:
        return False
    signed = f"{received.id}.{stamp}.{received.body.decode()}"
    wanted = "v1," + b64encode(hmac.new(key, signed.encode(), sha256).digest()).decode()
    given = received.headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(wanted, each) for each in given)


@contextmanager
def receiving(
    treat: Treat = lambda _receiver, _id: "takes", tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Run a receiver at an address inside the network."""
    receiver = Receiver(treat)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": receiver}))
    receiver.port = server.server_address[1]
    if tls is not None:
        receiver.scheme = "https"
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 100

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: what is tested hangs up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body)
        with receiver.lock:
            receiver.requests.append(received)
            manner = receiver.treat(receiver, received.id)
        receiver.came.set()
        if manner in ("takes", "takes_and_hangs_up") or manner in range(200, 300):
            receiver.take(received)
        self._answer(manner)

    def _answer(self, manner: Manner | int) -> None:
        match manner:
            case int():
                self._status(manner)
            case "takes":
                self._status(204)
            case "redirects":
                self._status(302)
            case "hangs":
                self.receiver.closing.wait(30)
            case "cuts":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            case "babbles":
                self.wfile.write(b"\x00\x01 what?\r\n\r\n")
            case "dawdles":
                while not self.receiver.closing.wait(0.05):
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n"[:1])
            case _:
                pass  # it hangs up

    def _status(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status == 302:
            self.send_header("Location", f"http://localhost:{self.receiver.port}/elsewhere")
        if self.receiver.retry_after is not None:
            self.send_header("Retry-After", self.receiver.retry_after)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def certified(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for a name: as a file to trust, and ready for a server to show."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = system_clock()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    trusted, private = folder / f"{name}.pem", folder / f"{name}.key"
    trusted.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(trusted, private)
    return trusted, shown
