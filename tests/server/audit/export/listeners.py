"""Collectors of syslog messages on free ports of this machine: UDP, TCP and TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import select
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Listener:
    """Takes octet-counted messages, one connection after the other; `drop` hangs up on the one that is there."""

    context: ssl.SSLContext | None = None
    port: int = 0
    received: list[bytes] = field(default_factory=list)
    connections: int = 0
    hang_up_after: int | None = None

    def __enter__(self) -> Listener:
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closing = True
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._is_closing:
            if not select.select([self._socket], [], [], 0.02)[0]:
                continue
            connection, _ = self._socket.accept()
            self.connections += 1
            try:
                if self.context is not None:
                    connection = self.context.wrap_socket(connection, server_side=True)
                self._take(connection)
            except OSError:
                continue
            finally:
                connection.close()

    def _take(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        data = b""
        while not self._is_closing:
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                continue
            if not piece:
                return
            data += piece
            while b" " in data[:12]:
                size, _, rest = data.partition(b" ")
                if len(rest) < int(size):
                    break
                self.received.append(rest[: int(size)])
                data = rest[int(size) :]
                if self.hang_up_after is not None and len(self.received) >= self.hang_up_after:
                    self.hang_up_after = None
                    return


def tls_context(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for 127.0.0.1, and the file of the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "collector.pem", folder / "collector.key"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context, certificate_file
