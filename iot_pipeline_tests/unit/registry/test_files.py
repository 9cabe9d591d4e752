"""The catalog file and the device file: what is read, and how what is wrong is named."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def test_a_catalog_that_says_so_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text("{}")
    assert read_catalog(tmp_path / "catalog.yaml") == Catalog()


ENTRY = "models:\n- model_id: th1\n  manufacturer: Sensors\n  name: TH\n  metrics: [temperature]\n"
BAD_NUMBERS = ["0123", "0x10", "1_0", "1:30", "0b1", ".inf", ".nan", "+5", "5.", "1_0.5"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tenants: []\nsites: []\ntenants: []\n", ["line 3, column 1", "'tenants' is given twice, first in line 1"]),
        ("tenants:\n- {tenant_id: a, name: b, name: c}\n", ["line 2, column 27", "'name' is given twice"]),
        ('{"models": [{"model_id": "a", "model_id": "b"}]}', ["line 1, column 31", "'model_id' is given twice"]),
        (
            "tenants:\n- tenant_id: a\n  name: b\n- tenant_id: a\n  name: c\n",
            ["line 4", "a is there already", "line 2"],
        ),
        ("tenants:\n- tenant_id: a\n  name: no\n", ["line 3, column 9", "tenants.0.name", "text", '"no"']),
        ("tenants:\n- tenant_id: 12\n  name: b\n", ["line 2, column 14", "tenants.0.tenant_id", "text", '"12"']),
        ("tenants:\n- tenant_id: a\n  name: 2026-11-28\n", ["line 3, column 9", "name", "text", '"2026-11-28"']),
        ("tenants:\n- tenant_id: a\n  name: 1e3\n", ["line 3, column 9", "name", "text", '"1e3"']),
        ("tenants:\n- tenant_id: a\n  name: ~\n", ["line 3, column 9", "name", "text"]),
        ("tenants:\n- tenant_id: a\n  name:\n", ["line 3, column 8", "name", "text"]),
        ("tenants:\n- tenant_id: a\n  name: [b]\n", ["line 3, column 9", "name", "text", "list"]),
        ("tenants:\n- tenant_id: a\n", ["line 2, column 3", "name", "missing"]),
        ("tenants: {tenant_id: a}\n", ["line 1, column 10", "tenants", "a list"]),
        ("tenants: a\n", ["line 1, column 10", "tenants", "a list"]),
        ("tenants:\n", ["line 1, column 9", "tenants", "a list"]),
        ("tenants: [a]\n", ["line 1, column 11", "tenants.0", "a mapping"]),
        ("- tenants\n", ["line 1, column 1", "a mapping"]),
        ("tenants", ["line 1, column 1", "a mapping"]),
        ("5", ["line 1, column 1", "a mapping"]),
        ("--- \n", ["line 2, column 1", "a mapping"]),
        ("", ["is empty", "expected a mapping"]),
        ("# nothing\n", ["is empty", "expected a mapping"]),
        ("tenants: []\n---\nsites: []\n", ["line 3, column 1", "second document"]),
        ("tenants: &a []\nsites: *a\n", ["line 2, column 8", "alias *a", "write it out"]),
        ("tenants: &a [*a]\n", ["line 1, column 14", "alias *a"]),
        ("tenants:\n- {<<: {tenant_id: a}, name: b}\n", ["line 2, column 4", "'<<'", "merge"]),
        ("no: []\n", ["line 1, column 1", "'no', which YAML reads as bool", "text"]),
        ("? [a]\n: b\n", ["line 1, column 3", "a list or mapping", "text"]),
        ("tenants:\n\t- a\n", ["line 2, column 1", "neither YAML nor JSON", "spaces, not by tabs"]),
        ("tenants: [\n", ["line 2, column 1", "neither YAML nor JSON"]),
        ('tenants: "a\n', ["line 2, column 1", "neither YAML nor JSON", "close the quote"]),
        ("a: b: c\n", ["line 1, column 5", "neither YAML nor JSON"]),
        ("tenants: !!python/object:os.system []\n", ["line 1, column 10", "the tag"]),
        ("tenants: !mine a\n", ["line 1, column 10", "the tag"]),
        ("tenants: !!set {a}\n", ["line 1, column 10", "the tag"]),
        ("tenants: !!binary aGk=\n", ["line 1, column 10"]),
        ("a: 2026-13-45\n", ["line 1, column 4", "2026-13-45 is no date"]),
        ('a: "\\ud83d"\n', ["line 1, column 4", "half a character"]),
        ("[" * 3000 + "]" * 3000, ["too deep"]),
        ("tenants:\n- {tenant_id: a, name: b\0c}\n", ["line 2, column 25", "control character"]),
        ('tenants:\n- {tenant_id: a, name: "b\\0c"}\n', ["line 2, column 24", "name", "control character"]),
        ("a: \ufffe\n", ["line 1, column 4", "remove the character"]),
        *((f"{ENTRY}  expected_interval_s: {text}\n", ["line 6, column 24", text, "a number"]) for text in BAD_NUMBERS),
        *((f"tenants: [{{tenant_id: a, name: {text}}}]", ["line 1, column 32", text]) for text in BAD_NUMBERS),
        *(
            (f"{ENTRY}  expected_interval_s: {text}\n", ["line 6, column 24", "expected_interval_s", "a number"])
            for text in ('"60"', "yes", "true", "~", "2026-11-28", "a", "[]", "{}")
        ),
        *(
            (f"sites:\n- since: {text}\n", ["line 2, column 10", "sites.0.since"])
            for text in ("1600000000", '"1600000000"', "2026-01-01", "2026-01-01 00:00:00", "soon", "yes", "1.5")
        ),
        ("models:\n- metrics: temperature\n", ["line 2, column 12", "models.0.metrics", "a list"]),
        ("models:\n- metrics: [temperature, temperature]\n", ["models.0.metrics", "twice"]),
    ],
)
def test_what_yaml_would_take_for_something_else_names_its_place(tmp_path: Path, text: str, parts: list[str]) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(text)
    with pytest.raises(RegistryError) as refused:
        read_catalog(path)
    assert [part for part in [str(path), *parts] if part not in str(refused.value)] == [], str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"tenants:\n- {tenant_id: a, name: M\xfcller}\n", "line 2, column 25: byte 0xFC is not UTF-8; save"),
        ("tenants: []".encode("utf-16"), "is UTF-16 or UTF-32; save it as UTF-8"),
    ],
)
def test_bytes_that_are_no_utf_8_name_their_place_in_both_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    for read in (read_catalog, read_devices):
        with pytest.raises(RegistryError, match=message):
            read(path)


def test_a_number_is_what_it_is_in_json_and_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    for text, value in (("60", 60), ("60.5", 60.5), ("6e1", 60), ("1.5E+2", 150)):
        path.write_text(f"\ufeff{ENTRY}  expected_interval_s: {text}\n")
        assert read_catalog(path).models[0].expected_interval_s == value


PLAIN = st.one_of(st.text(max_size=6), st.integers(), st.floats(), st.booleans(), st.none(), st.dates(), st.datetimes())
KEYS = st.sampled_from(["tenants", "sites", "models", "tenant_id", "name", "since", "lat", "metrics", "country"])
DATA = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DATA.map(yaml.safe_dump) | st.text(max_size=40))
def test_any_file_is_a_catalog_or_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for read in (read_catalog, read_devices):
        try:
            read(path)
        except RegistryError as error:
            told = str(error)
        else:
            continue
        assert told.startswith(str(path))


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
        ("device_id,tenant,site\n", "line 1: column model is missing"),
        ("", "line 1: column device_id, tenant, site, model is missing"),
        ("device_id;tenant;site;model\nd1;a;b;c\n", "separated by semicolons, expected commas"),
        ("device_id,tenant,site,model,site\nd1,a,b,c,d\n", "line 1, column 5: site is there already, as column 3"),
        ("device_id,tenant,site,model\n", "no device below the first line"),
        ('device_id,tenant,site,model\nd1,a,b,"c\nd2,a,b,c\n', "line 2, column 4: a quote is opened and never closed"),
        ('device_id,tenant,site,model\nd1,a,b,"c\nd2,a,b,c"\n', "line 2, column 4: .* runs on to line 3"),
        ('device_id,tenant,site,model\nd1,a,b,"c"d\n', "line 2, column 4: a quote is out of order"),
        (f"device_id,tenant,site,model\nd1,a,b,{'c' * 140_000}\n", "line 2, column 4: a field of more than 131,072"),
        ("device_id,tenant,site,model\nd1,a,b\0,c\n", "line 2, column 7: control character"),
        ("device_id,tenant,site,model,name,firmware\nd1,a,b,c,n\n", "line 2: firmware is empty .5 fields, expected 6"),
        ("device_id,tenant,site,model,name\nd1,a,b,c,\u0085\n", "line 2: name .* control character"),
        ("device_id,tenant,site,model,color\n", "unknown column color"),
        ("device_id,tenant,site,model\nd1,acme,,th1\n", "line 2: site is empty"),
        ("device_id,tenant,site,model\nd1,acme,oslo\n", "line 2: model is empty"),
        ("device_id,tenant,site,model\nd1,acme,oslo,th1,x\n", "line 2: it has more fields"),
        ("device_id,tenant,site,model\nd1,a,b,c\nd1,a,b,c\n", "line 3: device d1 is in the file twice"),
        ("device_id,tenant,site,model\nd/1,acme,oslo,th1\n", "line 2: device id 'd/1' must be 1 to 128"),
        (f"device_id,tenant,site,model,name\nd1,a,b,c,{'ø' * 65}\n", "line 2: name .* must have 1 to 128 bytes"),
        ("device_id,tenant,site,model,installed_at\nd1,a,b,c,2026-01-01\n", "line 2: .* has no zone"),
        (
            "device_id,tenant,site,model,installed_at\nd1,a,b,c,0001-01-01T00:00:00+05:00\n",
            "line 2: .* the years 1 to 9999",
        ),
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
