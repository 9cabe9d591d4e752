"""What the demo made of what AWS bills, beside what the cost model predicts for the same messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from rich.table import Table

from infra.cost.metering import FIVE_KILOBYTES, KILOBYTE
from infra.cost.sent import Sent, at_the_edge, on_the_way, statements_of
from infra.stacks.environments import from_process
from iot_pipeline import settings
from iot_pipeline.connections.edge import open_states
from iot_pipeline.contract.layout import CURATED, JUDGED, RAW
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from simulator.manifest import read_manifest

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

# CTAS takes as many event hours at once (Athena user guide, "Use CTAS and INSERT INTO to work around the 100 partition
# limit").
_HOURS_A_STATEMENT = 100


@dataclass(frozen=True)
class Figure:
    """A quantity, as the model has it and as it was made."""

    what: str
    predicted: float
    made: float

    @property
    def ratio(self) -> float:
        """Predicted for one that was made."""
        return self.predicted / self.made if self.made else float("inf")


def statements() -> int:
    """Statements that the builds' workgroup has been sent."""
    client: AthenaClient = boto3.client("athena")
    pages = client.get_paginator("list_query_executions").paginate(WorkGroup=settings.deployment().athena_workgroup)
    return sum(len(page["QueryExecutionIds"]) for page in pages)


def publishing_seconds(out: Path, live_since: datetime) -> tuple[float, float]:
    """From the broker's first acknowledgement to its last, by the simulator's manifest: of the backlog, and live."""
    acknowledged = read_manifest(out)["acked_at"]
    before, after = acknowledged[acknowledged < live_since], acknowledged[acknowledged >= live_since]
    backlog, live = (max(1.0, (part.max() - part.min()).total_seconds()) for part in (before, after))
    return backlog, live


def figures(
    lake: Lake,
    sent: Sequence[Sent],
    since: datetime,
    arrivals: Sequence[Hour],
    event_hours: Sequence[Hour],
    statements_of_builds: int,
) -> list[Figure]:
    """Each quantity of the model that the local AWS can count. `since`: when the demo began.

    The arrival hours are judged at once, event hours are built in statements of 100.
    """
    shards = _shards()
    predicted = on_the_way(sent) | at_the_edge(sent, shards, from_process())
    batches = max(1, -(-len(event_hours) // _HOURS_A_STATEMENT))
    predicted["statements of Athena"] = statements_of(1, batches)
    made = _lines(lake, arrivals) | {
        "bytes in raw": _stored(lake, RAW),
        "bytes in judged": _stored(lake, JUDGED),
        "bytes in curated": _stored(lake, CURATED),
        "calls of the edge's handler": _calls(settings.edge().edge_function, since),
        "writes of device states": _writes(),
        "statements of Athena": statements_of_builds,
    }
    return [Figure(what, predicted[what], made[what]) for what in predicted]


def cost_table(found: Sequence[Figure]) -> Table:
    """The figures as a table."""
    table = Table("quantity", "predicted", "made", "ratio", title_justify="left")
    table.title = "The cost model's quantities for these messages (make cost), and what was made"
    for each in found:
        table.add_row(each.what, f"{each.predicted:,.0f}", f"{each.made:,.0f}", f"{each.ratio:.2f}")
    return table


def _lines(lake: Lake, arrivals: Sequence[Hour]) -> dict[str, float]:
    """The raw zone's lines are the stream's records, to the byte but for the newline that Firehose adds."""
    ((whole, by_one, by_five),) = lake.athena.run(
        f"""SELECT sum(length(to_utf8(line))), sum(ceil(length(to_utf8(line)) / {KILOBYTE}.0)) * {KILOBYTE},
    sum(ceil(length(to_utf8(line)) / {FIVE_KILOBYTES}.0)) * {FIVE_KILOBYTES}
FROM raw_lines WHERE {partition_predicate(arrivals)}"""
    ).rows
    return {
        "bytes on the stream": float(whole),
        "bytes that Kinesis bills": float(by_one),
        "bytes that Firehose bills": float(by_five),
    }


def _stored(lake: Lake, prefix: str) -> float:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
    return float(sum(item["Size"] for page in pages for item in page.get("Contents", [])))


def _writes() -> float:
    """A state's version is the number of its writes."""
    return float(sum(state.version for state in open_states().seen(0, 1)))


def _calls(function: str, since: datetime) -> float:
    client: Any = boto3.client("cloudwatch")
    answer = client.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=since,
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=86_400,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def _shards() -> int:
    summary = boto3.client("kinesis").describe_stream_summary(StreamName=settings.edge().stream)
    return summary["StreamDescriptionSummary"]["OpenShardCount"]
