"""The journal of a delivery stream on a disk that takes no more."""

import resource
import signal
from pathlib import Path

import pytest

from infra.local.emulator.firehose.journal import Journal, StreamId

STREAM = StreamId("000000000000", "eu-west-1", "telemetry")


def test_a_full_disk_refuses_records_and_keeps_those_before(tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk: a write that reaches it is cut short."""
    journal = Journal.create(tmp_path, STREAM, 1.0)
    journal.append([b"first"], 1.0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="no room for a delivery stream's records"):
                journal.append([b"kept by nobody", b"x" * 400], 2.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    journal.append([b"second"], 3.0)
    journal.close()
    assert [(it.arrival, it.data) for it in journal.records()] == [(1.0, b"first"), (3.0, b"second")]
    assert journal.size == len(b"firstsecond")
    with pytest.raises(RuntimeError, match="is closed"):
        journal.append([b"late"], 4.0)
