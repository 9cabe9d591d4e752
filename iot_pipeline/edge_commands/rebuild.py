"""The live state of devices, rebuilt from the raw zone."""

from typing import Annotated

import boto3
import typer

from iot_pipeline import settings
from iot_pipeline.command_line import out
from iot_pipeline.connections.edge import open_states
from iot_pipeline.connections.lake import open_objects
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.rules_source import RulesSource
from iot_pipeline.edge.state_rebuild import StateRebuild
from iot_pipeline.edge_commands.app import app, arrival_hours, explained, now_ms
from iot_pipeline.edge_commands.verify import raw_lines


@app.command("rebuild-state")
def rebuild_state(
    first: Annotated[str, typer.Argument(help="First arrival hour, ISO 8601 with a zone.")],
    last: Annotated[str, typer.Argument(help="Last arrival hour.")],
) -> None:
    """Give devices that have no live state the one that the raw zone's lines lead to; those that have one keep it.

    For a state table that is lost. Safe to repeat. What detectors have learnt, counts and open alerts are those of
    these hours; what Firehose has yet to deliver is missing.
    """
    with explained():
        hours = arrival_hours(first, last)
        rules = RulesSource(boto3.client("s3"), settings.edge().rules_bucket).current()
        rebuild = StateRebuild(open_states(), rules, Judge(settings.policy().contract))
        lines = rebuild.take(raw_lines(open_objects(), settings.deployment().lake_bucket, hours))
        written, heard = rebuild.save(now_ms())
    out.print(f"{lines} messages read, {written} devices rebuilt, {len(heard)} were heard of meanwhile")
