"""CSV files: what is read, what is refused and how, how times move, and that real, dirty data goes through."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iot_pipeline_tests.support.messages import judged
from simulator.fleet import make_fleet
from simulator.outbox import Outbox
from simulator.replay.check import check, readings
from simulator.replay.columns import parse_mapping
from simulator.replay.form import CsvForm, Given, detect
from simulator.replay.readings import CsvReading, numbered_by_time, rebased, shift_ms
from simulator.replay.source import ReplaySource

HOUR_MS = 3_600_000
NOW_MS = 1_795_000_000_000
NAB = Path(__file__).parents[5] / "shared" / "data" / "machine_temperature.csv"


def form_of(path: Path, **said: Any) -> CsvForm:
    mapped = parse_mapping(["temperature=value"], ["temperature=F"])
    return detect(path, mapped, Given(**{"zone": UTC, **said}))


def read(form: CsvForm) -> list[CsvReading]:
    return list(readings(form, check(form)))


def test_rows_become_readings_with_their_number_as_sequence(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("timestamp,value\n1970-01-01 00:00:01,20.5\nsoon,1\n1970-01-01T02:00:00+02:00,-3\n")
    told = [(reading.line, reading.ts_ms, reading.seq, reading.values) for reading in read(form_of(path))]
    assert told == [(2, 1000, 1, (20.5,)), (4, 0, 3, (-3.0,))]


def test_rebasing_moves_the_latest_reading_and_keeps_distances() -> None:
    moved = rebased(
        iter([CsvReading(2, 5_000, 1, (1.0,)), CsvReading(3, 2_000, 2, (2.0,))]), shift_ms(5_000, NOW_MS, False)
    )
    assert [reading.ts_ms for reading in moved] == [NOW_MS, NOW_MS - 3_000]
    shift = shift_ms(5_000, NOW_MS, whole_hours=True)
    assert 0 <= NOW_MS - 5_000 - shift < HOUR_MS
    assert shift % HOUR_MS == 0


@pytest.fixture
def nab() -> CsvForm:
    if not NAB.exists():
        pytest.skip(f"{NAB} is not there: the real data set lies beside the checkout, in ../shared/data")
    return form_of(NAB)


def replayed(folder: Path, form: CsvForm, rows: list[CsvReading], bound: timedelta) -> tuple[pd.DataFrame, list[bytes]]:
    outbox = Outbox(folder)
    device = make_fleet(1).devices[0]
    source = ReplaySource(outbox, device, form.mapped, iter(rows), len(rows), 100, bound, NOW_MS, 1000)
    tables, payloads = [], []
    while not source.finished:
        batch, _ = source.next_batch()
        tables.append(batch.rows.to_pandas())
        payloads += [message.payload for message in batch.messages]
    outbox.close()
    return pd.concat(tables, ignore_index=True), payloads


def test_real_data_goes_through_with_its_duplicates_and_its_disorder(tmp_path: Path, nab: CsvForm) -> None:
    told = read(nab)
    assert len(told) == 22_695
    times = pd.Series([reading.ts_ms for reading in told])
    assert times.duplicated().sum() == 12
    assert (times.diff() < 0).sum() >= 1
    rows, payloads = replayed(tmp_path, nab, told, timedelta(days=9_000))
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


def test_real_data_keyed_by_time_conflicts_in_twelve_places(tmp_path: Path, nab: CsvForm) -> None:
    rows, _ = replayed(tmp_path, nab, list(numbered_by_time(iter(read(nab)))), timedelta(days=9_000))
    again = rows[rows.duplicated(["ts_ms", "seq"], keep=False)]
    assert len(again) == 24
    assert (again.groupby("seq")["temperature"].nunique() == 2).all()


def test_what_a_replay_expects_is_what_the_contract_says(tmp_path: Path, nab: CsvForm) -> None:
    moved = list(rebased(iter(read(nab)), shift_ms(check(nab).latest_ms, NOW_MS - 1000, whole_hours=False)))
    rows, payloads = replayed(tmp_path, nab, moved, timedelta(days=30))
    device_id = make_fleet(1).devices[0].device_id
    truth = [reading for payload in payloads for reading in judged(payload, device_id, NOW_MS + 500)]
    assert rows["outcome"].tolist() == [str(reading.outcome) for reading in truth]
    assert set(rows["outcome"]) == {"valid", "too_late"}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2004, 1, 13), datetime(2004, 2, 29)),  # noqa: DTZ001  # as a wall clock shows it
            st.decimals(-70, 310, allow_nan=False, places=2),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_messages_and_manifest_both_say_what_the_file_means(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[datetime, Decimal]]
) -> None:
    """By another reading of it: the values that the file was written from."""
    folder = tmp_path_factory.mktemp("replay")
    first = (datetime(2004, 1, 13, 12), Decimal("0.5"))  # noqa: DTZ001  # which proves the order and the mark
    told = [first, *told]
    lines = [f"{time:%d/%m/%Y};{time:%H.%M.%S};{str(value).replace('.', ',')};" for time, value in told]
    (folder / "data.csv").write_text("\r\n".join(["Date;Time;value;", *lines]), encoding="utf-16")
    form = form_of(folder / "data.csv", zone=ZoneInfo("Europe/Rome"))
    rows, payloads = replayed(folder, form, read(form), timedelta(days=100_000))
    sent = [reading for payload in payloads for reading in orjson.loads(payload)["readings"]]
    times = [time.replace(microsecond=0, tzinfo=ZoneInfo("Europe/Rome")) for time, _ in told]
    assert [datetime.fromisoformat(reading["ts"]) for reading in sent] == times
    assert [(reading["temperature"], reading["unit"]) for reading in sent] == [
        (float(value), {"temperature": "F"}) for _, value in told
    ]
    assert rows["ts_ms"].tolist() == [time.timestamp() * 1000 for time in times]
    for (_, value), (_, row) in zip(told, rows.iterrows(), strict=True):
        celsius = float((value - 32) * 5 / 9)
        assert row["outcome"] == ("valid" if -60 <= celsius <= 150 else "out_of_range")
        assert row["outcome"] != "valid" or row["temperature"] == pytest.approx(celsius, abs=1e-9)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """What checking and sending hold at once, of a file and of one thirty times as large."""
    peaks = []
    for count in (1_000, 30_000):
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("timestamp,value\n")
            file.writelines(f"{NOW_MS + n},{'x' if n % 3 else '20.5'}\n" for n in range(count))
        tracemalloc.start()
        form = form_of(path)
        found = check(form)
        assert sum(1 for _ in readings(form, found)) == found.readings
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.readings + found.bad_rows == count
    assert peaks[1] < 1.2 * peaks[0] + 100_000


def test_every_real_series_is_read_whole() -> None:
    if not NAB.exists():
        pytest.skip(f"{NAB} is not there: the real data set lies beside the checkout, in ../shared/data")
    series = sorted((NAB.parent / "nab").glob("*.csv"))
    assert series
    for path in series:
        found = check(form_of(path))
        expected = pd.read_csv(path, parse_dates=["timestamp"])
        assert (found.readings, found.bad_rows) == (len(expected), 0)
        first, last = expected["timestamp"].min(), expected["timestamp"].max()
        assert (found.earliest_ms, found.latest_ms) == (first.timestamp() * 1000, last.timestamp() * 1000)
        assert found.first[0].values == (expected["value"].iloc[0],)
