"""Keys of devices: made here if the device brought none, and recognised by their public part."""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from iot_pipeline.registry.errors import RegistryError


def new_key(device_id: str) -> tuple[str, str]:
    """A signing request (PEM) of a new EC P-256 key, and that key (PKCS #8 PEM, not encrypted)."""
    key = ec.generate_private_key(ec.SECP256R1())
    # An X.520 common name has 64 characters; AWS asks for none.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id[:64])])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return csr.public_bytes(serialization.Encoding.PEM).decode(), pem.decode()


def of_request(csr: str) -> str:
    """The SHA-256 of a signing request's public key, in hex. Raises RegistryError for a text that is no CSR in PEM."""
    try:
        request = x509.load_pem_x509_csr(csr.encode())
    except ValueError as error:
        raise RegistryError("the CSR is no certificate signing request in PEM; have the device make it anew") from error
    return _fingerprint(request.public_key())


def of_certificate(pem: str) -> str:
    """The SHA-256 of a certificate's public key, in hex."""
    return _fingerprint(x509.load_pem_x509_certificate(pem.encode()).public_key())


def _fingerprint(key: CertificatePublicKeyTypes) -> str:
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
