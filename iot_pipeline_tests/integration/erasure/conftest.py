"""A tenant with two devices that leave something in every place, of which one is to be erased."""

import gzip
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import psycopg
import pytest

from iot_pipeline import settings
from iot_pipeline.alerting.episodes import Change, Place, write_of
from iot_pipeline.alerting.lifecycle import AlertKey, Severity, Transition, What
from iot_pipeline.bulk_import.journal import Journal
from iot_pipeline.bulk_import.mapped_rows import Placed, Rejected
from iot_pipeline.bulk_import.source_files import SourceFile
from iot_pipeline.connections.edge import open_exporter, open_states
from iot_pipeline.connections.lake import open_compaction
from iot_pipeline.connections.streaming import open_batches
from iot_pipeline.connections.warehouse import open_episodes_loader, open_loader
from iot_pipeline.console.store import Store
from iot_pipeline.contract import CONTRACT, tables
from iot_pipeline.contract.aggregation import UserRecord
from iot_pipeline.erasure.eraser import Eraser
from iot_pipeline.erasure.stored import text_of
from iot_pipeline.intake.refusals import Refusal, Refusals
from iot_pipeline.intake.sent import Sent
from iot_pipeline.lake.hours import Day, Hour, before_day
from iot_pipeline.lake.lake import Lake
from iot_pipeline.registry.onboarding import onboard
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.sites import apply
from iot_pipeline.registry.things import DeviceKind
from iot_pipeline.streaming.judged_parts import part_of
from iot_pipeline.streaming.verdicts import StreamRecord
from iot_pipeline.upkeep import open_eraser
from iot_pipeline.warehouse.load import Loader
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.hours import loaded_rows
from iot_pipeline_tests.support.messages import RawZone, Sender, build, line, message, reading, rows_of
from iot_pipeline_tests.support.registry import catalog

MINUTE = timedelta(minutes=1)


def _key(uri: str) -> str:
    return uri.split("/", 3)[3]


@dataclass
class Fleet:
    """Two devices of a tenant: `goes` is to be erased, `stays` is not. `since` is before anything of them was."""

    tenant: str
    goes: str
    stays: str
    arrival: Hour
    lake: Lake
    raw: RawZone
    registry: psycopg.Connection[Any]
    since: datetime
    objects: list[str] = field(default_factory=list)
    events: list[Hour] = field(default_factory=list)

    @property
    def batch(self) -> str:
        """The name of its micro-batch, which is of no query."""
        return f"{self.tenant.replace('-', '')[:16]}-0000000001"

    @property
    def import_id(self) -> str:
        """The id of its import."""
        return f"old-{self.batch}"

    def streamed(self) -> list[dict[str, Any]]:
        """The rows of its micro-batch."""
        rows = self.lake.athena.run(
            f"SELECT device_id, seq, temperature FROM streamed_telemetry WHERE batch = '{self.batch}' ORDER BY 1, 2"
        )
        return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]

    def sender(self, device: str) -> Sender:
        return Sender(device, self.tenant, "a")

    def send(self, arrival: Hour, seq: int = 0) -> str:
        """An object with readings of both, duplicates, late and faulty ones, and a cut line of each."""
        lines = []
        for device in (self.goes, self.stays):
            sender, at = self.sender(device), arrival.start + 5 * MINUTE
            now, late = reading(at, seq + 1, temperature=20.5, color="red"), reading((arrival + -2).start, seq + 2)
            lines += [
                line(message(now, late, {"seq": "x"}), at, sender),
                line(message(now), at + MINUTE, sender),
                line(b'{"cut', at, sender),
            ]
        lines.append(lines[0][:-5])
        lines.append(b'"cut off, and names nobody')
        uri = self.raw.put(arrival, lines)
        self.objects.append(uri)
        return uri

    def eraser(self, **options: Any) -> Eraser:
        """It looks at nothing that was written before the devices were there: other tests' objects are many."""
        eraser = open_eraser(since=self.since, **options)
        eraser.platform.lake.athena.poll_seconds = self.lake.athena.poll_seconds
        return eraser

    def kept(self) -> dict[str, Any]:
        """Everything that is the other device's, wherever it lies, and the lines of raw objects that are nobody's."""
        z, lake = tables(), self.lake
        where = settings.edge()
        raw = [
            gzip.decompress(self.raw.s3.get_object(Bucket=lake.bucket, Key=_key(uri))["Body"].read())
            for uri in self.objects
        ]
        days = [Day.of(self.arrival.start)]
        with open_loader() as loader:
            facts = [loaded_rows(loader.connection, hour) for hour in self.events]
        versions = self.registry.execute(
            "SELECT * FROM registry.device_versions WHERE device_id = %s", (self.stays,)
        ).fetchall()
        self.registry.commit()
        state = boto3.client("dynamodb").get_item(TableName=where.device_state_table, Key={"device": {"S": self.stays}})
        return {
            "raw": [[it for it in text.split(b"\n") if self.goes.encode() not in it] for text in raw],
            "judged": self._others(
                rows_of(lake, z.judged_telemetry, [self.arrival], "object, position, outcome, detail")
            ),
            "quarantined": self._others(rows_of(lake, z.quarantined_telemetry, [self.arrival], "reason, position")),
            "curated": self._others(rows_of(lake, z.curated_telemetry, self.events, "event_time, seq")),
            "daily": self._others(self._of_days(days)),
            "warehouse": self._others([row for rows in facts for row in rows]),
            "alerts": self._others([row for rows in open_exporter().rows(days).values() for row in rows]),
            "streamed": self._others(self.streamed()),
            "kept": self._beside(),
            # The sweep for silence may write to it meanwhile.
            "state": [state["Item"][name] for name in ("device", "tenant", "site")],
            "registry": versions,
        }

    def _beside(self) -> list[str]:
        """What stands of the other device in a refusal, an import's journal and the console's table."""
        s3, dynamodb, intake = self.raw.s3, boto3.client("dynamodb"), settings.deployment().intake_bucket
        assert intake
        prefixes = [(intake, "refused/gateway/"), (self.lake.bucket, f"imports/{self.import_id}/")]
        found = []
        for bucket, prefix in prefixes:
            for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
                text = text_of(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()).decode()
                found += re.findall(rf"[^\n{{}}]*{self.stays}[^\n{{}}]*", text.replace(self.goes, "-"))
        assert len(found) == len(prefixes) + 1, found
        layout = Store(dynamodb, settings.console_table()).get(f"layout#person#{self.batch}")
        assert layout
        return [*(it.partition(self.stays)[1] for it in found), *(it for it in layout["devices"] if it == self.stays)]

    def _of_days(self, days: list[Day]) -> list[dict[str, Any]]:
        where = " OR ".join(before_day(day + 1) + f" AND NOT {before_day(day)}" for day in days)
        result = self.lake.athena.run(
            f"SELECT device_id, event_time, seq, temperature FROM daily_telemetry WHERE {where}"
        )
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def _others(self, rows: list[dict[str, Any]]) -> list[str]:
        return sorted(repr(row) for row in rows if self.goes not in repr(row))


def leave_beside_the_tables(fleet: Fleet) -> None:
    """A micro-batch, a refused record of each, an import's rejected rows and places, and a layout of the console."""
    devices, s3, received = (fleet.goes, fleet.stays), boto3.client("s3"), fleet.arrival.start + MINUTE
    lines = [
        line(message(reading(fleet.arrival.start, 1, temperature=20.5)), received, fleet.sender(device))
        for device in devices
    ]
    parts = [part_of([StreamRecord(str(number), it)], CONTRACT) for number, it in enumerate(lines)]
    open_batches().process_batch(parts, fleet.batch, datetime.now(UTC))
    bucket = settings.deployment().intake_bucket
    assert bucket
    refused = [Refusal(Sent(0, fleet.tenant, 0, 0, UserRecord(it, it.encode())), "unknown_device") for it in devices]
    Refusals(s3, bucket).keep("gateway", refused)
    journal = Journal(s3, fleet.lake.bucket, fleet.import_id)
    file = SourceFile("s3://history/all.csv", 1, "")
    journal.reject(0, [file], [(0, Rejected(row, "t", "no number", it)) for row, it in enumerate(devices)])
    journal.places(lambda: {it: [Placed(0, None, fleet.tenant, "a")] for it in devices})
    store = Store(boto3.client("dynamodb"), settings.console_table())
    store.put(f"layout#person#{fleet.batch}", "-", {"devices": list(devices), "metrics": []})
    store.put(f"saved#{fleet.batch}", "mine", {"sql": f"SELECT 1 WHERE device_id = '{fleet.goes}'"})


@pytest.fixture
def fleet(lake: Lake, raw: RawZone, arrival: Hour, loader: Loader, registry: psycopg.Connection[Any]) -> Fleet:
    """The devices are onboarded; what they sent is judged, curated, loaded."""
    since = datetime.now(UTC)
    tenant = unique("tenant")
    found = Fleet(tenant, unique("goes"), unique("stays"), arrival, lake, raw, registry, since)
    apply(registry, catalog(tenant))
    names = settings.devices()
    kind = DeviceKind(names.thing_type, names.device_policy)
    for device in (found.goes, found.stays):
        onboard(registry, boto3.client("iot"), Request(device, tenant, "a", f"{tenant}-model"), kind=kind)
    found.send(arrival)
    found.events = build(lake, [arrival])
    loader.load(found.events)
    return found


@pytest.fixture
def everywhere(fleet: Fleet) -> Fleet:
    """The same, with live states, alerts and their history, dead letters, and results of queries."""
    where, dynamodb, s3 = settings.edge(), boto3.client("dynamodb"), boto3.client("s3")
    at_ms = int(fleet.arrival.start.timestamp() * 1000)
    for device in (fleet.goes, fleet.stays):
        states = open_states()
        state = states.load([device])[device]
        state.tenant, state.site = fleet.tenant, "a"
        states.save(state, [], at_ms)
        key = AlertKey(f"device/{device}", "range", "temperature")
        opened = Transition(What.OPENED, key, key.episode(at_ms), Severity.WARNING, at_ms, at_ms, at_ms)
        item = write_of(Change(Place(fleet.tenant, "a", device), (opened,), notes=False), where.alerts_table, at_ms)
        dynamodb.transact_write_items(TransactItems=[item])
    leave_beside_the_tables(fleet)
    open_compaction().compact([Day.of(fleet.arrival.start)], datetime.now(UTC))
    exporter = open_exporter()
    exporter.export(everything=True)
    with open_episodes_loader() as episodes:
        episodes.load([Day.of(fleet.arrival.start)])
    for device in (fleet.goes, fleet.stays):
        topic = f"dt/{fleet.tenant}/a/{device}/telemetry"
        boto3.client("sqs").send_message(QueueUrl=where.rule_errors_url, MessageBody=json.dumps({"topic": topic}))
    s3.put_object(
        Bucket=fleet.lake.bucket, Key=f"athena-results/{fleet.goes[-6:]}.csv", Body=f"{fleet.goes},1".encode()
    )
    return fleet
