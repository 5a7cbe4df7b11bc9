"""Servers on this machine that each misbehave in one way."""

import contextlib
import datetime
import gzip
import ipaddress
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Behaviour = Callable[[socket.socket, "Server"], None]
DRIP_SECONDS = 0.02


class Server:
    """Handles each connection with the same behaviour, one after the other. `requests` has each complete request."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _run(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), connection:
                connection.settimeout(5)
                if self._tls:
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        self._behave(secured, self)
                else:
                    self._behave(connection, self)

    def read(self, connection: socket.socket) -> bytes:
        """Read one request: the head, and the body as long as the head says."""
        data = b""
        while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
            data += piece
        if not data:
            return data
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(body) < length and (piece := connection.recv(65536)):
            body += piece
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def body(self, place: int = -1) -> bytes:
        return self.requests[place].partition(b"\r\n\r\n")[2]

    def head(self, place: int = -1) -> str:
        return self.requests[place].partition(b"\r\n\r\n")[0].decode()


@contextlib.contextmanager
def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(behave, tls)
    try:
        yield server
    finally:
        server.close()


def raw(content: bytes) -> Behaviour:
    """Read the request, send these bytes, and close the connection."""

    def behave(connection: socket.socket, server: Server) -> None:
        server.read(connection)
        connection.sendall(content)

    return behave


def response(status: int, body: object = b"", length: int | None = None, **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(content) if length is None else length}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + content


def answer(status: int, body: object = b"", length: int | None = None, **headers: str) -> Behaviour:
    return raw(response(status, body, length, **headers))


def gzipped(body: bytes, status: int = 200) -> Behaviour:
    return answer(status, gzip.compress(body), Content_Encoding="gzip")


def drip(before: bytes, piece: bytes, *, reads: bool = True) -> Behaviour:
    """Send `before` at once and then the piece again and again, slowly, until the client disconnects."""

    def behave(connection: socket.socket, server: Server) -> None:
        if reads:
            server.read(connection)
        connection.sendall(before)
        while not server.stopped.wait(DRIP_SECONDS):
            connection.sendall(piece)

    return behave


def silent(connection: socket.socket, server: Server) -> None:
    """Read the request and do not answer."""
    server.read(connection)
    server.stopped.wait(120)


def reset_unread(connection: socket.socket, server: Server) -> None:
    """Reset the connection without reading a byte, after the request had time to arrive."""
    server.stopped.wait(0.1)
    reset(connection)


def reset_after_reading(connection: socket.socket, server: Server) -> None:
    server.read(connection)
    reset(connection)


def reset_in_the_answer(connection: socket.socket, server: Server) -> None:
    server.read(connection)
    connection.sendall(response(200, b"{", length=100))
    server.stopped.wait(0.1)
    reset(connection)


def close_after_reading(connection: socket.socket, server: Server) -> None:
    server.read(connection)


def endless(connection: socket.socket, server: Server) -> None:
    """Send a body that never ends, as fast as the client reads it."""
    server.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not server.stopped.is_set():
        connection.sendall(b"x" * 65536)


def reset(connection: socket.socket) -> None:
    """Reset the connection, so that the other side gets an error and not the end of the answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def certificate(folder: Path, *, ended_hours_ago: float = -1) -> Path:
    """A PEM file with a key and a self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "practice.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=ended_hours_ago + 2))
        .not_valid_after(now - datetime.timedelta(hours=ended_hours_ago))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return file


def tls(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
