"""Keys of devices: made here if the device brought none, and recognised by their public part."""

import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from iot_pipeline.registry.errors import RegistryError


@dataclass(frozen=True)
class DeviceKey:
    """A device's key by its signing request (PEM); `private_key` (PKCS #8 PEM, not encrypted) if it was made here.

    `fingerprint` is the SHA-256 of the public key, in hex.
    """

    csr: str
    fingerprint: str
    private_key: str | None = field(default=None, repr=False)


def for_device(device_id: str, csr: str | None) -> DeviceKey:
    """The key of the device's signing request, or a new EC P-256 key. Raises RegistryError for a CSR that is none."""
    if csr is None:
        return _new_key(device_id)
    try:
        return DeviceKey(csr, _fingerprint(x509.load_pem_x509_csr(csr.encode()).public_key()))
    except ValueError as error:
        raise RegistryError(
            f"device {device_id}: the CSR is no certificate signing request in PEM; have the device make it anew"
        ) from error


def _new_key(device_id: str) -> DeviceKey:
    key = ec.generate_private_key(ec.SECP256R1())
    # An X.520 common name has 64 characters; AWS asks for none.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id[:64])])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    request = csr.public_bytes(serialization.Encoding.PEM).decode()
    return DeviceKey(request, _fingerprint(key.public_key()), pem.decode())


def of_certificate(pem: str) -> str:
    """The SHA-256 of a certificate's public key, in hex."""
    return _fingerprint(x509.load_pem_x509_certificate(pem.encode()).public_key())


def _fingerprint(key: CertificatePublicKeyTypes) -> str:
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
