"""The lake's tables, derived from the contract. Column types are Glue's (Hive's) names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from iot_pipeline.contract import layout
from iot_pipeline.contract.contract import CONTRACT, Contract
from iot_pipeline.contract.envelope import ENVELOPE

# A table is partitioned by these four strings, zero-padded: by arrival hour or by event hour, in UTC. Of alerts there
# are few: their history is partitioned by the first three.
PARTITION_KEYS = ("year", "month", "day", "hour")
DAY_KEYS = PARTITION_KEYS[:3]
# The rows of the streaming job are partitioned by its micro-batches: one partition, so that each appears in one step.
BATCH_KEYS = ("batch",)

# Partition projection needs a closed range of years (Athena user guide, "Set up partition projection").
FIRST_YEAR, LAST_YEAR = 2020, 2039


class Format(StrEnum):
    """How a table's objects are stored."""

    JSON = "json"
    LINES = "lines"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Column:
    """A column: its name, its Glue type and what it means."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Table:
    """A table of the lake. `prefix` is its place in the bucket, with a closing slash.

    A projected table finds its partitions from its prefix alone; the others have each partition registered in Glue,
    because a partition's location carries the version of its build.
    """

    name: str
    description: str
    prefix: str
    format: Format
    columns: tuple[Column, ...]
    projected: bool = False
    partition_keys: tuple[str, ...] = PARTITION_KEYS

    @property
    def projection(self) -> Mapping[str, str]:
        """The table parameters that switch partition projection on, without the bucket's location template."""
        if not self.projected:
            return {}
        ranges = {"year": f"{FIRST_YEAR},{LAST_YEAR}", "month": "1,12", "day": "1,31", "hour": "0,23"}
        parameters = {"projection.enabled": "true"}
        for key, bounds in ranges.items():
            parameters |= {f"projection.{key}.type": "integer", f"projection.{key}.range": bounds}
            if key != "year":
                parameters[f"projection.{key}.digits"] = "2"
        return parameters


@dataclass(frozen=True)
class Tables:
    """All tables of one contract."""

    raw_telemetry: Table
    raw_lines: Table
    judged_telemetry: Table
    ledger: Table
    quarantined_telemetry: Table
    curated_telemetry: Table
    daily_telemetry: Table
    alert_history: Table
    all: tuple[Table, ...] = field(init=False)

    def __post_init__(self) -> None:
        """List the tables once, in the order of the data's flow."""
        tables = (
            self.raw_telemetry,
            self.raw_lines,
            self.judged_telemetry,
            self.ledger,
            self.quarantined_telemetry,
            self.curated_telemetry,
            self.daily_telemetry,
            self.alert_history,
        )
        object.__setattr__(self, "all", tables)


# What the raw zone's Parquet has beside the columns of raw_telemetry.
LINE = Column("line", "string", "The whole record as it came: what is judged")
LINE_BASE64 = Column("line_base64", "string", "The record's exact bytes, where they are no UTF-8")


def raw_as_parquet(contract: Contract = CONTRACT) -> tuple[Table, Table]:
    """raw_telemetry and raw_lines of an environment whose Firehose writes Parquet: the same names, places and columns.

    raw_telemetry is also the schema by which Firehose converts, so that it has the whole line as well.
    """
    people, lines = _raw_telemetry(contract), _raw_lines()
    described = "Messages as they arrived, by arrival hour; values as sent, and the whole line beside them."
    columns = (*people.columns, LINE, LINE_BASE64)
    return (
        replace(people, description=described, format=Format.PARQUET, columns=columns),
        replace(lines, format=Format.PARQUET),
    )


def former_ledger(contract: Contract = CONTRACT) -> Table:
    """The ledger under the name of the releases before this one.

    Nothing reads or writes it but `lake/migrate.py`. It stays in the stack for this release, since CloudFormation would
    delete it, and with it the only record of which version each hour shows, before its partitions could be taken over.
    """
    former = "The ledger under its former name: `python -m iot_pipeline.lake migrate` takes its partitions over."
    return replace(_ledger(contract), name="raw_profile", description=former, prefix=layout.FORMER_LEDGER)


def registry_history() -> tuple[Table, Table]:
    """Sites and devices with their history, as the registry has them: not partitioned, and not made by builds."""
    period = (
        Column("valid_from", "timestamp", "From when on it was so, UTC"),
        Column("valid_to", "timestamp", "Until when, UTC, exclusive; null while it is so"),
    )
    sites = Table(
        "registry_sites",
        "Versions of the sites in the registry, with their customer and tenant. Copied every 15 minutes.",
        layout.REGISTRY_SITES,
        Format.PARQUET,
        (
            Column("tenant_id", "string", "Tenant"),
            Column("tenant_name", "string", "Its name, as it is now"),
            Column("site_id", "string", "Site"),
            Column("site_name", "string", "Its name"),
            Column("customer_id", "string", "Customer to whom the site belongs"),
            Column("customer_name", "string", "Its name, as it is now"),
            Column("country", "string", "ISO 3166 code"),
            Column("timezone", "string", "IANA name of the site's time zone"),
            *period,
        ),
        partition_keys=(),
    )
    devices = Table(
        "registry_devices",
        "Versions of the devices in the registry, with their model. Copied every 15 minutes.",
        layout.REGISTRY_DEVICES,
        Format.PARQUET,
        (
            Column("device_id", "string", "Device"),
            Column("tenant_id", "string", "Tenant to whom it belonged"),
            Column("site_id", "string", "Site where it stood"),
            Column("device_name", "string", "Its name"),
            Column("status", "string", "`active` or `decommissioned`"),
            Column("model_id", "string", "Model"),
            Column("model_name", "string", "The model's name, as it is now"),
            Column("manufacturer", "string", "The model's manufacturer"),
            *period,
        ),
        partition_keys=(),
    )
    return sites, devices


def streamed_telemetry(contract: Contract = CONTRACT) -> Table:
    """What the streaming job judged valid: a partition a micro-batch, which goes once the curated table holds its rows.

    It is not among `tables`: no build of the lake makes or reads it.
    """
    return Table(
        "streamed_telemetry",
        "Valid readings of the last hours, by micro-batch of the streaming job: a row for each key and values, with "
        "how often they came. A view beside it has each reading once, from here or from the batch: docs/streaming.md.",
        layout.STREAMED,
        Format.PARQUET,
        (
            *_identity(),
            *_measured(contract),
            Column(
                "extras", "string", "Fields unknown to the contract, as a JSON object of JSON texts; null where none"
            ),
            *_provenance(),
            Column("position", "bigint", "Position of the reading in the message that arrived last, from 1"),
            Column("receptions", "bigint", "How often this key came with these values in the micro-batch"),
        ),
        partition_keys=BATCH_KEYS,
    )


def tables(contract: Contract = CONTRACT) -> Tables:
    """The lake's tables for a contract."""
    return Tables(
        raw_telemetry=_raw_telemetry(contract),
        raw_lines=_raw_lines(),
        judged_telemetry=_judged(contract),
        ledger=_ledger(contract),
        quarantined_telemetry=_quarantined(),
        curated_telemetry=_curated(contract),
        daily_telemetry=_daily(contract),
        alert_history=_alert_history(),
    )


def _raw_lines() -> Table:
    return Table(
        "raw_lines",
        "The raw objects of raw_telemetry, one line a message, unparsed: what is judged.",
        layout.RAW,
        Format.LINES,
        (Column("line", "string", "One message as the IoT rule passed it on"),),
        projected=True,
    )


def _raw_telemetry(contract: Contract) -> Table:
    fields = [
        "ts:string",
        "seq:string",
        *(f"{m.name}:string" for m in contract.metrics),
        "unit:map<string,string>",
        "location:struct<lat:string,lon:string>",
    ]
    return Table(
        "raw_telemetry",
        "Messages as they arrived, by arrival hour; values as sent. Malformed lines are ignored here.",
        layout.RAW,
        Format.JSON,
        (
            Column("v", "string", "Version of the contract the device speaks"),
            Column("device_id", "string", "Device as it names itself"),
            Column("sent_at", "string", "Time of sending, by the device's clock"),
            Column("fw", "string", "Firmware version"),
            Column("readings", f"array<struct<{','.join(fields)}>>", "The readings, as sent"),
            *(Column(field.name, field.type, field.meaning) for field in ENVELOPE),
        ),
        projected=True,
    )


def _judged(contract: Contract) -> Table:
    return Table(
        "judged_telemetry",
        "By arrival hour, a row a reading, typed, with its outcome: what ledger, quarantine and curated are made of.",
        layout.JUDGED,
        Format.PARQUET,
        (
            Column("object", "string", "The raw object, s3://bucket/key"),
            Column("message_id", "string", "If not valid: the broker's id of the message"),
            Column("position", "bigint", "Position of the reading in its message, from 1"),
            Column("outcome", "string", "`valid`, or the reason for quarantine"),
            *_identity(),
            *_measured(contract),
            Column(
                "extras", "string", "Fields unknown to the contract, as a JSON object of JSON texts; null where none"
            ),
            *_provenance(),
            Column("detail", "string", "If not valid: which field, what was sent, what was expected"),
            Column("record", "string", "If not valid: the reading, or the whole payload"),
            Column("payload_base64", "string", "The exact bytes, where the payload was not a telemetry message"),
        ),
    )


def _identity() -> tuple[Column, ...]:
    return (
        Column("device_id", "string", "Device, from the topic; the certificate's policy proves it"),
        Column("event_time", "timestamp", "Time of the reading, UTC"),
        Column("seq", "bigint", "The device's sequence number"),
    )


def _measured(contract: Contract) -> tuple[Column, ...]:
    return (
        *(Column(m.name, "double", f"{m.description} [{m.unit}]") for m in contract.metrics),
        Column("lat", "double", "Latitude, degrees"),
        Column("lon", "double", "Longitude, degrees"),
    )


def _provenance() -> tuple[Column, ...]:
    return (
        Column("tenant", "string", "Tenant, from the topic"),
        Column("site", "string", "Site, from the topic"),
        Column("fw", "string", "Firmware version"),
        Column("received_at", "timestamp", "Arrival at the broker, UTC"),
    )


def _ledger(contract: Contract) -> Table:
    return Table(
        "ledger",
        "The ledger, by arrival hour: what each raw object holds, by site, event hour and outcome.",
        layout.LEDGER,
        Format.PARQUET,
        (
            Column("object", "string", "The raw object, s3://bucket/key"),
            Column("tenant", "string", "Tenant"),
            Column("site", "string", "Site"),
            Column("event_hour", "timestamp", "Hour of the event, UTC; null where the event time is unknown"),
            Column("outcome", "string", "`valid`, or the reason for quarantine"),
            Column("messages", "bigint", "Messages, each counted once, with its first record"),
            Column("readings", "bigint", "Readings; a message without readable readings counts as one"),
            Column("with_extras", "bigint", "Readings that carry fields unknown to the contract"),
            Column("unknown_fields", "string", "Names of those, a JSON array; null if not noted or endless"),
            Column("first_event", "timestamp", "Earliest event time, UTC"),
            Column("last_event", "timestamp", "Latest event time, UTC"),
            Column("last_received", "timestamp", "Latest arrival at the broker, UTC"),
            *_extremes(contract),
            Column("judged_by", "string", "The rules that decided on these readings; null before they were noted"),
            Column("content", "string", "Checksum of the readings, in whatever order; null before it was noted"),
        ),
    )


def _extremes(contract: Contract) -> Iterator[Column]:
    for metric in contract.metrics:
        yield Column(f"min_{metric.name}", "double", f"Least {metric.name} sent, valid or not [{metric.unit}]")
        yield Column(f"max_{metric.name}", "double", f"Greatest {metric.name} sent, valid or not [{metric.unit}]")


def _quarantined() -> Table:
    return Table(
        "quarantined_telemetry",
        "Records that broke the contract, by arrival hour: the original text, the reason, the source object.",
        layout.QUARANTINE,
        Format.PARQUET,
        (
            Column("reason", "string", "Why, see the contract's quarantine reasons"),
            Column("detail", "string", "Which field, what was sent, what was expected"),
            Column("record", "string", "The reading, or the whole payload where no reading could be told apart"),
            Column("payload_base64", "string", "The exact bytes, where the payload was not a telemetry message"),
            Column("tenant", "string", "Tenant, from the topic"),
            Column("site", "string", "Site, from the topic"),
            Column("device_id", "string", "Device, from the topic"),
            Column("event_time", "timestamp", "Event time, UTC, where it could be read"),
            Column("received_at", "timestamp", "Arrival at the broker, UTC"),
            Column("message_id", "string", "The broker's id of the message"),
            Column("position", "bigint", "Position of the reading in its message, from 1"),
            Column("object", "string", "The raw object, s3://bucket/key"),
        ),
    )


def _curated(contract: Contract) -> Table:
    return Table(
        "curated_telemetry",
        "Valid readings, by event hour: typed, in canonical units, each (device_id, event_time, seq) once.",
        layout.CURATED,
        Format.PARQUET,
        (
            *_identity(),
            *_measured(contract),
            Column("extras", "map<string,string>", "Fields unknown to the contract, as JSON text; null where none"),
            *_provenance(),
            Column("duplicates", "bigint", "Further receptions of this key with the same values"),
            Column("conflicts", "bigint", "Further receptions of this key with other values; the last received won"),
        ),
    )


def _daily(contract: Contract) -> Table:
    return Table(
        "daily_telemetry",
        "The rows of `curated_telemetry` of days that are over, by event day (UTC), in large objects, by tenant and "
        "device. Read the view `telemetry`: it has each reading once, from here or from the hours.",
        layout.DAILY,
        Format.PARQUET,
        (*_curated(contract).columns, Column("hour", "string", "UTC, 00-23")),
        partition_keys=DAY_KEYS,
    )


def _alert_history() -> Table:
    return Table(
        "alert_history",
        "Episodes of alerts, by the day (UTC) on which they opened; each once, as it was when it was last exported.",
        layout.ALERT_HISTORY,
        Format.PARQUET,
        (
            Column("episode_id", "string", "The episode's id, which follows from subject, rule, metric and start"),
            Column("tenant", "string", "Tenant, from the topic"),
            Column("site", "string", "Site, from the topic"),
            Column("device_id", "string", "Device, from the topic; null for an alert of a whole site"),
            Column("subject", "string", "What the alert is about: `device/...` or `site/...`"),
            Column("rule", "string", "The rule that opened it"),
            Column("metric", "string", "The metric, where the rule has one"),
            Column("severity", "string", "`warning` or `critical`, the worst it reached"),
            Column("opened_severity", "string", "The severity with which it opened; null if that was not kept"),
            Column("status", "string", "`open` or `resolved`"),
            Column("flapping", "boolean", "Whether it opened again and again within minutes, and was held open for it"),
            Column("is_history", "boolean", "Whether it was over or old before the edge heard of it: nobody is told"),
            Column("opened_at", "timestamp", "Since when it was so, by the events' time, UTC"),
            Column("seen_at", "timestamp", "Time of the event by which it was found, UTC"),
            Column("arrived_at", "timestamp", "When the message by which it was found arrived, UTC; or null"),
            Column("recorded_at", "timestamp", "When the edge wrote it, UTC"),
            Column("escalated_at", "timestamp", "When it became critical, by the events' time, UTC; or null"),
            Column("changed_at", "timestamp", "Its last transition, by the events' time, UTC"),
            Column("acknowledged_at", "timestamp", "When a person took it on, UTC; null if nobody has"),
            Column("acknowledged_by", "string", "Who did"),
            Column("acknowledged_reason", "string", "What they said"),
            Column("notified_at", "timestamp", "When people were last told of it, UTC; null if they were not"),
            Column("reminded_at", "timestamp", "When a reminder was last due, UTC"),
            Column("resolved_at", "timestamp", "When it was over, by the events' time, UTC; null while it is open"),
            Column("resolution_recorded_at", "timestamp", "When the edge wrote that, UTC"),
            Column("last_value", "double", "Value at the last transition, in the metric's unit or in seconds"),
            Column("limit_value", "double", "The limit that it was beyond"),
            Column("worst_value", "double", "The value furthest beyond its limit"),
            Column("trace", "string", "The broker's id of the message that opened it; null if none did"),
            Column("parent_id", "string", "The episode that spoke for it, as a silent site's for its devices'"),
            Column("held_by", "string", "The planned work because of which nobody was told"),
            Column("written_at", "timestamp", "When the edge last wrote anything of it, UTC"),
        ),
        partition_keys=DAY_KEYS,
    )
