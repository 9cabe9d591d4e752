"""One PostgreSQL with a migrated registry for all tests, and for each test a tenant of its own."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from iot_pipeline.registry.catalog_file import Catalog
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.things import Certificate
from iot_pipeline_tests.support.emulator import unique

Connection = psycopg.Connection[Any]
OPENED = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A tenant with sites a, b and c, open since 2025, and a model."""

    tenant: str
    model: str

    def request(self, site: str = "a", **fields: Any) -> Request:
        """A device that no other test has."""
        return Request(unique("device"), self.tenant, site, self.model, **fields)


def catalog(tenant: str, **site: Any) -> Catalog:
    """The catalog of a tenant; `site` are fields that its sites have otherwise."""
    fields = {"country": "DE", "timezone": "Europe/Berlin", "lat": 52.5, "lon": 13.4, "since": OPENED} | site
    return Catalog.model_validate(
        {
            "tenants": [{"tenant_id": tenant, "name": f"The tenant {tenant}"}],
            "customers": [{"customer_id": f"{tenant}-customer", "tenant_id": tenant, "name": "A customer"}],
            "sites": [
                {"tenant_id": tenant, "site_id": s, "name": f"Site {s}", "customer_id": f"{tenant}-customer", **fields}
                for s in "abc"
            ],
            "models": [
                {
                    "model_id": f"{tenant}-model",
                    "manufacturer": "Sensors Ltd",
                    "name": "Climate 1",
                    "metrics": ["temperature", "humidity"],
                    "expected_interval_s": 60,
                }
            ],
        }
    )


def files(certificate: Certificate | None, folder: Path) -> tuple[Path, Path]:
    """The certificate and its private key as files."""
    assert certificate is not None
    pem, key = folder / "device.crt", folder / "device.key"
    pem.write_text(certificate.pem)
    key.write_text(certificate.private_key or "")
    return pem, key


def make_csr(device_id: str) -> tuple[str, ec.EllipticCurvePrivateKey]:
    """A signing request (PEM) and its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode(), key
