"""A shard's records in files: a list to its readers, in few bytes of memory, and there again for the next process."""

import copy
import resource
import signal
import tracemalloc
from bisect import bisect_left
from pathlib import Path

import pytest

from infra.local.emulator import file_log
from infra.local.emulator.streams.record_log import Record, RecordLog


def record(number: int, data: bytes = b"data") -> Record:
    return {
        "SequenceNumber": f"{number:030d}",
        "ApproximateArrivalTimestamp": number / 8,
        "Data": data,
        "PartitionKey": f"schlüssel-{number}",
    }


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_log, "FILE_BYTES", 500)
    monkeypatch.setattr(file_log, "READ_BYTES", 150)


def test_it_reads_as_the_list_of_what_was_appended(tmp_path: Path) -> None:
    log, expected = RecordLog(tmp_path), [record(n, b"x" * n) for n in range(60)]
    assert (len(log), list(log), log[:5], log.last) == (0, [], [], "")
    log.extend(expected[:7])
    for each in expected[7:]:
        log.append(each)
    assert len(list(tmp_path.iterdir())) > 3
    assert list(log) == expected
    assert [log[0], log[-1], log[-60], log[31]] == [expected[0], expected[-1], expected[0], expected[31]]
    assert [log[3:50], log[-2:], log[59:99], log[5:1], log[::7], log[::-9]] == [
        expected[3:50], expected[-2:], expected[59:99], [], expected[::7], expected[::-9],
    ]  # fmt: skip
    for place in (60, -61):
        with pytest.raises(IndexError):
            log[place]
    assert bisect_left(log, 4.0, key=lambda each: each["ApproximateArrivalTimestamp"]) == 32
    assert [log.after(f"{n:030d}") for n in (0, 30, 58, 59, 77)] == [1, 31, 59, 60, 60]
    assert log.after("") == 0


def test_what_is_dropped_leaves_the_places_and_the_disk(tmp_path: Path) -> None:
    log, expected = RecordLog(tmp_path), [record(n) for n in range(60)]
    for each in expected:
        log.append(each)
    files = len(list(tmp_path.iterdir()))
    log.drop(25)
    assert (len(log), log[0], list(log)) == (35, expected[25], expected[25:])
    assert len(list(tmp_path.iterdir())) < files
    log.drop(35)
    assert (len(log), list(log), log.last) == (0, [], expected[-1]["SequenceNumber"])
    assert len(list(tmp_path.iterdir())) == 1
    log.append(record(60))
    assert log[:] == [record(60)]


def test_the_oldest_files_are_those_that_the_newest_bytes_do_without(tmp_path: Path) -> None:
    log = RecordLog(tmp_path)
    for number in range(60):
        log.append(record(number))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert log.beyond(size) == 0
    beyond = log.beyond(size // 2)
    assert 15 < beyond < 45
    log.drop(beyond)
    assert log.beyond(size // 2) == 0
    assert size // 2 <= sum(path.stat().st_size for path in tmp_path.iterdir()) < size // 2 + 600


def test_the_next_process_finds_them_but_what_a_kill_cut_short(tmp_path: Path) -> None:
    log, expected = RecordLog(tmp_path), [record(n) for n in range(60)]
    for each in expected:
        log.append(each)
    log.drop(10)
    saved: object = copy.deepcopy(log)
    assert saved == {"first": 10}
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes()[:-3])
    again = RecordLog(tmp_path, 10)
    assert list(again) == expected[10:-1]
    assert again.last == expected[-2]["SequenceNumber"]
    again.append(record(60))
    assert list(RecordLog(tmp_path, 10)) == [*expected[10:-1], record(60)]


def test_a_record_in_memory_takes_eight_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_log, "FILE_BYTES", 4 << 20)
    log, body = RecordLog(tmp_path), b"x" * 700
    tracemalloc.start()
    before, _peak = tracemalloc.get_traced_memory()
    for number in range(0, 20_000, 100):
        log.extend(record(number + n, body) for n in range(100))
    after, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / 20_000 < 12
    assert log[19_999] == record(19_999, body)


def test_a_sequence_number_of_another_kind_is_refused(tmp_path: Path) -> None:
    log = RecordLog(tmp_path)
    with pytest.raises(ValueError, match="Sequence number 7 is none of ministack's"):
        log.append(record(0) | {"SequenceNumber": "7"})
    assert list(log) == []


def test_a_full_disk_refuses_a_record_and_keeps_those_before(tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk: a write that reaches it is cut short."""
    log = RecordLog(tmp_path)
    log.append(record(0))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        with pytest.raises(OSError, match="no room for what AWS would keep"):
            log.append(record(1, b"x" * 400))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    log.append(record(2))
    assert list(log) == [record(0), record(2)] == list(RecordLog(tmp_path))
