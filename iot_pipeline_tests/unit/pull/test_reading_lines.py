"""Items as lines of the raw zone, by the verdict of the contract's judge."""

import json
from pathlib import Path
from typing import Any

import pytest

from iot_pipeline.contract.json_text import parsed_within_depth
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.judged_reading import Reading
from iot_pipeline.pull.reading_lines import Lines, derived_seq, lines_of
from iot_pipeline.pull.vendor import Vendor
from iot_pipeline_tests.support.pulled import WATER, vendor_of
from simulator.vendor_file import WEATHER

URL, START = "https://api.example.com", "2026-11-01T00:00:00Z"
RECEIVED_MS = 1_793_500_000_000
AT = "2026-11-01T00:30:00Z"


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    """The weather."""
    return vendor_of(tmp_path, WEATHER, URL, START)


def _item(**changes: Any) -> dict[str, Any]:
    return {"station": {"id": "ST-1"}, "observed_at": AT, "values": {"temp_f": 50, "rh": 40.5}} | changes


def _lines(vendor: Vendor, items: list[Any], received_ms: int = RECEIVED_MS) -> Lines:
    return lines_of(vendor, vendor.resources[0], items, "page", received_ms)


def _judged(lines: Lines) -> list[Reading]:
    return [reading for line in lines.lines for reading in Judge().line(line)]


def test_an_item_becomes_a_reading_of_the_platforms_device_in_its_unit(vendor: Vendor) -> None:
    (reading,) = _judged(_lines(vendor, [_item()]))
    assert (reading.outcome, reading.values) == ("valid", {"temperature": 10.0, "humidity": 40.5})
    message = reading.message
    assert (message.tenant, message.site, message.device_id) == ("acme", "north", "weather-north")
    assert (message.received_ms, reading.seq) == (RECEIVED_MS, derived_seq(vendor, vendor.resources[0]))


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"observed_at": "yesterday"}, "invalid_ts"),
        ({"observed_at": 1_793_490_000}, "invalid_ts"),
        ({"observed_at": None}, "missing_ts"),
        ({"values": {"temp_f": "50"}}, "invalid_value"),
        ({"values": {"temp_f": 9999}}, "out_of_range"),
        ({"values": {}}, "no_metrics"),
        ({"values": None}, "no_metrics"),
        ({"station": {"id": "ST-9"}}, "not_from_ingest"),
        ({"station": None}, "not_from_ingest"),
        ({"station": {"id": True}}, "not_from_ingest"),
    ],
)
def test_a_bad_item_is_on_the_books_and_costs_itself_alone(
    vendor: Vendor, changes: dict[str, Any], outcome: str
) -> None:
    lines = _lines(vendor, [_item(), _item(**changes), _item(station={"id": "ST-2"})])
    found = sorted(reading.outcome for reading in _judged(lines))
    assert found == sorted(["valid", outcome, "valid"])
    assert (lines.readings, lines.unplaced) == (3, int(outcome == "not_from_ingest"))


@pytest.mark.parametrize("text", ["1e999", "9" * 5000, "-0", '"\\u0000"', "[[1]]"])
def test_a_value_of_any_kind_of_json_is_one_reading(vendor: Vendor, text: str) -> None:
    item = parsed_within_depth(json.dumps(_item()).replace("50", text))
    (reading,) = _judged(_lines(vendor, [item]))
    assert reading.outcome in ("valid", "invalid_value", "out_of_range")


@pytest.mark.parametrize("item", [None, 1, [], "x", {}])
def test_an_item_that_is_no_object_is_one_reading_too(vendor: Vendor, item: Any) -> None:
    assert [reading.outcome for reading in _judged(_lines(vendor, [item]))] == ["not_from_ingest"]


def test_a_page_that_comes_again_says_the_same_whenever_it_came(vendor: Vendor) -> None:
    first, again = _lines(vendor, [_item()]), _lines(vendor, [_item()], RECEIVED_MS + 1)
    assert first.digest == again.digest
    assert first.digest != _lines(vendor, [_item(observed_at="2026-11-01T00:31:00Z")]).digest
    assert first.digest != lines_of(vendor, vendor.resources[0], [_item()], "another page", RECEIVED_MS).digest


def test_the_readings_of_a_device_share_lines(vendor: Vendor) -> None:
    lines = _lines(vendor, [_item(station={"id": f"ST-{1 + n % 2}"}) for n in range(1200)])
    assert len(lines.lines) == 4
    assert len(_judged(lines)) == 1200


@pytest.mark.parametrize(
    ("form", "sent", "at_ms"),
    [
        ("epoch-s", 1_793_490_000, 1_793_490_000_000),
        ("epoch-s", 1_793_490_000.25, 1_793_490_000_250),
        ("epoch-s", "1793490000", None),
        ("epoch-ms", 1_793_490_000_123, 1_793_490_000_123),
        ("epoch-ms", AT, None),
        ("iso8601", "2026-11-01T01:30:00+01:00", 1_793_493_000_000),
        ("iso8601", "2026-11-01T00:30:00", None),
        ("iso8601-utc", "2026-11-01 00:30:00", 1_793_493_000_000),
        ("iso8601-utc", "2026-11-01", None),
        ("iso8601-utc", "2026-11-01T00:30:00+02:00", None),
    ],
)
def test_a_time_is_what_the_file_says_or_none(tmp_path: Path, form: str, sent: Any, at_ms: int | None) -> None:
    text = WATER.replace('ts_format = "epoch-s"', f'ts_format = "{form}"')
    vendor = vendor_of(tmp_path, text, URL, START)
    item = {"sensor": 17, "t": sent, "n": 4, "flow": 2.5}
    (reading,) = _judged(_lines(vendor, [item]))
    assert (reading.event_ms, reading.seq) == (at_ms, 4)
    assert reading.outcome == ("valid" if at_ms else "invalid_ts")
