"""The command line of the pull from vendors' APIs: checking a vendor's file, and back-fills."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline import settings
from iot_pipeline.command_line import explained, out, table_of
from iot_pipeline.contract.json_text import json_text
from iot_pipeline.contract.judge import Judge
from iot_pipeline.pull.checked_table import VendorFileError
from iot_pipeline.pull.reading_lines import lines_of
from iot_pipeline.pull.vendor import Vendor
from iot_pipeline.pull.vendor_client import VendorError
from iot_pipeline.pull.vendor_file import read_vendor
from iot_pipeline.pull.vendor_pages import FIRST, items_of, page_url

# A function may run for 15 minutes (AWS Lambda guide, "Lambda quotas").
_LONGEST_CALL = 920
# While the schedule's own call runs, the function has no place for another; and a vendor may have it wait.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 2 * _LONGEST_CALL, 5.0
_SHOWN = 10

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""Readings from the REST APIs of vendors: a vendor is a file (docs/api-pull.md).

`python -m iot_pipeline.pull check infra/vendors/example-weather.toml`

`python -m iot_pipeline.pull backfill example-weather 2026-11-01T00:00Z 2026-11-02T00:00Z`
""",
)


class BackfillError(Exception):
    """A back-fill cannot go on; what it has read so far stands, and the same command goes on from there."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The vendor's file.")],
    sample: Annotated[
        Path | None, typer.Option(help="An answer of the vendor's, as JSON: shows what its items become.")
    ] = None,
    resource: Annotated[str | None, typer.Option(help="The resource that the answer is of.  [default: the first]")] = (
        None
    ),
) -> None:
    """Validate a vendor's file, and show what it makes the function ask for; nothing is asked.

    Ends with 2 where the file is wrong, with 1 where an item of the sample would be quarantined.
    """
    with explained(VendorFileError, VendorError, ValueError, OSError):
        vendor = read_vendor(file)
        _show(vendor)
        bad = 0 if sample is None else _show_sample(vendor, resource or vendor.resources[0].name, sample.read_bytes())
    if bad:
        raise typer.Exit(1)


@app.command()
def backfill(
    vendor: Annotated[str, typer.Argument(help="The vendor's name.")],
    first: Annotated[str, typer.Argument(metavar="FROM", help="ISO 8601 with a zone, where a window begins.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The same, where the first window begins that is left.")],
    resource: Annotated[str, typer.Option(help="One resource alone.  [default: all]")] = "",
) -> None:
    """Read a time of a vendor again, or for the first time, by its function, call after call until it is done.

    Stopped at any moment, the same command goes on where it was.
    """
    with explained(BackfillError, ValueError, ClientError, BotoCoreError):
        wanted = {"from_ms": _moment_ms(first), "to_ms": _moment_ms(last), "resource": resource}
        client = boto3.client("lambda", config=Config(read_timeout=_LONGEST_CALL, retries={"total_max_attempts": 1}))
        gaps = _follow(client, settings.pull().pull_function_prefix + vendor, wanted)
    if gaps:
        out.print(f"{gaps} windows are not whole: the function's log names them")
        raise typer.Exit(1)
    out.print("done")


def _show(vendor: Vendor) -> None:
    out.print(f"{vendor.name}: tenant {vendor.tenant}, {len(vendor.devices)} devices, every {vendor.every_minutes} min")
    for each in vendor.resources:
        url = page_url(vendor, each, each.window.start_ms, FIRST)
        out.print(f"{each.name}: GET {url}", soft_wrap=True, markup=False)


def _show_sample(vendor: Vendor, name: str, body: bytes) -> int:
    """Show what an answer becomes; the number of its readings that would be quarantined."""
    resource = vendor.resource(name)
    lines = lines_of(vendor, resource, items_of(resource, body), "sample", int(time.time() * 1000))
    judged = [reading for line in lines.lines for reading in Judge().line(line)]
    table = table_of("device", "ts (UTC)", "seq", "values", "outcome")
    for each in judged[:_SHOWN]:
        at = each.event_time.isoformat() if each.event_time else ""
        outcome = f"{each.outcome}: {each.detail}" if each.detail else each.outcome
        table.add_row(each.message.device_id or "", at, str(each.seq), json_text(each.values), outcome)
    out.print(table)
    bad = [each for each in judged if each.outcome != "valid"]
    out.print(f"{len(judged)} readings, {len(bad)} of them to be quarantined; the first {_SHOWN} are shown")
    if lines.unplaced:
        out.print(
            f"{lines.unplaced} of them are of devices that [devices] does not name, not_from_ingest: the mapping's "
            "`device` points to what [devices] has to have, in quotes",
            soft_wrap=True,
            markup=False,
        )
    return len(bad)


def _follow(client: Any, function: str, wanted: dict[str, Any]) -> int:
    """Call the function until every resource has been read; how many windows were not whole."""
    finished: dict[str, bool] = {}
    gaps, patience_ends = 0, time.monotonic() + _PATIENCE_SECONDS
    while not finished or not all(finished.values()):
        did = _called(client, function, wanted)
        if did is None or not any(each["pages"] for each in did):
            if time.monotonic() > patience_ends:
                raise BackfillError(f"{function} has read nothing for {_PATIENCE_SECONDS} s: look at its log")
            time.sleep(_PAUSE_SECONDS)
        else:
            patience_ends = time.monotonic() + _PATIENCE_SECONDS
        for each in did or ():
            finished[each["resource"]] = each["is_finished"]
            if each["is_busy"]:
                continue
            gaps += each["gaps"]
            done = datetime.fromtimestamp(each["done_to_ms"] / 1000, UTC)
            out.print(f"{each['resource']}: {each['pages']} pages, {each['readings']} readings, up to {done:%F %R} UTC")
            if each["error"]:
                raise BackfillError(f"{each['resource']} stops: {each['error']}")
        if resource := _single_unfinished(finished):
            # Of several, what is done must not begin anew.
            wanted = wanted | {"resource": resource}
    return gaps


def _single_unfinished(finished: dict[str, bool]) -> str:
    left = [name.partition("/")[2] for name, done in finished.items() if not done]
    return left[0] if left else ""


def _called(client: Any, function: str, wanted: dict[str, Any]) -> list[dict[str, Any]] | None:
    """What one call did; None while the function has no place for it."""
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps({"backfill": wanted}).encode())
    except client.exceptions.TooManyRequestsException:
        return None
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise BackfillError(f"{function} fails: {told.get('errorMessage', told)}")
    resources: list[dict[str, Any]] = told["resources"]
    return resources


def _moment_ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text}: expected a zone, such as 2026-11-01T00:00Z")
    return round(moment.timestamp() * 1000)
