"""A device's key, which never leaves its folder, and the request to have it signed."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_THING_NAME = re.compile(r"[A-Za-z0-9:_-]{1,128}")


@dataclass(frozen=True)
class Credentials:
    """Where a device's key and certificate lie (PEM files)."""

    key: Path
    certificate: Path


def credentials(folder: Path, device_id: str) -> Credentials:
    """The credential files of a device below the fleet's folder.

    Raises ValueError for what cannot be a thing's name (AWS IoT API reference, CreateThing), such as one with a slash.
    """
    if not _THING_NAME.fullmatch(device_id):
        raise ValueError(f"{device_id!r} cannot be a device id: 1 to 128 letters, digits, hyphens, colons, underscores")
    return Credentials(folder / "devices" / f"{device_id}.key", folder / "devices" / f"{device_id}.crt")


def signing_request(device_id: str, key_file: Path) -> str:
    """A PEM certificate signing request for a device, by its EC P-256 key; the key is made if there is none.

    Raises TypeError if the file holds a key of another kind.
    """
    key = load_key(key_file) if key_file.exists() else _new_key(key_file)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key in a PEM file. Raises TypeError if it is of another kind."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is not an elliptic-curve key; move it away and enrol again")
    return key


def _new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_whole(path, pem, mode=0o600)
    return key


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all; its mode is right from the first byte on."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    temporary.replace(path)
