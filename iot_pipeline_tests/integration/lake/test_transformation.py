"""Raw to curated and quarantine: every form of a message, and exactly what becomes of it."""

import base64
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from iot_pipeline.contract import Reason, tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import (
    METER,
    RawZone,
    Sender,
    build,
    curated,
    line,
    message,
    quarantined,
    reading,
)

MINUTE = timedelta(minutes=1)
NOW = Hour.of(datetime.fromisoformat("2039-11-05T12:00:00+00:00"))  # not a slice of any other test
AT = NOW.start + 30 * MINUTE
RECEIVED = AT + MINUTE
TOO_LATE = (RECEIVED - timedelta(days=30, seconds=1)).isoformat()
EPOCH_MS = round(AT.timestamp() * 1000)

TOO_LONG = "expected names and values of further fields of at most 16000 characters without U+0000"
NO_FIRMWARE = "fw: expected a text of at most 64 characters without U+0000, other than Infinity"


@dataclass(frozen=True)
class Bad:
    """A payload, and what the quarantine must say of it."""

    payload: bytes
    reason: Reason
    detail: str | None = None
    record: str | None = None
    records: int = 1


def of(*readings: Any, **fields: Any) -> bytes:
    return message(*readings, **fields)


def sent(**changes: Any) -> dict[str, Any]:
    """A good reading with changes; a field set to None is absent."""
    fields = {**reading(AT, 1), **changes}
    return {name: value for name, value in fields.items() if value is not None}


BROKEN: dict[str, bytes] = {
    "truncated": b'{"v":1,"readings":[{"ts":"2026-',
    "empty": b"",
    "text": b"hello",
    "two objects": b'{"v":1}{"v":1}',
    "invalid UTF-8": b'{"v":1,"note":"\xff\xfe"}',
    "newlines": b'{"v":1,\n"readings":\n[',
    "cbor": bytes.fromhex("a2617601687265616469676e7381a0ff00"),
    "zeros": b"\x00\x00\x00",
    "not a number": b'{"v":NaN}',
}
NO_READINGS: dict[str, bytes] = {
    "object without": b'{"v":1,"temperature":20}',
    "array": b'[{"ts":1,"seq":1}]',
    "number": b"42",
    "null": b"null",
    "text": b'"hello"',
    "newlines": b'{\n  "v": 1\n}\n',
    "unicode": '{"note":"Grüße 🌡"}'.encode(),
}

BAD: dict[str, Bad] = {
    **{f"malformed_json: {name}": Bad(payload, Reason.MALFORMED_JSON) for name, payload in BROKEN.items()},
    **{f"no_readings: {name}": Bad(payload, Reason.NO_READINGS) for name, payload in NO_READINGS.items()},
    "no_readings: empty": Bad(of(), Reason.NO_READINGS),
    "no_readings: object": Bad(b'{"v":1,"readings":{"ts":1}}', Reason.NO_READINGS),
    "no_readings: null": Bad(b'{"v":1,"readings":null}', Reason.NO_READINGS),
    "no_readings: number": Bad(b'{"v":1,"readings":7}', Reason.NO_READINGS),
    "unsupported_version": Bad(of(sent(), v=2), Reason.UNSUPPORTED_VERSION, "v: expected 1", json.dumps(sent())),
    "unsupported_version: text": Bad(of(sent(), v="1"), Reason.UNSUPPORTED_VERSION),
    "unsupported_version: absent": Bad(b'{"readings":[{"ts":1,"seq":1}]}', Reason.UNSUPPORTED_VERSION),
    "unsupported_version: each reading": Bad(of(sent(), sent(seq=2), v=0), Reason.UNSUPPORTED_VERSION, records=2),
    "device_mismatch": Bad(
        of(sent(), device_id="other"),
        Reason.DEVICE_MISMATCH,
        f"device_id: expected {METER.device}, the device of the topic",
    ),
    "not_an_object": Bad(of(7), Reason.NOT_AN_OBJECT, record="7"),
    "not_an_object: text": Bad(of("hello"), Reason.NOT_AN_OBJECT, record='"hello"'),
    "not_an_object: null": Bad(of(None), Reason.NOT_AN_OBJECT),
    "not_an_object: array": Bad(of([1, 2]), Reason.NOT_AN_OBJECT, record="[1,2]"),
    "not_an_object: array of one object": Bad(of([sent()]), Reason.NOT_AN_OBJECT),
    "missing_ts": Bad(of({"seq": 1, "temperature": 20}), Reason.MISSING_TS, "ts: expected a time"),
    "missing_ts: null": Bad(of({**sent(), "ts": None}), Reason.MISSING_TS),
    "missing_ts: empty object": Bad(of({}), Reason.MISSING_TS),
    "invalid_ts": Bad(
        of(sent(ts="soon")), Reason.INVALID_TS, 'ts: expected ISO-8601 with a zone or epoch milliseconds, got "soon"'
    ),
    "invalid_ts: no zone": Bad(of(sent(ts=AT.strftime("%Y-%m-%dT%H:%M:%S"))), Reason.INVALID_TS),
    "invalid_ts: date": Bad(of(sent(ts="2026-11-05")), Reason.INVALID_TS),
    "invalid_ts: month 13": Bad(of(sent(ts="2026-13-05T12:00:00Z")), Reason.INVALID_TS),
    "invalid_ts: fraction": Bad(of(sent(ts=1.5)), Reason.INVALID_TS),
    "invalid_ts: negative": Bad(of(sent(ts=-1)), Reason.INVALID_TS),
    "invalid_ts: number as text": Bad(of(sent(ts=str(EPOCH_MS))), Reason.INVALID_TS),
    "invalid_ts: empty": Bad(of(sent(ts="")), Reason.INVALID_TS),
    "invalid_ts: object": Bad(of(sent(ts={"at": 1})), Reason.INVALID_TS),
    "missing_seq": Bad(of(sent(seq=None)), Reason.MISSING_SEQ, "seq: expected a whole number"),
    "invalid_seq": Bad(of(sent(seq="1")), Reason.INVALID_SEQ, 'seq: expected a whole number, got "1"'),
    "invalid_seq: fraction": Bad(of(sent(seq=1.5)), Reason.INVALID_SEQ),
    "invalid_seq: true": Bad(of(sent(seq=True)), Reason.INVALID_SEQ),
    "invalid_seq: too large": Bad(of(sent(seq=2**63)), Reason.INVALID_SEQ),
    "too_late": Bad(
        of(sent(ts=TOO_LATE)),
        Reason.TOO_LATE,
        f'ts: expected at most 30 days, 0:00:00 before arrival, got "{TOO_LATE}"',
    ),
    "too_late: 1970": Bad(of(sent(ts=0)), Reason.TOO_LATE),
    "in_future": Bad(of(sent(ts=(RECEIVED + timedelta(hours=1, seconds=1)).isoformat())), Reason.IN_FUTURE),
    "no_metrics": Bad(of({"ts": AT.isoformat(), "seq": 1, "vibration": 3}), Reason.NO_METRICS),
    "no_metrics: null": Bad(of({"ts": AT.isoformat(), "seq": 1, "temperature": None}), Reason.NO_METRICS),
    "invalid_value": Bad(
        of(sent(temperature="warm")),
        Reason.INVALID_VALUE,
        'temperature: expected a number from -60 to 150 C, got "warm"',
    ),
    "invalid_value: number as text": Bad(of(sent(temperature="21.5")), Reason.INVALID_VALUE),
    "invalid_value: true": Bad(of(sent(humidity=True)), Reason.INVALID_VALUE),
    "invalid_value: array": Bad(of(sent(battery=[3.7])), Reason.INVALID_VALUE),
    "unknown_unit: text": Bad(
        of(sent(unit="F")), Reason.UNKNOWN_UNIT, 'unit: expected a unit of the contract, got "F"'
    ),
    "unknown_unit: of a field that is not sent": Bad(of(sent(unit={"temp": "F"})), Reason.UNKNOWN_UNIT),
    "invalid_value: location": Bad(
        of(sent(location={"lat": 91, "lon": 0})),
        Reason.INVALID_VALUE,
        'location: expected lat and lon in degrees, got {"lat":91,"lon":0}',
    ),
    "invalid_value: location without lon": Bad(of(sent(location={"lat": 1})), Reason.INVALID_VALUE),
    "invalid_value: location text": Bad(of(sent(location={"lat": "1", "lon": "2"})), Reason.INVALID_VALUE),
    "invalid_value: location array": Bad(of(sent(location=[1, 2])), Reason.INVALID_VALUE),
    "invalid_value: firmware too long": Bad(of(sent(), fw="é" * 65), Reason.INVALID_VALUE, NO_FIRMWARE),
    "invalid_value: extra too long": Bad(of(sent(note="é" * 16_001)), Reason.INVALID_VALUE, TOO_LONG),
    "unknown_unit": Bad(
        of(sent(unit={"temperature": "K"})),
        Reason.UNKNOWN_UNIT,
        'unit: expected a unit of the contract, got {"temperature":"K"}',
    ),
    "unknown_unit: case": Bad(of(sent(unit={"temperature": "f"})), Reason.UNKNOWN_UNIT),
    "out_of_range": Bad(
        of(sent(temperature=151)), Reason.OUT_OF_RANGE, "temperature: expected a number from -60 to 150 C, got 151"
    ),
    "out_of_range: converted": Bad(of(sent(temperature=303, unit={"temperature": "F"})), Reason.OUT_OF_RANGE),
    "out_of_range: second metric": Bad(
        of(sent(humidity=-0.1)), Reason.OUT_OF_RANGE, "humidity: expected a number from 0 to 100 %, got -0.1"
    ),
    # Two reasons: the first of the contract's order is given.
    "version before device": Bad(of(sent(), v=2, device_id="other"), Reason.UNSUPPORTED_VERSION),
    "device before reading": Bad(of(7, device_id="other"), Reason.DEVICE_MISMATCH),
    "ts before seq": Bad(of(sent(ts="soon", seq="x")), Reason.INVALID_TS),
    "seq before late": Bad(of(sent(ts=0, seq="x")), Reason.INVALID_SEQ),
    "late before metrics": Bad(of({"ts": 0, "seq": 1}), Reason.TOO_LATE),
    "value before unit": Bad(of(sent(humidity="x", unit={"temperature": "K"})), Reason.INVALID_VALUE),
    "unit before range": Bad(of(sent(temperature=999, unit={"temperature": "K"})), Reason.UNKNOWN_UNIT),
}


VALID: dict[str, tuple[bytes, dict[str, Any]]] = {
    "iso": (of(sent()), {"event_time": AT.replace(tzinfo=None), "temperature": 21.5}),
    "epoch ms": (
        of(sent(ts=EPOCH_MS + 7)),
        {"event_time": AT.replace(tzinfo=None, microsecond=7000)},
    ),
    "Z": (of(sent(ts=AT.strftime("%Y-%m-%dT%H:%M:%SZ"))), {"event_time": AT.replace(tzinfo=None)}),
    "offset": (
        of(sent(ts=(AT + timedelta(hours=5, minutes=30)).strftime("%Y-%m-%dT%H:%M:%S.250+05:30"))),
        {"event_time": AT.replace(tzinfo=None, microsecond=250_000)},
    ),
    "fahrenheit": (of(sent(temperature=212, unit={"temperature": "F"})), {"temperature": pytest.approx(100.0)}),
    "celsius named": (of(sent(temperature=20, unit={"temperature": "C"})), {"temperature": 20.0}),
    "unit of nothing": (of(sent(unit={})), {"temperature": 21.5}),
    "unit of an unknown field": (
        of(sent(temperature=20, vibration=3, unit={"vibration": "mm/s"})),
        {"temperature": 20.0, "extras": {"vibration": "3", "unit.vibration": '"mm/s"'}},
    ),
    "null metric": (of({**sent(), "humidity": None}), {"humidity": None, "temperature": 21.5, "extras": None}),
    "all metrics": (
        of(sent(humidity=40, pressure=1013.25, flow_rate=0, battery=3.7, rssi=-70)),
        {"humidity": 40.0, "pressure": 1013.25, "flow_rate": 0.0, "battery": 3.7, "rssi": -70.0},
    ),
    "bounds": (of(sent(temperature=150, humidity=100, rssi=-130)), {"temperature": 150.0, "rssi": -130.0}),
    "exponent": (of(sent()).replace(b"21.5", b"1e1"), {"temperature": 10.0}),
    "exponent with sign": (of(sent()).replace(b"21.5", b"-1.5E+1"), {"temperature": -15.0}),
    "location": (of(sent(location={"lat": 53.5, "lon": -10})), {"lat": 53.5, "lon": -10.0}),
    "null location": (of({**sent(), "location": None}), {"lat": None, "lon": None}),
    "extras": (
        of({**sent(vibration=3.5, note='a"b', nested={"x": [1, None]}, flag=False), "nothing": None}),
        {
            "extras": {
                "vibration": "3.5",
                "note": '"a\\"b"',
                "nested": '{"x":[1,null]}',
                "flag": "false",
                "nothing": None,
            }
        },
    ),
    "no extras": (of(sent()), {"extras": None}),
    "upper-case key": (of({**sent(), "Vibration": 1}), {"extras": {"Vibration": "1"}}),
    "firmware": (of(sent(), fw="1.4.2"), {"fw": "1.4.2"}),
    "device id agrees": (of(sent(), device_id="device id agrees"), {"device_id": "device id agrees"}),
    "latest of the past": (of(sent(ts=(RECEIVED - timedelta(days=30)).isoformat())), {"temperature": 21.5}),
    "furthest future": (of(sent(ts=(RECEIVED + timedelta(hours=1)).isoformat())), {"temperature": 21.5}),
    "unicode": (of(sent(note="Grüße")), {"extras": {"note": '"Grüße"'}}),
    "unknown message fields": (of(sent(), color="red"), {"extras": {"message.color": '"red"'}}),
    "seq 0": (of(sent(seq=0)), {"seq": 0}),
    "seq largest": (of(sent(seq=2**63 - 1)), {"seq": 2**63 - 1}),
    "seq negative": (of(sent(seq=-5)), {"seq": -5}),
}


@dataclass(frozen=True)
class Built:
    """What became of the messages: quarantined records by the message's name, curated rows by the device's."""

    quarantined: dict[str, list[dict[str, Any]]]
    curated: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def built(lake: Lake, raw: RawZone) -> Built:
    """All messages, bad and good, in one object, built."""
    lines = [line(bad.payload, RECEIVED, trace=name) for name, bad in BAD.items()]
    lines += [line(payload, RECEIVED, Sender(name), trace=name) for name, (payload, _) in VALID.items()]
    raw.put(NOW, lines)
    event_hours = build(lake, [NOW])
    by_name: Built = Built(defaultdict(list), defaultdict(list))
    for record in quarantined(lake, [NOW]):
        by_name.quarantined[record["message_id"]].append(record)
    for row in curated(lake, event_hours):
        by_name.curated[row["device_id"]].append(row)
    return by_name


def test_every_reason_has_an_example() -> None:
    not_of_a_device = {Reason.UNREADABLE_OBJECT, Reason.NOT_FROM_INGEST}  # test_raw_objects.py has theirs
    assert {bad.reason for bad in BAD.values()} == set(Reason) - not_of_a_device


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_kept_with_its_reason(built: Built, name: str) -> None:
    bad, records = BAD[name], built.quarantined[name]
    assert [record["reason"] for record in records] == [bad.reason] * bad.records
    assert [record["position"] for record in records] == list(range(1, bad.records + 1))
    first = records[0]
    assert (first["tenant"], first["site"], first["device_id"]) == ("acme", "north", "meter-1")
    assert first["received_at"] == RECEIVED.replace(tzinfo=None)
    assert first["object"].startswith("s3://")
    if bad.detail is not None:
        assert first["detail"] == bad.detail
    if bad.record is not None:
        assert json.loads(first["record"]) == json.loads(bad.record)


@pytest.mark.parametrize(
    "name", [name for name in BAD if name.startswith("malformed") or BAD[name].payload in NO_READINGS.values()]
)
def test_what_is_no_telemetry_is_kept_byte_by_byte(built: Built, name: str) -> None:
    kept = built.quarantined[name][0]["payload_base64"]
    assert base64.b64decode(kept) == BAD[name].payload


@pytest.mark.parametrize("name", VALID)
def test_a_valid_form_becomes_one_row(built: Built, name: str) -> None:
    assert built.quarantined[name] == []
    (row,) = built.curated[name]
    assert {column: row[column] for column in VALID[name][1]} == VALID[name][1]


def test_a_row_says_where_it_came_from(built: Built) -> None:
    (row,) = built.curated["iso"]
    columns = {column.name for column in tables().curated_telemetry.columns}
    assert set(row) == columns
    assert (row["tenant"], row["site"], row["seq"]) == ("acme", "north", 1)
    assert row["received_at"] == RECEIVED.replace(tzinfo=None)
    assert (row["duplicates"], row["conflicts"]) == (0, 0)


def test_every_record_is_counted_and_nothing_else(lake: Lake, built: Built) -> None:
    (balance,) = lake.arrival_balances([NOW])
    bad = sum(bad.records for bad in BAD.values())
    assert (balance.received, balance.valid, balance.quarantined) == (bad + len(VALID), len(VALID), bad)
    assert set(built.curated) == set(VALID)
    assert {name for name, records in built.quarantined.items() if records} == set(BAD)
