"""An import that is killed at whatever step goes on, and ends with the very objects of one that was not killed.

S3 is the local one. A kill is before a request reached it, or after it has taken effect and before its answer is read.
"""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from iot_pipeline.bulk_import.importer import Bounds, Importer, OutsideError
from iot_pipeline.bulk_import.journal import ImportStateError, Journal
from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.bulk_import.sorted_runs import SortedRuns
from iot_pipeline.bulk_import.source_files import SourceError, Sources
from iot_pipeline.contract.layout import RAW
from iot_pipeline_tests.support.messages import RawZone

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAPPING = """
import = "{name}"
tenant = "acme"
site = "oslo"
device = {{ column = "sensor" }}
ts = {{ column = "ms", format = "epoch_ms" }}
[metrics]
temperature = {{ column = "t", unit = "C" }}
"""
BEGIN = round(datetime(2026, 1, 10, tzinfo=UTC).timestamp() * 1000)
BOUNDS = Bounds(datetime(2026, 1, 1, tzinfo=UTC), None)


class Killed(BaseException):
    """The process ends here, and nothing of it runs any more."""


class Killer:
    """Kills at one of the requests that are made to S3 meanwhile; at 0 it only counts them."""

    def __init__(self, s3: "S3Client", event: str, at: int) -> None:
        self.requests = 0
        self._events, self._event, self._at = s3.meta.events, f"{event}.s3", at

    def __enter__(self) -> "Killer":
        self._events.register(self._event, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self._events.unregister(self._event, self._count)

    def _count(self, **_: Any) -> None:
        self.requests += 1
        if self.requests == self._at:
            raise Killed


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several runs, windows and objects of a few rows."""
    monkeypatch.setattr("iot_pipeline.bulk_import.source_batches._BLOCK", 512)
    monkeypatch.setattr("iot_pipeline.bulk_import.importer.RUN_ROWS", 40)
    monkeypatch.setattr("iot_pipeline.bulk_import.sorted_runs.WINDOW_ROWS", 30)
    # A process that was killed is dead; here it is this one.
    monkeypatch.setattr("iot_pipeline.lake.object_lock.is_alive", lambda _pid: False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two files of 60 rows, one row of each no reading."""
    folder = tmp_path / "history"
    folder.mkdir()
    for file in range(2):
        rows = [f"s-{n % 3},{BEGIN + n * 97_000 + file * 7},{n / 10}" for n in range(60)]
        rows[17] = "s-1,yesterday,1"
        (folder / f"{file}.csv").write_text("\n".join(["sensor,ms,t", *rows, ""]))
    return folder


def _importer(raw: RawZone, name: str, folder: Path) -> Importer:
    return Importer(raw.s3, raw.bucket, Sources(raw.s3), read_mapping(MAPPING.format(name=name)), folder, BOUNDS)


def _objects(raw: RawZone, name: str) -> dict[str, bytes]:
    """Raw objects of an import, by their keys without its name."""
    prefix = f"{RAW}year=2026/month=01/day=10/"
    items = raw.s3.list_objects_v2(Bucket=raw.bucket, Prefix=prefix).get("Contents", [])
    found = {}
    for key in [item["Key"] for item in items if f"/import-{name}-" in item["Key"]]:
        body = raw.s3.get_object(Bucket=raw.bucket, Key=key)["Body"].read()
        found[key.replace(name, "")] = body
    return found


def _lines(objects: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {key: gzip.decompress(body).replace(name.encode(), b"") for key, body in objects.items()}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("event", ["before-call", "after-call"])
def test_killed_at_every_request_nothing_is_lost_and_nothing_doubled(
    raw: RawZone, source: Path, tmp_path: Path, event: str
) -> None:
    whole = f"whole-{event}"
    with Killer(raw.s3, event, 0) as counting:
        books = _importer(raw, whole, tmp_path / "whole").run(str(source))
    assert (books["rows"], books["readings"], books["rejected"]) == (120, 118, 2)
    expected = _lines(_objects(raw, whole), whole)
    assert len(expected) > 3
    for at in range(1, counting.requests + 1):
        name = f"killed-{event}-{at:03d}"
        with Killer(raw.s3, event, at), pytest.raises(Killed):
            _importer(raw, name, tmp_path / name).run(str(source))
        # Every other time the machine is gone too, and its disk with it.
        again = tmp_path / name if at % 2 else tmp_path / f"{name}-elsewhere"
        told = _importer(raw, name, again).run(str(source))
        assert {**told, "import": "", "at": ""} == {**books, "import": "", "at": "", "bytes": told["bytes"]}
        assert _lines(_objects(raw, name), name) == expected, f"killed at request {at}"


@pytest.mark.usefixtures("small")
def test_killed_at_every_run_on_disk(
    raw: RawZone, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once before a run is whole, and once after; the rest of a run that is not whole is replaced."""
    whole = _importer(raw, "runs-whole", tmp_path / "whole")
    whole.run(str(source))
    write, runs_of_all = SortedRuns.write, 3
    for at in range(runs_of_all):
        for is_after in (False, True):
            name = f"runs-{at}-{is_after}".lower()

            def killed(runs: SortedRuns, number: int, *rest: Any, at: int = at, is_after: bool = is_after) -> None:
                if number == at and not is_after:
                    (runs.folder / f"run-{number:06d}.part").write_bytes(b"half of a run")
                    raise Killed
                write(runs, number, *rest)
                if number == at:
                    raise Killed

            importer = _importer(raw, name, tmp_path / name)
            with monkeypatch.context() as patched:
                patched.setattr(SortedRuns, "write", killed)
                with pytest.raises(Killed):
                    importer.run(str(source))
            assert importer.run(str(source))["readings"] == 118
            assert _lines(_objects(raw, name), name) == _lines(_objects(raw, "runs-whole"), "runs-whole")


def test_a_process_that_was_killed_is_followed_by_another(
    raw: RawZone, tmp_path: Path, environment: dict[str, str]
) -> None:
    """A true SIGKILL, once the first objects are there; the command line goes on where it ended."""
    rows = [f"s-{n % 3},{BEGIN + n * 1000},{n % 40}" for n in range(30_000)]
    (tmp_path / "a.csv").write_text("\n".join(["sensor,ms,t", *rows, ""]))
    (tmp_path / "mapping.toml").write_text(MAPPING.format(name="sigkill"))
    # Each window is an hour, so that there is something left to be written.
    program = (
        "from iot_pipeline.bulk_import import sorted_runs; sorted_runs.WINDOW_ROWS = 3600\n"
        "from iot_pipeline.bulk_import_commands import app; app(prog_name='import')"
    )
    command = [sys.executable, "-c", program, "run", str(tmp_path / "mapping.toml"), str(tmp_path / "a.csv")]
    command += ["--work", str(tmp_path / "work")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        until = time.monotonic() + 120
        while not _objects(raw, "sigkill"):
            assert process.poll() is None, "it ended before it wrote"
            assert time.monotonic() < until, "it wrote nothing"
        os.kill(process.pid, signal.SIGKILL)
    journal = Journal(raw.s3, raw.bucket, "sigkill")
    assert journal.finished() is None
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30,000 readings written" in done.stdout
    assert "plan" in done.stdout, "and then the build is planned"
    assert sum(line.count(b'"ts"') for line in _lines(_objects(raw, "sigkill"), "").values()) == 30_000


def test_two_runs_at_once_and_changed_files_are_refused(raw: RawZone, source: Path, tmp_path: Path) -> None:
    importer = _importer(raw, "refusals", tmp_path / "work")
    with importer.journal.locked(), pytest.raises(ImportStateError, match="is being run by process"):
        importer.run(str(source))
    importer.plan(str(source))
    (source / "0.csv").write_text("sensor,ms,t\ns-1,1,1\n")
    with pytest.raises(ImportStateError, match=r"0\.csv has changed since it began \(ETag"):
        importer.run(str(source))
    (source / "2.csv").write_text("sensor,ms,t\ns-1,1,1\n")
    with pytest.raises(ImportStateError, match="put back what was there"):
        importer.run(str(source))
    other = read_mapping(MAPPING.format(name="refusals").replace('"oslo"', '"bergen"'))
    changed = Importer(raw.s3, raw.bucket, Sources(raw.s3), other, tmp_path / "work", BOUNDS)
    with pytest.raises(ImportStateError, match="was begun with another mapping"):
        changed.run(str(source))
    assert _objects(raw, "refusals") == {}


def test_an_object_that_changes_while_it_is_read_is_refused(raw: RawZone, tmp_path: Path) -> None:
    s3 = raw.s3
    key = "history/changing.csv"
    s3.put_object(Bucket=raw.bucket, Key=key, Body=b"sensor,ms,t\ns-1,1767225600000,1\n")
    (file,) = Sources(s3).list(f"s3://{raw.bucket}/{key}")
    s3.put_object(Bucket=raw.bucket, Key=key, Body=b"sensor,ms,t\ns-1,1767225600000,2\n")
    with pytest.raises(SourceError, match="is not the file with which the import began"), Sources(s3).open(file) as it:
        it.read()


def test_what_the_lake_would_not_keep_is_refused_before_anything_is_written(
    raw: RawZone, source: Path, tmp_path: Path
) -> None:
    s3, mapping = raw.s3, read_mapping(MAPPING.format(name="outside"))
    for bounds, expected in (
        (Bounds(datetime(2026, 2, 1, tzinfo=UTC), None), "IOT_PARTITIONS_START=2026-01-10T00:00:00"),
        (Bounds(BOUNDS.first_partition, datetime(2026, 1, 11, tzinfo=UTC)), "IOT_RETENTION_"),
    ):
        with pytest.raises(OutsideError, match=expected):
            Importer(s3, raw.bucket, Sources(s3), mapping, tmp_path / "work", bounds).run(str(source))
    assert _objects(raw, "outside") == {}
    body = raw.s3.get_object(Bucket=raw.bucket, Key="imports/outside/import.json")["Body"].read()
    assert json.loads(body)["files"], "and it can go on once that is mended"
