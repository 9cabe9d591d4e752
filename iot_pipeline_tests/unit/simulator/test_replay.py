"""CSV files: what is read, what is refused and how, how times move, and that real, dirty data goes through."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pandas as pd
import pytest

from iot_pipeline_tests.support.messages import judged
from simulator.fleet import make_fleet
from simulator.outbox import Outbox
from simulator.replay import CsvReading, CsvRowError, ReplaySource, numbered_by_time, parse_mapping, read_csv, rebased

UTC = ZoneInfo("UTC")
HOUR_MS = 3_600_000
NOW_MS = 1_795_000_000_000
NAB = Path(__file__).parents[4] / "shared" / "data" / "machine_temperature.csv"


def csv_file(folder: Path, text: str) -> Path:
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, zone: ZoneInfo = UTC, skipped: list[str] | None = None) -> list[CsvReading]:
    return read_csv(path, parse_mapping(["temperature=value"], []), "timestamp", zone, skipped)


def test_rows_become_readings_with_their_number_as_sequence(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "timestamp,value\n1970-01-01 00:00:01,20.5\n1970-01-01T02:00:00+02:00,-3\n")
    assert read(path) == [CsvReading(2, 1000, 1, (20.5,)), CsvReading(3, 0, 2, (-3.0,))]


def test_naive_times_are_taken_in_the_stated_zone(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "timestamp,value\n1970-07-01 12:00:00,1\n")
    assert read(path, ZoneInfo("America/New_York"))[0].ts_ms - read(path)[0].ts_ms == 4 * HOUR_MS


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("soon,20", "line 3, column 'timestamp': 'soon', expected an ISO-8601 time"),
        ("2026-01-01,warm", "line 3, column 'value': 'warm', expected a finite number"),
        ("2026-01-01,nan", "line 3, column 'value': 'nan', expected a finite number"),
        ("2026-01-01,", "line 3: no value in value, expected at least one"),
        ("2026-01-01", "line 3: 1 fields, expected 2"),
    ],
)
def test_an_unreadable_row_stops_or_is_named_and_skipped(tmp_path: Path, row: str, message: str) -> None:
    path = csv_file(tmp_path, f"timestamp,value\n2026-01-01,1\n{row}\n2026-01-02,2\n")
    with pytest.raises(CsvRowError, match=message):
        read(path)
    skipped: list[str] = []
    assert [reading.seq for reading in read(path, skipped=skipped)] == [1, 3]
    assert len(skipped) == 1
    assert message in skipped[0]


def test_missing_columns_and_bad_mappings_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column 'value'; its columns are timestamp, heat"):
        read(csv_file(tmp_path, "timestamp,heat\n"))
    for maps, units, message in (
        ([], [], "--map is missing"),
        (["warmth=value"], [], "metric of temperature"),
        (["temperature=value"], ["temperature=K"], "accepted in C, F"),
        (["humidity=value"], ["temperature=F"], "has no --map"),
    ):
        with pytest.raises(ValueError, match=message):
            parse_mapping(maps, units)


def test_rebasing_moves_the_latest_reading_and_keeps_distances() -> None:
    readings = [CsvReading(2, 5_000, 1, (1.0,)), CsvReading(3, 2_000, 2, (2.0,))]
    assert [reading.ts_ms for reading in rebased(readings, NOW_MS, whole_hours=False)] == [NOW_MS, NOW_MS - 3_000]
    by_hours = rebased(readings, NOW_MS, whole_hours=True)
    assert 0 <= NOW_MS - by_hours[0].ts_ms < HOUR_MS
    assert (by_hours[0].ts_ms - 5_000) % HOUR_MS == 0


@pytest.fixture
def nab() -> list[CsvReading]:
    if not NAB.exists():
        pytest.skip(f"{NAB} is not there: the real data set lies beside the checkout, in ../shared/data")
    return read_csv(NAB, parse_mapping(["temperature=value"], ["temperature=F"]), "timestamp", UTC, None)


def replayed(folder: Path, readings: list[CsvReading], bound: timedelta) -> tuple[pd.DataFrame, list[bytes]]:
    outbox = Outbox(folder)
    device = make_fleet(1).devices[0]
    mapped = parse_mapping(["temperature=value"], ["temperature=F"])
    source = ReplaySource(outbox, device, mapped, readings, 100, bound, NOW_MS, 1000)
    tables, payloads = [], []
    while not source.finished:
        batch, _ = source.next_batch()
        tables.append(batch.rows.to_pandas())
        payloads += [message.payload for message in batch.messages]
    outbox.close()
    return pd.concat(tables, ignore_index=True), payloads


def test_real_data_goes_through_with_its_duplicates_and_its_disorder(tmp_path: Path, nab: list[CsvReading]) -> None:
    assert len(nab) == 22_695
    times = pd.Series([reading.ts_ms for reading in nab])
    assert times.duplicated().sum() == 12
    assert (times.diff() < 0).sum() >= 1
    rows, payloads = replayed(tmp_path, nab, timedelta(days=9_000))
    assert (rows["outcome"] == "valid").all()
    assert rows["seq"].tolist() == list(range(1, 22_696))
    assert rows["temperature"].iloc[0] == pytest.approx((73.96732207 - 32) * 5 / 9)
    first = orjson.loads(payloads[0])["readings"][0]
    assert first == {
        "ts": "2013-12-02T21:15:00.000Z",
        "seq": 1,
        "temperature": 73.96732207,
        "unit": {"temperature": "F"},
    }


def test_real_data_keyed_by_time_conflicts_in_twelve_places(tmp_path: Path, nab: list[CsvReading]) -> None:
    rows, _ = replayed(tmp_path, numbered_by_time(nab), timedelta(days=9_000))
    again = rows[rows.duplicated(["ts_ms", "seq"], keep=False)]
    assert len(again) == 24
    assert (again.groupby("seq")["temperature"].nunique() == 2).all()


def test_what_a_replay_expects_is_what_the_contract_says(tmp_path: Path, nab: list[CsvReading]) -> None:
    moved = rebased(nab, NOW_MS - 1000, whole_hours=False)
    rows, payloads = replayed(tmp_path, moved, timedelta(days=30))
    device_id = make_fleet(1).devices[0].device_id
    truth = [reading for payload in payloads for reading in judged(payload, device_id, NOW_MS + 500)]
    assert rows["outcome"].tolist() == [str(reading.outcome) for reading in truth]
    assert set(rows["outcome"]) == {"valid", "too_late"}
