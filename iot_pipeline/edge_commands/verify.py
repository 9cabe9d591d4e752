"""The alert log against a replay of the raw zone."""

import gzip
import zlib
from collections.abc import Iterator
from typing import Annotated

import boto3
import pyarrow as pa
import typer
from rich.progress import track

from iot_pipeline import raw_parquet, settings
from iot_pipeline.command_line import err, out
from iot_pipeline.connections.edge import open_alerts
from iot_pipeline.connections.lake import open_objects
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.layout import RAW
from iot_pipeline.edge.alert_log import differences, replay_log
from iot_pipeline.edge.rules_source import RulesSource
from iot_pipeline.edge_commands.app import app, arrival_hours, explained
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.objects import Objects

_SHOWN = 20


@app.command()
def verify(
    first: Annotated[str, typer.Argument(help="First arrival hour, ISO 8601 with a zone: where the devices began.")],
    last: Annotated[str, typer.Argument(help="Last arrival hour.")],
) -> None:
    """Replay the raw zone's lines through rules and detectors, and compare with the alerts that were raised live.

    Exit code 1 if they differ. The rules are those in force now; alerts of whole sites are the sweep's, and left out.
    """
    with explained():
        hours = arrival_hours(first, last)
        rules = RulesSource(boto3.client("s3"), settings.edge().rules_bucket).current()
        lines = raw_lines(open_objects(), settings.deployment().lake_bucket, hours)
        replayed = replay_log(lines, rules, Judge(settings.policy().contract))
        live = [each for each in open_alerts().everything() if "rule" in each and each.get("device")]
        found = differences(replayed, live)
    for difference in found[:_SHOWN]:
        err.print(difference, soft_wrap=True)
    out.print(f"{len(replayed)} episodes replayed, {len(live)} live, {len(found)} differences")
    if found:
        raise typer.Exit(1)


def raw_lines(objects: Objects, bucket: str, hours: list[Hour]) -> Iterator[bytes]:
    """The lines of arrival hours, object by object in the order in which Firehose wrote them.

    Raises ValueError naming an object that is neither a whole gzip nor a whole Parquet.
    """
    found = [each for hour in hours for each in objects.at(f"s3://{bucket}/{RAW}{hour.path}")]
    for each in track(found, description="raw objects", console=err):
        key = each.uri.removeprefix(f"s3://{bucket}/")
        body = objects.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            if raw_parquet.is_parquet(body):
                yield from raw_parquet.lines_of(body)
                continue
            text = gzip.decompress(body)
        except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
            raise ValueError(f"{each.uri} cannot be read: {error}; the lake has it as `unreadable_object`") from error
        # A carriage return is no end of a line to those who judge it.
        yield from text.removesuffix(b"\n").split(b"\n")
