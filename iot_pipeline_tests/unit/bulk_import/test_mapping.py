"""What a mapping may say, and what it is answered with when it says something else."""

import pytest

from iot_pipeline.bulk_import.mapping import ImportMapping, MappingError, Text
from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.bulk_import_commands import EXAMPLE

GOOD = """
import = "acme-2020"
tenant = "acme"
site = { column = "plant" }
device = { column = "sensor" }
ts = { column = "at", format = "iso8601" }
[metrics]
temperature = { column = "t", unit = "F" }
humidity = { column = "rh", unit = "%" }
"""


def test_a_mapping_is_read_whole() -> None:
    found = read_mapping(GOOD)
    assert (found.import_id, found.tenant, found.site) == ("acme-2020", Text(constant="acme"), Text(column="plant"))
    assert found.columns == ["sensor", "plant", "at", "t", "rh"]
    assert [(each.metric, each.unit, each.is_canonical) for each in found.metrics] == [
        ("temperature", "F", False),
        ("humidity", "%", True),
    ]
    assert found.nulls == {""}


def test_the_example_is_a_mapping() -> None:
    assert read_mapping(EXAMPLE).time.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('import = "acme-2020"', "", "import is missing"),
        (
            '"acme-2020"',
            '"Acme 2020"',
            "import: expected lower-case letters, digits and hyphens, at most 63, got 'Acme",
        ),
        ('tenant = "acme"', 'tenant = "a/b"', "tenant: expected a name of"),
        ('tenant = "acme"', 'tenant = "a"\nidentity = "registry"', "says tenant and site"),
        ('tenant = "acme"', 'tenant = "a"\nform = "tall"', "form: expected one of 'wide', 'long', got 'tall'"),
        ('tenant = "acme"', 'tenant = "a"\nmode = 1', "mode: unknown; there may be"),
        ('unit = "F"', 'unit = "K"', "metrics.temperature.unit: expected one of 'C', 'F', got 'K'"),
        (', unit = "F"', "", "metrics.temperature.unit is missing"),
        ("temperature =", "warmth =", "metrics.warmth: the contract has no such metric; it has 'temperature'"),
        ('"rh"', '"t"', r"\[metrics\]: column 't' is named by two metrics"),
        ('"iso8601"', '"%d.%m.%Y %H:%M"', "ts.zone: times as '%d.%m.%Y %H:%M' say no zone"),
        ('"iso8601"', '"%d.%m.%Y", zone = "UTC"', "does not say year, month, day, hour and minute"),
        ('"iso8601"', '"%I:%M %d.%m.%Y", zone = "UTC"', "does not say year, month, day, hour and minute"),
        ('"iso8601"', '"ISO", zone = "UTC"', "ts.format: expected iso8601, epoch_s, epoch_ms or a pattern"),
        ('"iso8601"', '"iso8601", zone = "Berlin"', "ts.zone: expected IANA's name of a zone"),
        ('"iso8601"', '"epoch_s", zone = "UTC"', "counts from 1970 in UTC"),
        ("[metrics]", '[csv]\ndelimiter = ";;"\n[metrics]', "csv.delimiter: expected one character, got ';;'"),
        ("[metrics]", '[csv]\nencoding = "latin-0"\n[metrics]', "Python knows no encoding 'latin-0'"),
        ("[metrics]", "[metrics", "the mapping is no TOML"),
        ('tenant = "acme"', 'tenant = "acme"\nignore = ["t"]', "column 't' is mapped and under `ignore`"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    with pytest.raises(MappingError, match=expected):
        read_mapping(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["sensor", "plant", "at", "t"], "a.csv: no column 'rh'; there are 'sensor'"),
        (["sensor", "plant", "at", "t", "rh", "rh"], "column 'rh' is there twice"),
        (["sensor", "plant", "at", "t", "rh", "note"], "column 'note' is neither mapped nor ignored"),
    ],
)
def test_a_file_has_what_is_mapped_and_nothing_else(columns: list[str], expected: str) -> None:
    mapping: ImportMapping = read_mapping(GOOD)
    with pytest.raises(MappingError, match=expected):
        mapping.check_columns(columns, "a.csv")
