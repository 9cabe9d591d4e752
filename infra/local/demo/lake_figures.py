"""The figures of a demo run, each taken from the lake, the catalog or the simulator's manifest."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import boto3

from infra.local.demo.latency import Latency
from infra.local.servers.patience import wait_while_it_moves
from iot_pipeline.contract import CONTRACT, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.balances import EventHourBalance
from iot_pipeline.lake.hours import Hour, hours_between, partition_predicate
from iot_pipeline.lake.lake import Lake


def curated_query(since: datetime) -> str:
    """Events and average temperature by event date, from the curated table, from the date of `since` on."""
    return f"""\
SELECT year || '-' || month || '-' || day AS event_date, count(*) AS events, avg(temperature) AS average_temperature
FROM curated_telemetry
WHERE year || '-' || month || '-' || day >= '{since.astimezone(UTC):%Y-%m-%d}'
GROUP BY year || '-' || month || '-' || day
ORDER BY event_date"""


def raw_query(arrivals: Iterable[Hour], since: datetime) -> str:
    """The same question put to the raw messages, as one would without a curated table."""
    fields = ", ".join(["ts", "seq", *(m.name for m in CONTRACT.metrics), "unit", "location"])
    return f"""\
SELECT event_date, count(*) AS events, avg(celsius) AS average_temperature
FROM (
    SELECT CAST(coalesce(TRY(from_iso8601_timestamp(ts)), from_unixtime(TRY_CAST(ts AS DOUBLE) / 1000)) AS DATE)
            AS event_date,
        CASE WHEN element_at(unit, 'temperature') = 'F' THEN (TRY_CAST(temperature AS DOUBLE) - 32) * 5 / 9
            ELSE TRY_CAST(temperature AS DOUBLE) END AS celsius
    FROM raw_telemetry
    CROSS JOIN UNNEST(readings) AS t({fields})
    WHERE {partition_predicate(arrivals)}
)
WHERE event_date >= DATE '{since.astimezone(UTC):%Y-%m-%d}'
GROUP BY event_date
ORDER BY event_date"""


@dataclass(frozen=True)
class QueryFigure:
    """One query: bytes scanned and the engine's time, the fastest of a few runs."""

    scanned_bytes: int
    seconds: float


def query_figure(athena: Athena, sql: str, runs: int) -> QueryFigure:
    """Run a query some times; the fastest counts, since only it is free of what else the machine does."""
    results = [athena.run(sql) for _ in range(runs)]
    return QueryFigure(results[-1].scanned_bytes, min(r.engine_milliseconds for r in results) / 1000)


def raw_objects(bucket: str, arrivals: Iterable[Hour]) -> dict[str, tuple[int, datetime]]:
    """The raw objects of these arrival hours: s3://bucket/key to size in bytes and time of landing."""
    prefix = tables().raw_lines.prefix
    found = {}
    for hour in arrivals:
        pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + hour.path)
        for page in pages:
            for item in page.get("Contents", []):
                found[f"s3://{bucket}/{item['Key']}"] = (item["Size"], item["LastModified"])
    return found


def device_to_s3(lake: Lake, arrivals: Iterable[Hour], since: datetime) -> Latency:
    """From a device's `sent_at` to the landing of the object that holds the message, for messages sent since then.

    S3's times are whole seconds, so each figure is true to a second.
    """
    objects = raw_objects(lake.bucket, arrivals)
    rows = lake.athena.run(
        f"""SELECT "$path" AS object, to_unixtime(from_iso8601_timestamp(sent_at)) AS sent
FROM raw_telemetry
WHERE {partition_predicate(arrivals)} AND sent_at >= '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}'"""
    ).rows
    return Latency.of([objects[path][1].timestamp() - float(sent) for path, sent in rows])


def s3_to_curated(lake: Lake, arrivals: Iterable[Hour]) -> Latency:
    """From the landing of a raw object to the publication of the last curated hour that holds any of its readings."""
    arrivals = list(arrivals)
    built = {
        hour: partition.notes.built_at
        for hour, partition in lake.catalog.partitions(tables().curated_telemetry.name).items()
        if partition.notes
    }
    visible: dict[str, datetime] = defaultdict(lambda: datetime.min.replace(tzinfo=UTC))
    where = f"outcome = 'valid' AND {partition_predicate(arrivals)}"
    rows = lake.athena.run(f"SELECT DISTINCT object, event_hour FROM ledger WHERE {where}").rows
    for path, event_hour in rows:
        visible[path] = max(visible[path], built[Hour.from_sql(event_hour)])
    objects = raw_objects(lake.bucket, arrivals)
    return Latency.of([(visible[path] - objects[path][1]).total_seconds() for path in visible])


def wait_for_messages(athena: Athena, arrivals: Iterable[Hour], expected: int) -> int:
    """Wait until so many messages are in raw; how many there are. Raises LocalError if no more come."""
    sql = f"SELECT count(*) FROM raw_lines WHERE {partition_predicate(arrivals)}"
    return wait_while_it_moves(
        f"{expected:,} messages in S3", lambda: int(athena.run(sql).rows[0][0]), lambda found: found >= expected
    )


def event_balances(lake: Lake, hours: list[Hour]) -> list[EventHourBalance]:
    """The balances of event hours."""
    return lake.event_balances(hours) if hours else []


def quarantined(lake: Lake, arrivals: list[Hour]) -> dict[str, int]:
    """How many readings of these arrival hours are in the quarantine, by reason."""
    found: dict[str, int] = {}
    for row in lake.athena.run(statements.quarantined_of_arrival_hours(arrivals)).rows:
        found[row[4]] = found.get(row[4], 0) + int(row[5])
    return found


def arrival_hours(since: datetime) -> list[Hour]:
    """Every hour from that of `since` to the present one."""
    return hours_between(Hour.of(since), Hour.of(datetime.now(UTC)))
