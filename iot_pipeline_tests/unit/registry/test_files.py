"""The catalog file and the device file: what is read, and how what is wrong is named."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from iot_pipeline.contract import CONTRACT
from iot_pipeline.registry.bulk import read_devices, save
from iot_pipeline.registry.catalog_file import Catalog, read_catalog
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.things import Certificate

SITE: dict[str, Any] = {
    "tenant_id": "acme",
    "site_id": "oslo",
    "name": "Oslo",
    "country": "NO",
    "timezone": "Europe/Oslo",
    "lat": 59.9,
    "lon": 10.8,
}
MODEL: dict[str, Any] = {
    "model_id": "th1",
    "manufacturer": "Sensors Ltd",
    "name": "TH 1",
    "metrics": ["temperature"],
    "expected_interval_s": 60,
}


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps({"sites": [SITE], "models": [MODEL]}))
    (tmp_path / "catalog.yaml").write_text(
        "sites:\n- {tenant_id: acme, site_id: oslo, name: Oslo, country: 'NO', timezone: Europe/Oslo, lat: 59.9, "
        "lon: 10.8}\nmodels:\n- {model_id: th1, manufacturer: Sensors Ltd, name: TH 1, metrics: [temperature], "
        "expected_interval_s: 60}\n"
    )
    read = read_catalog(tmp_path / "catalog.yaml")
    assert read == read_catalog(tmp_path / "catalog.json")
    assert read.sites[0].country == "NO"


def test_an_empty_catalog_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text("")
    assert read_catalog(tmp_path / "catalog.yaml") == Catalog()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"sites": [SITE | {"lat": 91}]}, r"sites\.0\.lat.*less than or equal to 90.*got 91"),
        ({"sites": [SITE | {"timezone": "Oslo"}]}, r"sites\.0\.timezone.*IANA"),
        ({"sites": [SITE | {"country": "Norway"}]}, r"sites\.0\.country"),
        ({"sites": [SITE | {"country": False}]}, r"sites\.0\.country.*YAML reads NO as false"),
        ({"sites": [SITE | {"site_id": "a/b"}]}, r"sites\.0\.site_id"),
        ({"sites": [SITE | {"since": "2026-01-01T00:00:00"}]}, r"sites\.0\.since.*timezone"),
        ({"sites": [SITE | {"name": "ø" * 65}]}, r"sites\.0\.name.*128 bytes"),
        ({"sites": [SITE | {"colour": "red"}]}, r"sites\.0\.colour.*Extra"),
        ({"models": [MODEL | {"metrics": ["taste"]}]}, r"models\.0\.metrics\.0.*no metric of the contract: temp"),
        ({"models": [MODEL | {"metrics": []}]}, r"models\.0\.metrics"),
        ({"models": [MODEL | {"expected_interval_s": 0}]}, r"models\.0\.expected_interval_s"),
    ],
)
def test_what_is_wrong_in_a_catalog_is_named(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps(entry))
    with pytest.raises(RegistryError, match=message):
        read_catalog(tmp_path / "catalog.json")


def test_what_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text("sites: [")
    with pytest.raises(RegistryError, match="neither YAML nor JSON"):
        read_catalog(tmp_path / "catalog.yaml")


def test_every_metric_of_the_contract_may_be_measured() -> None:
    metrics = [metric.name for metric in CONTRACT.metrics]
    assert Catalog.model_validate({"models": [MODEL | {"metrics": metrics}]}).models[0].metrics == tuple(metrics)


def test_devices_are_read_with_their_requests(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "d1.csr").write_text("a signing request")
    (tmp_path / "devices.csv").write_text(
        "\ufeffdevice_id,tenant,site,model,name,firmware,csr,installed_at\n"
        "d1,acme,oslo,th1,Hall,1.2,keys/d1.csr,2026-01-01T00:00:00Z\n"
        "d2,acme,oslo,th1,,,,\n"
    )
    installed = datetime(2026, 1, 1, tzinfo=UTC)
    assert read_devices(tmp_path / "devices.csv") == [
        Request("d1", "acme", "oslo", "th1", "Hall", "1.2", "a signing request", installed),
        Request("d2", "acme", "oslo", "th1"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("device_id,tenant,site\n", "column model is missing"),
        ("device_id,tenant,site,model,color\n", "unknown column color"),
        ("device_id,tenant,site,model\nd1,acme,,th1\n", "line 2: site is empty"),
        ("device_id,tenant,site,model\nd1,acme,oslo\n", "line 2: model is empty"),
        ("device_id,tenant,site,model\nd1,acme,oslo,th1,x\n", "line 2: it has more fields"),
        ("device_id,tenant,site,model\nd1,a,b,c\nd1,a,b,c\n", "line 3: device d1 is in the file twice"),
        ("device_id,tenant,site,model\nd/1,acme,oslo,th1\n", "line 2: device id 'd/1' must be 1 to 128"),
        (f"device_id,tenant,site,model,name\nd1,a,b,c,{'ø' * 65}\n", "line 2: name .* must have 1 to 128 bytes"),
        ("device_id,tenant,site,model,installed_at\nd1,a,b,c,2026-01-01\n", "line 2: .* has no zone"),
        ("device_id,tenant,site,model,csr\nd1,a,b,c,none.csr\n", r"line 2: .*none\.csr"),
        ("device_id,tenant,site,model,csr\nd1,a,b,c,../d1.csr\n", r"line 2: \.\./d1\.csr is not in the folder"),
        ("device_id,tenant,site,model,csr\nd1,a,b,c,/etc/passwd\n", "line 2: /etc/passwd is not in the folder"),
        ("device_id,tenant,site,model,installed_at\nd1,a,b,c,noon\n", "line 2: .*noon"),
    ],
)
def test_what_is_wrong_in_a_device_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "devices.csv").write_text(text)
    with pytest.raises(RegistryError, match=message):
        read_devices(tmp_path / "devices.csv")


def test_the_first_ten_wrong_lines_are_shown(tmp_path: Path) -> None:
    (tmp_path / "devices.csv").write_text("device_id,tenant,site,model\n" + ",a,b,c\n" * 12)
    with pytest.raises(RegistryError, match="line 11: device_id is empty; and 2 more"):
        read_devices(tmp_path / "devices.csv")


def test_a_private_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    save(tmp_path / "out", "d1", Certificate("id", "arn", "certificate", "key"))
    save(tmp_path / "out", "d1", Certificate("id", "arn", "another certificate", "another key"))
    key = tmp_path / "out" / "d1.key"
    assert key.read_text() == "another key"
    assert (tmp_path / "out" / "d1.crt").read_text() == "another certificate"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in key.parent.iterdir()) == ["d1.crt", "d1.key"]


def test_without_a_private_key_only_the_certificate_is_written(tmp_path: Path) -> None:
    save(tmp_path, "d1", Certificate("id", "arn", "certificate", None))
    assert [path.name for path in tmp_path.iterdir()] == ["d1.crt"]
