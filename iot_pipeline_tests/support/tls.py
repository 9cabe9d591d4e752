"""A private certificate authority, and servers behind TLS: PostgreSQL, whose build here has none, and the console."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(name: str, issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None) -> tuple[Any, Any]:
    """A certificate and its key: an authority's own, or a server's at 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer_name, signer_key = issuer or (subject, key)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(signer_key, hashes.SHA256()), key


def write_pem(path: Path, certificate: Any, key: Any = None) -> Path:
    """Write a certificate, and its key."""
    text = certificate.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        form = serialization.PrivateFormat.PKCS8
        text += key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path.write_bytes(text)
    return path


def serve_tls(listening: socket.socket, context: ssl.SSLContext, port: int, *, is_postgres: bool = True) -> None:
    """Take connections until the socket is closed, each passed on to a port of 127.0.0.1.

    A client of PostgreSQL asks for TLS before it begins.
    """
    with suppress(OSError):  # the listening socket is closed at the end
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_pass_on, args=(client, context, port, is_postgres), daemon=True).start()


def _pass_on(client: socket.socket, context: ssl.SSLContext, port: int, is_postgres: bool) -> None:
    """Pass on what is said inside TLS; to PostgreSQL after a request for it, which is answered with yes."""
    with closing(client), closing(socket.create_connection(("127.0.0.1", port))) as server, suppress(OSError):
        if is_postgres:
            assert client.recv(8) == b"\0\0\0\x08\x04\xd2\x16\x2f"
            client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as secure:
            answers = threading.Thread(target=_copy, args=(server, secure), daemon=True)
            answers.start()
            _copy(secure, server)
            answers.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
