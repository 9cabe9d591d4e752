"""The benchmark (`make bench`): judging and the curated build against a bare DuckDB COPY; curated against raw queries.

It starts a local AWS of its own in a temporary folder. The readings are the simulator's, with its default faults, once
packed as the demo packs them and once a message each. It measures in turns, so that what else the machine does touches
both sides alike; only ratios within a turn are judged, of time and of CPU seconds. The first turn is cold, as in
production: the objects have never been read and nothing has been planned. It is printed apart from the warm ones.
"""

import platform as machine
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psutil
from rich.console import Console
from rich.table import Table

from infra.local.athena.config import ACCOUNT_ID, Config
from infra.local.bench import alternatives
from infra.local.bench.raw_objects import put_raw
from infra.local.demo.lake_figures import QueryFigure, curated_query, query_figure, raw_query
from infra.local.demo.report import SCAN_SHARE, SPEED_UP
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import Platform, running
from iot_pipeline.contract import CONTRACT, PARTITION_KEYS, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource

HOURS, ROUNDS, QUERY_RUNS = 24, 5, 3
GOAL, GOAL_OF_ALL, LEAST_OF_ALL = 0.6, 0.4, 0.33
_VALUES = ", ".join([*(m.name for m in CONTRACT.metrics), "lat", "lon"])
MEMORY = Config.memory_limit
THREADS = Config.threads


@dataclass(frozen=True)
class Variant:
    """One kind of raw data: so many readings, packed so, over a day that began so many days ago."""

    name: str
    readings: int
    pack: int
    days_ago: int


# The later day is built second, so that the query over each variant's dates reads that variant alone.
VARIANTS = (
    Variant("25 readings a message, as the demo packs them", 1_000_000, 25, 5),
    Variant("1 reading a message, the field notes' baseline", 1_000_000, 1, 3),
)


@dataclass(frozen=True)
class Turn:
    """Rows, seconds and CPU seconds of one side in one turn."""

    rows: int
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Round:
    """One turn of each side."""

    copy: Turn
    unjudged: Turn
    judging: Turn
    build: Turn

    @property
    def all(self) -> Turn:
        """From raw lines to curated rows: what the COPY does, in two statements and the ledger between them."""
        return Turn(self.build.rows, self.judging.seconds + self.build.seconds, self.judging.cpu + self.build.cpu)

    def ratio(self, side: Turn) -> float:
        """Rows per second of a side as a share of the COPY's."""
        return (side.rows / side.seconds) / (self.copy.rows / self.copy.seconds)

    def cpu_ratio(self, side: Turn) -> float:
        """Rows per CPU second of a side as a share of the COPY's."""
        return (side.rows / side.cpu) / (self.copy.rows / self.copy.cpu)


def main() -> None:
    """Run it all and print the figures."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="iot-bench-"))
    try:
        with running(folder / "state", CHECKOUT / ".local", console) as local:
            for variant in VARIANTS:
                _measure(local, variant, folder, console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    memory = psutil.virtual_memory().total / 2**30
    console.print(
        f"{psutil.cpu_count()} cores ({THREADS} DuckDB threads a side), {memory:.0f} GiB, "
        f"Python {machine.python_version()}, DuckDB {duckdb.__version__}. The COPY has the curated columns but extras, "
        "duplicates and conflicts; it judges nothing and drops what it cannot read. The build's CPU is that of the "
        "whole Athena process."
    )


def _measure(local: Platform, variant: Variant, folder: Path, console: Console) -> None:
    lake = LakeResource().open()
    first = Hour.of(datetime.now(UTC) - timedelta(days=variant.days_ago))
    hours = [first + n for n in range(HOURS)]
    console.print(f"{variant.name}: writing {variant.readings:,} readings over {HOURS} hours")
    arrivals, raw_bytes = put_raw(lake.bucket, first, HOURS, variant.readings, variant.pack)
    objects = _objects(local, lake, arrivals)
    rounds: list[Round] = []
    scanned: dict[str, int] = {}
    for number in range(ROUNDS + 1):
        turn = Round(
            _copy(_readings(objects, hours), folder / "copy"),
            _copy(_deduplicated(_readings(objects, hours)), folder / "copy"),
            _judge(lake, arrivals, scanned),
            _build(lake, hours, arrivals, f"bench_{variant.pack}_{number}", scanned),
        )
        sides = (("COPY", turn.copy), ("unjudged", turn.unjudged), ("judging", turn.judging), ("build", turn.build))
        name = f"round {number}" if number else "cold"
        console.print(f"{name}: " + ", ".join(f"{side} {t.seconds:.2f} s ({t.cpu:.2f} CPU)" for side, t in sides))
        rounds.append(turn)
    ours = _content(local, lake, f"bench_{variant.pack}_{ROUNDS}")
    others = _alternatives(lake, arrivals, hours, objects, folder, ours)
    lake.curate(hours)
    curated = query_figure(lake.athena, curated_query(first.start), QUERY_RUNS)
    raw = query_figure(lake.athena, raw_query(arrivals, first.start), QUERY_RUNS)
    _print(console, variant, rounds, raw_bytes, raw, curated)
    _print_scanned(console, variant, scanned)
    _print_alternatives(console, variant, rounds[1:], others)


def _content(local: Platform, lake: Lake, name: str) -> tuple[int, int, int, int]:
    """What a curated build of this bench holds."""
    root = local.state_dir / "aws" / "s3" / ACCOUNT_ID / lake.bucket / "bench" / name
    return alternatives.content(f"{root}/**/*.parquet", ours=True)


def _alternatives(
    lake: Lake,
    arrivals: list[Hour],
    hours: list[Hour],
    objects: list[str],
    folder: Path,
    ours: tuple[int, int, int, int],
) -> dict[str, alternatives.Done | str]:
    """What each tool took that a user would pick instead, held to the build's rows; or why it was skipped."""
    by_outcome = lake.athena.run(statements.ledger_of_arrival_hours(arrivals)).rows
    valid = sum(int(row[6]) for row in by_outcome if row[4] == "valid")
    taken: dict[str, alternatives.Done | str] = {}
    for tool in ("pandas", "polars", "pyspark"):
        reason = alternatives.missing(tool)
        if reason:
            taken[tool] = reason
            continue
        out = str(folder / f"curated_by_{tool}")
        bounds = alternatives.ms(hours[0].start), alternatives.ms((hours[-1] + 1).start)
        done = alternatives.run(alternatives.Task(tool, objects, *bounds, out, THREADS))
        alternatives.checked(tool, (done.valid, valid), alternatives.content(f"{out}/**/*.parquet"), ours)
        shutil.rmtree(out)
        taken[tool] = done
    return taken


def _print_alternatives(
    console: Console, variant: Variant, rounds: list[Round], others: dict[str, alternatives.Done | str]
) -> None:
    """Rows a second and a CPU second from raw to curated: this pipeline, and what a user would pick instead."""
    cpu = statistics.median(r.judging.rows / r.all.cpu for r in rounds)
    wall = statistics.median(r.judging.rows / r.all.seconds for r in rounds)
    title = f"{variant.name}: raw to curated, {THREADS} threads; the same rows by count and hash"
    table = Table("tool", "readings/s", "readings a CPU second", "against it, by CPU", "most memory", title=title)
    table.add_row("this pipeline, with ledger, by Athena's API", f"{wall:,.0f}", f"{cpu:,.0f}", "", "")
    for tool, done in others.items():
        if isinstance(done, str):
            table.add_row(tool, f"skipped: {done}", "", "", "")
            continue
        rate = rounds[0].judging.rows / done.cpu
        table.add_row(
            tool,
            f"{rounds[0].judging.rows / done.seconds:,.0f}",
            f"{rate:,.0f}",
            f"{cpu / rate:.1f}x",
            f"{done.peak_bytes / 2**30:.1f} GiB",
        )
    console.print(table)
    console.print(
        "The others take the verdict from the contract's judge in Python, for their own readers of JSON convert, or "
        "fail on, what is no number. Each ran once; starting Spark is not counted."
    )


def _objects(local: Platform, lake: Lake, arrivals: list[Hour]) -> list[str]:
    """The raw objects' files: both sides read them where the emulator keeps them, none through HTTP."""
    root = local.state_dir / "aws" / "s3" / ACCOUNT_ID / lake.bucket / tables().raw_lines.prefix
    return sorted(str(path) for hour in arrivals for path in (root / hour.path).glob("*.gz"))


def _readings(objects: list[str], hours: list[Hour]) -> str:
    """The curated table's columns in plain DuckDB, without judging, units or deduplication."""
    types = ", ".join(f"{m.name} DOUBLE" for m in CONTRACT.metrics)
    reading = f"STRUCT(ts VARCHAR, seq BIGINT, {types}, location STRUCT(lat DOUBLE, lon DOUBLE))[]"
    message = (
        f"{{fw: 'VARCHAR', readings: '{reading}', iot_tenant: 'VARCHAR', iot_site: 'VARCHAR', iot_device: 'VARCHAR', "
        "iot_received_at: 'BIGINT'}"
    )
    fields = ", ".join(f"r.{m.name}" for m in CONTRACT.metrics)
    return f"""
SELECT device_id, event_time, seq, {_VALUES}, tenant, site, fw, received_at
FROM (
    SELECT iot_device AS device_id, TRY_CAST(r.ts AS TIMESTAMP) AS event_time, r.seq, {fields},
        r.location.lat AS lat, r.location.lon AS lon, iot_tenant AS tenant, iot_site AS site, fw,
        make_timestamp(iot_received_at * 1000) AS received_at
    FROM (
        SELECT *, unnest(readings) AS r
        FROM read_json({objects!r}, format = 'newline_delimited', columns = {message}, ignore_errors = true,
            hive_partitioning = false)
    )
)
WHERE event_time >= {hours[0].sql} AND event_time < {(hours[-1] + 1).sql}"""


def _deduplicated(readings: str) -> str:
    """The same with each key once, its duplicates and conflicts counted as in the build: what that alone costs."""
    return f"""
SELECT * EXCLUDE (receptions, receptions_of_key, time_before, seq_before), receptions - 1 AS duplicates,
    receptions_of_key - receptions AS conflicts
FROM (
    SELECT *, lag(event_time) OVER w AS time_before, lag(seq) OVER w AS seq_before,
        sum(receptions) OVER (PARTITION BY device_id ORDER BY event_time, seq RANGE BETWEEN CURRENT ROW AND CURRENT ROW)
            AS receptions_of_key
    FROM (
        SELECT device_id, event_time, seq, {_VALUES}, max(tenant) AS tenant, max(site) AS site, max(fw) AS fw,
            max(received_at) AS received_at, count(*) AS receptions
        FROM ({readings})
        GROUP BY device_id, event_time, seq, {_VALUES}
    )
    WINDOW w AS (PARTITION BY device_id ORDER BY event_time, seq, received_at DESC)
)
WHERE event_time IS DISTINCT FROM time_before OR seq IS DISTINCT FROM seq_before"""


def _copy(query: str, out: Path) -> Turn:
    """A DuckDB COPY to Parquet partitioned by hour."""
    shutil.rmtree(out, ignore_errors=True)
    parts = ", ".join(f"{part}(event_time) AS {part}" for part in PARTITION_KEYS)
    with duckdb.connect() as con:
        for setting in (f"threads = {THREADS}", f"memory_limit = '{MEMORY}'", "preserve_insertion_order = false"):
            con.execute(f"SET {setting}")

        def run() -> int:
            written = con.execute(
                f"COPY (SELECT *, {parts} FROM ({query})) TO '{out}' "
                f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({', '.join(PARTITION_KEYS)}))"
            ).fetchall()
            return int(written[0][0])

        return _timed(psutil.Process(), run)


def _judge(lake: Lake, arrivals: list[Hour], scanned: dict[str, int]) -> Turn:
    """All of `Lake.judge`: judging the raw lines, their ledger, publishing both."""
    lake.athena.results.clear()

    def run() -> int:
        lake.judge(arrivals)
        return 0

    turn = _timed(_athena_process(), run)
    names = ("judging", "ledger", "marks of the ledger")
    scanned |= {name: done.scanned_bytes for name, done in zip(names, lake.athena.results, strict=True)}
    readings = sum(int(row[6]) for row in lake.athena.run(statements.ledger_of_arrival_hours(arrivals)).rows)
    return replace(turn, rows=readings)


def _build(lake: Lake, hours: list[Hour], arrivals: list[Hour], name: str, scanned: dict[str, int]) -> Turn:
    """The curated build's statement. Its time is what Athena says: asking often would slow it, seldom would be late."""
    target = statements.Target(name, f"s3://{lake.bucket}/bench/{name}/")
    sql = statements.build_curated(CONTRACT, hours, arrivals, target)
    process = _athena_process()
    before = _cpu(process)
    done = lake.athena.run(sql)
    cpu = _cpu(process) - before
    scanned["curated build"] = done.scanned_bytes
    rows = sum(int(row[4]) for row in lake.athena.run(statements.count_built(name)).rows)
    lake.catalog.drop_table(name)
    return Turn(rows, done.engine_milliseconds / 1000, cpu)


def _timed(process: psutil.Process, run: Callable[[], int]) -> Turn:
    before, started = _cpu(process), time.monotonic()
    rows = run()
    return Turn(rows, time.monotonic() - started, _cpu(process) - before)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _athena_process() -> psutil.Process:
    return next(child for child in psutil.Process().children() if "infra.local.athena" in child.cmdline())


def _print(
    console: Console,
    variant: Variant,
    rounds: list[Round],
    raw_bytes: int,
    raw: QueryFigure,
    curated: QueryFigure,
) -> None:
    title = f"{variant.name}: {variant.readings:,} readings, {raw_bytes / 1e6:.1f} MB of gzipped raw"
    table = Table("figure", "measured", "goal", title=title)
    cold, *rounds = rounds
    copy = statistics.median(r.copy.rows / r.copy.seconds for r in rounds)
    judging = statistics.median(r.judging.rows / r.judging.seconds for r in rounds)
    build = statistics.median(r.build.rows / r.build.seconds for r in rounds)
    table.add_row("bare partitioned DuckDB COPY, raw to Parquet", f"{copy:,.0f} rows/s", "")
    table.add_row("judging and ledger through Athena's API, once an arrival hour", f"{judging:,.0f} rows/s", "")
    table.add_row("curated build through Athena's API, from what was judged", f"{build:,.0f} rows/s", "")
    for name, goal, sides in (
        ("curated build against COPY", f">= {GOAL}x", [(r, r.build) for r in rounds]),
        ("the same, cold", f">= {GOAL}x", [(cold, cold.build)]),
        (
            "judging, ledger and curated build against COPY",
            f">= {GOAL_OF_ALL}x, at least {LEAST_OF_ALL}x",
            [(r, r.all) for r in rounds],
        ),
        ("the same, cold", f">= {GOAL_OF_ALL}x, at least {LEAST_OF_ALL}x", [(cold, cold.all)]),
        ("COPY with duplicates and conflicts, nothing judged, against COPY", "", [(r, r.unjudged) for r in rounds]),
    ):
        table.add_row(f"{name}, rows/s", _spread([r.ratio(side) for r, side in sides]), "")
        table.add_row(f"{name}, rows a CPU second", _spread([r.cpu_ratio(side) for r, side in sides]), goal)
    table.add_row("raw query", f"{raw.scanned_bytes:,} B, {raw.seconds:.2f} s", "")
    table.add_row("curated query", f"{curated.scanned_bytes:,} B, {curated.seconds:.3f} s", "")
    table.add_row("bytes scanned, of raw", f"{curated.scanned_bytes / raw_bytes:.1%}", f"<= {SCAN_SHARE:.0%}")
    table.add_row("curated query faster than raw", f"{raw.seconds / curated.seconds:.0f}x", f">= {SPEED_UP}x")
    console.print(table)


def _print_scanned(console: Console, variant: Variant, scanned: dict[str, int]) -> None:
    """What Athena bills, per statement, from raw to curated."""
    table = Table("statement", "bytes scanned per million readings", title=f"{variant.name}: Athena's bill")
    for name, size in (*scanned.items(), ("all", sum(scanned.values()))):
        table.add_row(name, f"{size * 1_000_000 // variant.readings:,}")
    console.print(table)


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f}, {len(ratios)} rounds)"


if __name__ == "__main__":
    main()
