"""The benchmark (`make bench`): judging and the curated build against a bare DuckDB COPY; curated against raw queries.

It starts a local AWS of its own in a temporary folder. The readings are the simulator's, with its default faults, once
packed as the demo packs them and once a message each. It measures in turns, so that what else the machine does touches
both sides alike; only ratios within a turn are judged, of time and of CPU seconds. The first turn is cold, as in
production: the objects have never been read and nothing has been planned. It is printed apart from the warm ones.
"""

import platform as machine
import shutil
import statistics
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psutil
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.local.athena.config import ACCOUNT_ID
from infra.local.bench import alternatives
from infra.local.bench.bare_copy import (
    THREADS,
    Turn,
    athena_process,
    copied,
    cpu_seconds,
    deduplicated,
    plain_readings,
    raw_files,
    timed,
)
from infra.local.bench.bench_session import bench_session
from infra.local.bench.raw_objects import put_raw
from infra.local.demo.lake_figures import QueryFigure, curated_query, query_figure, raw_query
from infra.local.demo.report import SCAN_SHARE, SPEED_UP
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import Platform, running
from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource

HOURS, ROUNDS, QUERY_RUNS = 24, 5, 3
GOAL, GOAL_OF_ALL, LEAST_OF_ALL = 0.6, 0.4, 0.33


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
    with bench_session("curated") as folder, running(folder / "state", CHECKOUT / ".local", console) as local:
        for variant in VARIANTS:
            _measure(local, variant, folder, console)
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
    objects = raw_files(local, lake, arrivals)
    rounds: list[Round] = []
    scanned: dict[str, int] = {}
    for number in range(ROUNDS + 1):
        turn = Round(
            copied(plain_readings(objects, hours), folder / "copy"),
            copied(deduplicated(plain_readings(objects, hours)), folder / "copy"),
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
            table.add_row(tool, escape(f"skipped: {done}"), "", "", "")
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


def _judge(lake: Lake, arrivals: list[Hour], scanned: dict[str, int]) -> Turn:
    """All of `Lake.judge`: judging the raw lines, their ledger, publishing both."""
    lake.athena.results.clear()

    def run() -> int:
        # Hours that an earlier round has judged have nothing new in them.
        lake.judge(arrivals, whole=True)
        return 0

    turn = timed(athena_process(), run)
    names = ("judging", "ledger", "marks of the ledger")
    scanned |= {name: done.scanned_bytes for name, done in zip(names, lake.athena.results, strict=True)}
    readings = sum(int(row[6]) for row in lake.athena.run(statements.ledger_of_arrival_hours(arrivals)).rows)
    return replace(turn, rows=readings)


def _build(lake: Lake, hours: list[Hour], arrivals: list[Hour], name: str, scanned: dict[str, int]) -> Turn:
    """The curated build's statement. Its time is what Athena says: asking often would slow it, seldom would be late."""
    target = statements.Target(name, f"s3://{lake.bucket}/bench/{name}/")
    sql = statements.build_curated(CONTRACT, hours, arrivals, target)
    process = athena_process()
    before = cpu_seconds(process)
    done = lake.athena.run(sql)
    cpu = cpu_seconds(process) - before
    scanned["curated build"] = done.scanned_bytes
    rows = sum(int(row[4]) for row in lake.athena.run(statements.count_built(name)).rows)
    lake.catalog.drop_table(name)
    return Turn(rows, done.engine_milliseconds / 1000, cpu)


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
