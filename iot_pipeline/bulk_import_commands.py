"""The command line of bulk imports."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import pyathena
import typer
from botocore.exceptions import BotoCoreError, ClientError
from redshift_connector.error import Error as RedshiftError
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from iot_pipeline import backfill_commands
from iot_pipeline.backfill.plan import BUDGET
from iot_pipeline.bulk_import.importer import Importer
from iot_pipeline.bulk_import.importer import Progress as Told
from iot_pipeline.bulk_import.journal import ImportStateError
from iot_pipeline.bulk_import.mapped_rows import Placed, Registry
from iot_pipeline.bulk_import.mapping import MappingError
from iot_pipeline.bulk_import.mapping_file import read_mapping
from iot_pipeline.command_line import err, explained, out, table_of
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.connections.bulk_import import open_importer
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.registry.placements import placements
from iot_pipeline.settings import policy

# What a person can act on.
_ACTED_ON = (
    *(ValueError, OSError, ImportStateError, ClientError, BotoCoreError),
    *(psycopg.Error, pyathena.Error, RedshiftError),
)
# Amazon S3 pricing, us-east-1: a thousand PUT requests.
_THOUSAND_PUTS_USD = 0.005

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""Bulk import: years of history from CSV or Parquet, in S3 or here, onto the same books as what devices send.

A mapping (TOML) says which column is what. `python -m iot_pipeline.bulk_import example` prints one to begin with.

`plan MAPPING SOURCE` checks mapping and files, maps the first rows of each, and says what would be rejected and why.

`run MAPPING SOURCE` writes the raw zone, hour by hour, then plans the build of those hours. Whatever ended it, the same
command goes on where it was: nothing is lost, nothing is there twice.
""",
)

MappingFile = Annotated[Path, typer.Argument(help="The mapping: a TOML file.", exists=True, dir_okay=False)]
Source = Annotated[
    str, typer.Argument(help="s3://bucket/key, s3://bucket/prefix/, a file or a folder: .csv, .csv.gz and .parquet.")
]
Work = Annotated[Path, typer.Option(help="Folder for temporary files: some 35 to 100 bytes a row.")]
_WORK = Path(tempfile.gettempdir()) / "iot-bulk-import"

EXAMPLE = """\
import = "acme-boilers-2019-2025"     # the import's id: lower-case letters, digits, hyphens
tenant = "acme"                       # a constant, or { column = "customer" }
site = { column = "plant" }           # or, for both: identity = "registry"
device = { column = "sensor" }
ignore = ["comment"]                  # every other column must be mapped
nulls = ["", "NA", "NaN"]             # what means that nothing was measured

[ts]
column = "measured"
format = "iso8601"                    # or epoch_s, epoch_ms, "%d.%m.%Y %H:%M:%S"; none for a time of Parquet
zone = "Europe/Berlin"                # of times that say no zone
ambiguous = "reject"                  # or earlier, later: when the clocks go back

# [seq]                               # without it, a reading is identified by device and time
# column = "counter"

[metrics]                             # the contract's metrics, each with its unit
temperature = { column = "temp_f", unit = "F" }
humidity = { column = "rh", unit = "%" }

# [location]
# lat = "latitude"
# lon = "longitude"

[csv]
delimiter = ";"
decimal = ","

# Long files have a row a value: form = "long", [long] name = "metric", value = "value", ignore_names = ["VOLT"],
# and metrics by name: temperature = { name = "TEMP", unit = "C" }.
"""


@app.command()
def example() -> None:
    """Print a mapping to begin with."""
    typer.echo(EXAMPLE, nl=False)


@app.command()
def plan(
    mapping: MappingFile,
    source: Source,
    whole: Annotated[bool, typer.Option("--whole", help="Read and map everything; `run` goes on from there.")] = False,
    work: Work = _WORK,
) -> None:
    """Check mapping and files, and show what becomes of their rows. Nothing is written to the raw zone."""
    with explained(*_ACTED_ON), _progress(mapping, source, work) as importer:
        books = importer.plan(source) if whole else importer.rehearse(source)
    _show(books)
    if not whole:
        out.print("of the first rows of each file alone; `--whole` reads all of them", soft_wrap=True)
        return
    dollars = books["hours"] / 1000 * _THOUSAND_PUTS_USD
    out.print(
        f"at least {books['hours']:,} objects, one an hour: {dollars:.4f} USD of PUTs; what building the hours costs, "
        "`run` says before it does",
        soft_wrap=True,
    )


@app.command()
def run(
    mapping: MappingFile,
    source: Source,
    carry_on: Annotated[bool, typer.Option("--build", help="Carry out the plan of the build too, here.")] = False,
    budget: Annotated[float, typer.Option(help="With --build: refuse a plan of more US dollars.")] = BUDGET,
    work: Work = _WORK,
) -> None:
    """Import, or go on; then plan the build of the hours, and carry that out with --build."""
    with explained(*_ACTED_ON), _progress(mapping, source, work) as importer:
        books = importer.run(source)
    _show(books)
    out.print(f"the books are in s3://{importer.bucket}/imports/{books['import']}/", soft_wrap=True)
    if books["first_hour"] is None:
        return
    if policy().size == "prototype":
        out.print("a prototype has no planner of backfills: start one of `judged_telemetry` in Dagster's UI")
        return
    with explained(*_ACTED_ON):
        made = open_planner().make(_hour(books["first_hour"]), _hour(books["last_hour"]))
    if carry_on and made.steps:
        # It shows the plan, too.
        backfill_commands.run(made.id, budget)
    else:
        backfill_commands.show(made)


def _show(books: Mapping[str, Any]) -> None:
    table = table_of("file", "rows", "mapped", "rejected", "ignored")
    for file, counts in books["files"].items():
        table.add_row(file, *(f"{counts[name]:,}" for name in ("rows", "mapped", "rejected", "ignored")))
    out.print(table)
    for reason, count in books["reasons"].items():
        out.print(f"  {count:,} rejected: {reason}", soft_wrap=True, markup=False)
    hours = (
        f"{books['hours']:,} event hours, {books['first_hour']} to {books['last_hour']}" if books["hours"] else "none"
    )
    out.print(
        f"import [bold]{books['import']}[/]: {books['rows']:,} rows = {books['mapped']:,} mapped + "
        f"{books['rejected']:,} rejected + {books['ignored']:,} ignored; {books['readings']:,} readings written in "
        f"{books['objects']:,} objects, {books['bytes']:,} bytes; {hours}",
        soft_wrap=True,
    )


@contextmanager
def _progress(mapping: Path, source: str, work: Path) -> Iterator[Importer]:
    """The importer, with bars of what it has read and written."""
    checked = read_mapping(_text(mapping), policy().contract)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        reading = bars.add_task("reading", total=None)
        writing = bars.add_task("writing", total=None, visible=False)
        rows = 0

        def read(count: int) -> None:
            nonlocal rows
            rows += count
            bars.update(reading, description=f"reading: {rows:,} rows")

        told = Told(
            read=read,
            planned=lambda total: bars.update(writing, total=total, visible=True),
            written=lambda count: bars.advance(writing, count),
        )
        importer = open_importer(checked, work, _registry, told, lambda count: bars.advance(reading, count))
        bars.update(reading, total=sum(file.size for file in importer.sources.list(source)))
        yield importer


def _registry() -> Registry:
    found: dict[str, list[Placed]] = defaultdict(list)
    with open_registry() as connection:
        for device, begin, end, tenant, site in placements(connection):
            until = None if end is None else round(end.timestamp() * 1000)
            found[device].append(Placed(round(begin.timestamp() * 1000), until, tenant, site))
    return found


def _hour(text: str) -> Hour:
    return Hour.of(datetime.fromisoformat(text))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MappingError(f"{path} is not UTF-8: {error}") from error
