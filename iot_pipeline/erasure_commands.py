"""The command line of erasures."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import dagster as dg
import psycopg
import pyathena
import typer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from redshift_connector.error import Error as RedshiftError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from iot_pipeline import settings
from iot_pipeline.alert_history.progress import ExportBusyError
from iot_pipeline.command_line import err, fail, out, table_of
from iot_pipeline.connections.credentials import SecretError
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.erasure.found import Found, summary
from iot_pipeline.erasure.history import History
from iot_pipeline.erasure.lake_steps import ErasureBusyError
from iot_pipeline.erasure.remains import REMAINS
from iot_pipeline.registry.erasures import Kind, all_erasures
from iot_pipeline.upkeep import open_eraser

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""Erasing one device or one tenant from everything, and proving it (docs/retention.md).

`python -m iot_pipeline.erasure plan --device sensor-1 --by ada --reason "request 4711"` searches, changes nothing, and
prints an id.

`python -m iot_pipeline.erasure run ID` carries it out, here; so does the job `erase` in Dagster's UI. What was
interrupted is run again under the same id.

`python -m iot_pipeline.erasure proof --device sensor-1` searches everything anew, and ends with exit code 1 if
anything is left that does not expire.
""",
)
DeviceOption = Annotated[str | None, typer.Option("--device", help="Device id.")]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="Tenant id: all of its devices, sites, customers.")]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="Leave out objects written before, ISO 8601 with a zone.  [default: look at all]"),
]


@app.command()
def plan(
    by: Annotated[str, typer.Option("--by", help="Who asks for it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. It stays on record, so it may not name the subject.")],
    device: DeviceOption = None,
    tenant: TenantOption = None,
    since: SinceOption = None,
) -> None:
    """What there is of it: places, rows and bytes by zone. Nothing is changed but that the erasure is on record."""
    with _explained():
        kind, name = _subject(device, tenant)
        eraser = open_eraser(_history(), _moment(since))
        erasure, found = eraser.plan(kind, name, by, reason)
    _show(found)
    out.print(f"erasure [bold]{erasure.erasure_id}[/]: `python -m iot_pipeline.erasure run {erasure.erasure_id}`")


@app.command()
def run(
    erasure_id: Annotated[str, typer.Argument(help="The id that `plan` printed.")],
    since: SinceOption = None,
) -> None:
    """Carry out an erasure. It cannot be undone, and can be interrupted and run again."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _explained(), Progress(*columns, console=err) as bar:
        task = bar.add_task("erasing", total=None)

        def at_step(number: int, steps: int, name: str) -> None:
            bar.update(task, completed=number, total=steps, description=name)

        done = open_eraser(_history(), _moment(since), at_step=at_step).run(erasure_id)
    table = table_of("erased", "how many")
    table.add_row("lines of raw objects", str(sum(done["lines"].values())))
    for name, count in done["counts"].items():
        table.add_row(name, str(count))
    out.print(table)


@app.command()
def proof(
    device: DeviceOption = None,
    tenant: TenantOption = None,
    also: Annotated[
        list[str] | None, typer.Option(help="A further name, such as a device of an erased tenant.")
    ] = None,
    since: SinceOption = None,
) -> None:
    """Search everything anew, and list what is left and until when. Exit code 1 if anything is left for ever."""
    with _explained():
        kind, name = _subject(device, tenant)
        found = open_eraser(_history(), _moment(since)).proof(kind, name, also or ())
    _show(found)
    for each in found:
        out.print(f"  {each.place}: {each.rows}" + (f", expires {each.expires}" if each.expires else ""), markup=False)
    remains()
    left = sum(each.expires is None for each in found)
    out.print(
        f"[bold]{left} places hold something that does not expire[/]" if left else "[bold]nothing else is left[/]"
    )
    if left:
        raise typer.Exit(1)


@app.command()
def remains() -> None:
    """What stays after any erasure, in places that cannot be searched or changed, and until when."""
    table = table_of("place", "holds", "expires after", "why")
    for each in REMAINS:
        table.add_row(each.place, each.holds, each.expiry, each.why)
    out.print(table)


@app.command("list")
def list_all() -> None:
    """Every erasure on record."""
    with _explained(), open_registry() as connection:
        found = all_erasures(connection)
    table = table_of("id", "of a", "whom", "state", "by", "reason", "planned", "done")
    for it in found:
        ended = f"{it.finished_at:%Y-%m-%d %H:%M}Z" if it.finished_at else ""
        whom = it.subject or f"hash {it.digest}"
        table.add_row(
            it.erasure_id, it.kind, whom, it.state, it.author, it.reason, f"{it.planned_at:%Y-%m-%d %H:%M}Z", ended
        )
    out.print(table)


def _show(found: Sequence[Found]) -> None:
    table = table_of("zone", "what", "places", "rows", "bytes")
    for zone, what, places, rows, size in summary(found):
        table.add_row(zone, what, str(places), f"{rows:,}", f"{size:,}")
    out.print(table)


def _subject(device: str | None, tenant: str | None) -> tuple[Kind, str]:
    if (device is None) == (tenant is None):
        raise ValueError("give one of --device and --tenant")
    return ("device", device) if device is not None else ("tenant", str(tenant))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write it as {text}+00:00")
    return moment.astimezone(UTC)


def _history() -> History:
    """Dagster's own, which DAGSTER_HOME names. It is searched too, so that one that is not named is an error."""
    if "DAGSTER_HOME" not in os.environ:
        raise ValueError("DAGSTER_HOME is not set: set -a; . ./.env")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from iot_pipeline.defs.erasure.history import DagsterHistory

        return DagsterHistory(dg.DagsterInstance.get())


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors a person can act on into one line and exit code 2."""
    try:
        yield
    except ValidationError as error:
        fail(f"in the environment: {settings.wrong(error)}", error)
    except psycopg.errors.UndefinedTable as error:
        fail("the registry has no tables of this release; run: python -m iot_pipeline.registry migrate", error)
    except (
        ValueError,
        OSError,
        ClientError,
        BotoCoreError,
        pyathena.Error,
        psycopg.Error,
        RedshiftError,
        SecretError,
        ErasureBusyError,
        ExportBusyError,
    ) as error:
        fail(" ".join(str(error).split()), error)
