"""Runs on disk: their windows hold every row once, in order of the source, whatever the rows' order was."""

import tempfile
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iot_pipeline.bulk_import import sorted_runs
from iot_pipeline.bulk_import.mapped_rows import SCHEMA
from iot_pipeline.bulk_import.sorted_runs import FileBooks, RunNotes, SortedRuns, TooDenseError, rows_in, windows

_HOUR_MS = 3_600_000
# Times in a few hours, of which some are crowded.
_TIMES = st.lists(st.lists(st.integers(0, 5 * _HOUR_MS - 1), max_size=40), min_size=1, max_size=5)


def _table(times: list[int], first: int) -> pa.Table:
    columns = {
        "hour": [ms // _HOUR_MS for ms in times],
        "ts": times,
        "seq": list(range(first, first + len(times))),
        **dict.fromkeys(("tenant", "site", "device", "values"), ["x"] * len(times)),
        "metric": [-1] * len(times),
    }
    return pa.table({field.name: columns[field.name] for field in SCHEMA}, schema=SCHEMA)


@given(_TIMES)
@example([[1000] * 8])  # of one second more than a window holds
def test_windows_hold_every_row_once(runs: list[list[int]]) -> None:
    rows = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(sorted_runs, "WINDOW_ROWS", 7),
        patch.object(sorted_runs, "_BATCH_ROWS", 5),
    ):
        written = SortedRuns(Path(folder))
        for number, times in enumerate(runs):
            notes = RunNotes(0, len(times), {0: FileBooks(len(times), len(times))}, {"why": number})
            written.write(number, _table(times, rows), notes)
            rows += len(times)
        opened = written.opened()
        assert [run.notes.reasons["why"] for run in opened] == list(range(len(runs)))
        assert sum(run.rows for run in opened) == rows
        found: list[int] = []
        last = (-1, -1)
        for window in windows(opened):
            held = rows_in(opened, window)
            # By time the windows follow each other, and none is larger than it must be.
            assert (window.first, window.begin) > last
            last = (window.last, window.end - 1 if window.first == window.last else 3599)
            seconds = {ms // 1000 for ms in held["ts"].to_pylist()}
            assert 0 < len(held) <= 7 or len(seconds) == 1
            of_hour: dict[int, list[int]] = {}
            for hour, seq in zip(held["hour"].to_pylist(), held["seq"].to_pylist(), strict=True):
                of_hour.setdefault(hour, []).append(seq)
            assert all(seqs == sorted(seqs) for seqs in of_hour.values()), "within an hour as the source has them"
            found += held["seq"].to_pylist()
        assert sorted(found) == list(range(rows))


def test_a_second_with_more_rows_than_memory_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_runs, "WINDOW_ROWS", 10)
    monkeypatch.setattr(sorted_runs, "SECOND_ROWS", 20)
    runs = SortedRuns(tmp_path)
    runs.write(0, _table([_HOUR_MS + n for n in range(21)], 0), RunNotes(0, 21))
    with pytest.raises(TooDenseError, match="21 rows are of one second, 3600 s since 1970; at most 20"):
        list(windows(runs.opened()))
