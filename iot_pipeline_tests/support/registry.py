"""One PostgreSQL with a migrated registry for all tests, and for each test a tenant of its own."""

import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.postgres.process import Postgres, start_postgres
from iot_pipeline.registry import migrate
from iot_pipeline.registry.catalog_file import Catalog
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.sites import apply
from iot_pipeline.registry.things import POLICY, THING_TYPE, Certificate
from iot_pipeline_tests.support.emulator import DEVICE_POLICY, LocalAws, unique

Connection = psycopg.Connection[Any]
OPENED = datetime(2025, 1, 1, tzinfo=UTC)
_running: dict[str, Postgres] = {}


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


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL with the migrated database `registry`, started once, however many modules import this fixture."""
    if not _running:
        server = _running["it"] = start_postgres(tmp_path_factory.mktemp("registry"), databases=["registry"])
        migrate.upgrade(server.dsn("registry"))
    try:
        yield _running["it"]
    finally:
        _running["it"].stop()


@pytest.fixture(scope="session")
def registry_dsn(registry_server: Postgres) -> str:
    """The registry all tests share."""
    return registry_server.dsn("registry")


@pytest.fixture
def connection(registry_dsn: str) -> Iterator[Connection]:
    """A connection to it."""
    with psycopg.connect(registry_dsn) as connection:
        yield connection


@pytest.fixture
def world(connection: Connection) -> World:
    """What devices need, with names no other test uses."""
    tenant = unique("tenant")
    apply(connection, catalog(tenant))
    return World(tenant, f"{tenant}-model")


@pytest.fixture(scope="session")
def iot(local_aws: LocalAws) -> Any:
    """The local AWS IoT Core, with the thing type and the policy that the platform's stacks deploy."""
    client = local_aws.client("iot")
    try:
        client.describe_thing_type(thingTypeName=THING_TYPE)
    except client.exceptions.ResourceNotFoundException:
        client.create_thing_type(thingTypeName=THING_TYPE)
        client.create_policy(policyName=POLICY, policyDocument=json.dumps(DEVICE_POLICY))
    return client


@pytest.fixture
def iot_options(local_aws: LocalAws) -> dict[str, str]:
    """The keywords with which another process makes the same client."""
    return local_aws.emulator.client_options


@pytest.fixture(scope="session")
def forks() -> Any:
    """Processes that start in milliseconds, with everything imported, and share nothing with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["iot_pipeline_tests.support.tripping"])
    return context


@pytest.fixture
def factory_device(iot: Any, world: World) -> Request:
    """A device that provisioned itself by claim: thing, active certificate, policy."""
    request = world.request()
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.create_thing(thingName=request.device_id, attributePayload={"attributes": {"batch": "7"}})
    iot.attach_policy(policyName=POLICY, target=made["certificateArn"])
    iot.attach_thing_principal(thingName=request.device_id, principal=made["certificateArn"])
    return request
