"""An edge, a lake's bucket and a catalog of their own for each test."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from iot_pipeline.alert_history.export import Exporter
from iot_pipeline.alert_history.progress import Progress
from iot_pipeline.alert_history.rows import Row
from iot_pipeline.alerting.episodes import Change, Place, write_of
from iot_pipeline.alerting.lifecycle import AlertKey, Severity, Transition, What
from iot_pipeline.contract import tables
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Day
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline_tests.support.edge import Edge, make_edge
from iot_pipeline_tests.support.emulator import LocalAws

TABLE = tables().alert_history


@dataclass
class History:
    """Alerts, the export of them, and a clock that the test sets."""

    edge: Edge
    exporter: Exporter
    now_ms: int = 0

    def write(self, *transitions: Transition, at_ms: int) -> None:
        """Write these transitions of one episode as the edge does, at a time of its clock."""
        change = Change(Place("acme", "berlin", "d1"), transitions)
        item = write_of(change, self.edge.settings.alerts_table, at_ms)
        self.edge.clients["dynamodb"].transact_write_items(TransactItems=[item])

    def open(self, device: str, since_ms: int, at_ms: int) -> None:
        """An episode opens."""
        self.write(_transition(What.OPENED, device, since_ms, since_ms), at_ms=at_ms)

    def resolve(self, device: str, since_ms: int, until_ms: int, at_ms: int) -> None:
        """It is over."""
        self.write(_transition(What.RESOLVED, device, since_ms, until_ms), at_ms=at_ms)

    def partitions(self) -> dict[Any, str]:
        """Where each day's partition is."""
        found = self.exporter.publisher.catalog.partitions(TABLE.name)
        return {str(day): partition.location for day, partition in found.items()}

    def rows(self, *days: Day) -> list[Row]:
        """The rows of these days as the lake has them."""
        return [row for rows in self.exporter.rows(days).values() for row in rows]


def _transition(what: What, device: str, since_ms: int, at_ms: int) -> Transition:
    key = AlertKey(f"device/{device}", "range", "temperature")
    return Transition(what, key, key.episode(since_ms), Severity.WARNING, since_ms, at_ms, at_ms)


@pytest.fixture
def history(local_aws: LocalAws) -> Iterator[History]:
    """A history without anything in it."""
    edge = make_edge(local_aws)
    glue: Any = local_aws.client("glue")
    database = f"alerts_{uuid.uuid4().hex[:8]}"
    glue.create_database(DatabaseInput={"Name": database})
    columns = [{"Name": column.name, "Type": column.type} for column in TABLE.columns]
    table_input = {
        "Name": TABLE.name,
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in TABLE.partition_keys],
        "StorageDescriptor": {"Columns": columns, "Location": f"s3://{edge.settings.rules_bucket}/{TABLE.prefix}"},
    }
    glue.create_table(DatabaseName=database, TableInput=table_input)
    dynamodb, alerts = edge.clients["dynamodb"], edge.settings.alerts_table
    made = History(
        edge,
        Exporter(
            edge.alerts,
            lambda: Progress(dynamodb, alerts),
            edge.clients["s3"],
            Publisher(edge.settings.rules_bucket, Catalog(glue, database), lambda _: None),
            lambda: made.now_ms,
        ),
    )
    yield made
    glue.delete_database(Name=database)
