"""What a registry is given to onboard a fleet."""

import csv
import json
import stat
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from iot_pipeline.contract import METRICS
from simulator.enrolment import enrol
from simulator.fleet import Kind, load_fleet, make_fleet
from simulator.keys import credentials, load_key


def test_every_device_has_a_private_key_and_a_request_signed_by_it(tmp_path: Path) -> None:
    fleet = make_fleet(12, tenants=3, sites=2, seed=4)
    enrol(fleet, tmp_path, 60)
    with (tmp_path / "onboarding.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["device_id"] for row in rows] == [device.device_id for device in fleet.devices]
    for row in rows:
        key = credentials(tmp_path, row["device_id"]).key
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        request = x509.load_pem_x509_csr((tmp_path / row["csr"]).read_bytes())
        assert request.is_signature_valid
        assert request.public_key() == load_key(key).public_key()
        assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == row["device_id"]
    assert load_fleet(tmp_path) == fleet


def test_repeating_keeps_the_keys(tmp_path: Path) -> None:
    fleet = make_fleet(3)
    enrol(fleet, tmp_path, 60)
    keys = [credentials(tmp_path, device.device_id).key.read_bytes() for device in fleet.devices]
    enrol(fleet, tmp_path, 60)
    assert [credentials(tmp_path, device.device_id).key.read_bytes() for device in fleet.devices] == keys


def test_the_catalog_has_all_that_the_devices_name(tmp_path: Path) -> None:
    fleet = make_fleet(100, tenants=8, sites=8)
    enrol(fleet, tmp_path, 30)
    catalog = json.loads((tmp_path / "catalog.json").read_text())
    sites = {(site["tenant_id"], site["site_id"]) for site in catalog["sites"]}
    assert sites == {(device.tenant, device.site) for device in fleet.devices}
    assert {tenant["tenant_id"] for tenant in catalog["tenants"]} == {tenant for tenant, _ in sites}
    assert {model["model_id"] for model in catalog["models"]} == {str(kind) for kind in Kind}
    assert {metric for model in catalog["models"] for metric in model["metrics"]} <= {m.name for m in METRICS}
    assert {model["expected_interval_s"] for model in catalog["models"]} == {30}
