"""The contract and what derives from it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from iot_pipeline.contract import (
    CONTRACT,
    METRICS,
    Contract,
    Format,
    Metric,
    Reason,
    Unit,
    message_schema,
    tables,
    topic,
)
from iot_pipeline.contract.docs import markdown
from iot_pipeline_tests.support.verdict_cases import Case, cases

CHECKOUT = Path(__file__).resolve().parents[3]
TS = "2026-11-05T12:00:00.000Z"
GOOD = {"ts": TS, "seq": 1, "temperature": 21.5}
EXTRA = Metric("moisture", (Unit("%"),), 0.0, 100.0, 10.0, "Soil moisture.")


def of(*readings: Any, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "readings": list(readings), **fields}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = message_schema(CONTRACT)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "message",
    [
        of(GOOD),
        of(GOOD, {**GOOD, "seq": 2, "humidity": None}),
        of({**GOOD, "ts": 1795000000000}),
        of({**GOOD, "unit": {"temperature": "F"}, "temperature": 212}),
        of({**GOOD, "location": {"lat": -90, "lon": 180}}),
        of({**GOOD, "unit": None, "location": {"lat": None, "alt": None}}, fw=None, device_id=None, sent_at=5),
        of({**GOOD, "unit": {"humidity": None, "vibration": "g"}, "vibration": 3}),
        of({**GOOD, "vibration": {"any": "thing"}}, color="red", fw="1.2", sent_at=TS, device_id="d"),
    ],
)
def test_the_schema_accepts(validator: jsonschema.Draft202012Validator, message: dict[str, Any]) -> None:
    validator.validate(message)


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"readings": [GOOD]}, "'v' is a required property"),
        (of(GOOD, v=2), "1 was expected"),
        (of(), "[] should be non-empty"),
        ({"v": 1}, "'readings' is a required property"),
        ({"v": 1, "readings": {}}, "is not of type 'array'"),
        (of(7), "7 is not of type 'object'"),
        (of({"seq": 1, "temperature": 1}), "'ts' is a required property"),
        (of({"ts": TS, "temperature": 1}), "'seq' is a required property"),
        (of({**GOOD, "seq": 1.5}), "1.5 is not of type 'integer'"),
        (of({"ts": TS, "seq": 1}), "is not valid under any of the given schemas"),
        (of({**GOOD, "temperature": "warm"}), "'warm' is not of type 'number', 'null'"),
        (of({**GOOD, "humidity": 101}), "101 is greater than the maximum of 100.0"),
        (of({**GOOD, "unit": {"temperature": "K"}}), "'K' is not one of ['C', 'F', None]"),
        (of({**GOOD, "unit": {"temperature": None}}), "None should not be valid under"),
        (of({**GOOD, "unit": "F"}), "'F' is not of type 'object', 'null'"),
        (of({**GOOD, "location": {"lat": 91, "lon": 0}}), "91 is greater than the maximum of 90"),
        (of({**GOOD, "location": {"lat": 1}}), "'lon' is a required property"),
    ],
)
def test_the_schema_refuses(validator: jsonschema.Draft202012Validator, message: dict[str, Any], where: str) -> None:
    assert where in " ".join(error.message for error in validator.iter_errors(message))


# What the judge finds beyond a message's form.
BEYOND_FORM = {"malformed_json", "not_from_ingest", "device_mismatch", "too_late", "in_future", "out_of_range"}
# Names of cases that a schema cannot tell from valid ones, as json_schema.py says: whole numbers written as 1.0, the
# calendar and the clock, units of fields that were not sent, what no store takes of unknown fields, and fractions
# beyond a DOUBLE with the texts that Athena makes of them.
BEYOND_SCHEMA = re.compile(
    r"(v|seq) 1\.0|(v|seq) 1e0|no ts (.*\.0$|1e12)"
    r'|no ts "(0000|9999|0001|....-00|....-13|.*-(00|31|29)T|.*T2[45]|.*:60)|no ts .*n"'
    r'|unit of no field|unit {.*"(temp|Temperature|)":'
    r"|U\+0000 in|a value of|a name of"
    r'|temperature (-?1e400|1\.8e308)|fw "-?Infinity"'
    # jsonschema goes no deeper than Python does.
    "|deep"
)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_schema_agrees_with_the_judge(validator: jsonschema.Draft202012Validator, case: Case) -> None:
    outcomes = {row["outcome"] for row in case.rows}
    if outcomes & BEYOND_FORM or BEYOND_SCHEMA.match(case.name):
        return
    sent = json.loads(case.line, parse_int=lambda text: int(text) if len(text) < 4_300 else 10**400)
    assert validator.is_valid(sent) == (outcomes == {"valid"})


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (METRICS[0], "'temperature' is defined twice"),
        (replace(EXTRA, name="seq"), "'seq' has the name of a field or column"),
        (replace(EXTRA, name="iot_site"), "'iot_site' has the name of a field or column"),
        (replace(EXTRA, name="Moisture"), "'Moisture' must be a lower-case identifier"),
        (replace(EXTRA, name="soil moisture"), "'soil moisture' must be a lower-case identifier"),
        (replace(EXTRA, minimum=100.0), "'moisture': minimum 100.0 is not below 100.0"),
    ],
)
def test_an_impossible_metric_is_refused_by_name(metric: Metric, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Contract(metrics=(*METRICS, metric))


@pytest.mark.parametrize("column", [column.name for column in tables().curated_telemetry.columns])
def test_a_metric_cannot_take_the_name_of_another_column(column: str) -> None:
    with pytest.raises(ValueError, match=column):
        Contract(metrics=(*METRICS, replace(EXTRA, name=column)))


def test_units_convert_to_the_first() -> None:
    fahrenheit = METRICS[0].units[1]
    assert (METRICS[0].unit, fahrenheit.symbol) == ("C", "F")
    for degrees, celsius in ((32, 0.0), (212, 100.0), (-40, -40.0)):
        assert degrees * fahrenheit.factor + fahrenheit.offset == pytest.approx(celsius)
    for metric in METRICS:
        assert (metric.units[0].factor, metric.units[0].offset) == (1.0, 0.0)


def test_a_new_metric_reaches_everything_that_derives() -> None:
    contract = Contract(metrics=(*METRICS, EXTRA))
    assert "moisture" in message_schema(contract)["properties"]["readings"]["items"]["properties"]
    assert ("moisture", "double") in [(c.name, c.type) for c in tables(contract).curated_telemetry.columns]
    assert "moisture:string" in str(tables(contract).raw_telemetry.columns)
    assert "| `moisture` | % |" in markdown(contract)


def test_tables_are_partitioned_alike_and_only_raw_is_projected() -> None:
    for table in tables().all:
        assert not set(table.partition_keys) & {column.name for column in table.columns}
        assert table.prefix.endswith("/")
        assert all(column.comment for column in table.columns), table.name
        assert table.projected == (table.format is not Format.PARQUET) == bool(table.projection)
    assert tables().raw_lines.projection["projection.hour.digits"] == "2"
    assert "projection.year.digits" not in tables().raw_lines.projection


def test_every_reason_has_a_meaning() -> None:
    meanings = [reason.meaning for reason in Reason]
    assert all(meaning.endswith(".") for meaning in meanings)
    assert len(set(meanings)) == len(meanings)


def test_the_topic_of_a_device() -> None:
    assert topic("acme", "north", "meter-1") == "dt/acme/north/meter-1/telemetry"
    for bad in ("", "a/b", "+", "#", "a\0"):
        with pytest.raises(ValueError, match=r"device_id .* cannot be a topic level"):
            topic("acme", "north", bad)


def test_the_generated_docs_are_up_to_date() -> None:
    written = (CHECKOUT / "docs" / "contract-tables.md").read_text(encoding="utf-8")
    assert written == markdown(), "run `make docs`"


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(message_schema(CONTRACT))) == message_schema(CONTRACT)
