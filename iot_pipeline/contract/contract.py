"""The telemetry contract: the message, its identity and its bounds, in one object that everything derives from."""

from dataclasses import dataclass
from datetime import timedelta

from iot_pipeline.contract.envelope import ADDED, ENVELOPE
from iot_pipeline.contract.metrics import METRICS, Metric

# The first level of the devices' topics; a second environment in one account and region has another.
TOPIC_ROOT = "dt"

# AWS IoT Core refuses a larger payload (AWS IoT Core quotas, "Message broker": 128 KB).
MAX_MESSAGE_BYTES = 128 * 1024


@dataclass(frozen=True)
class Contract:
    """What a telemetry message must be to count as valid.

    `lateness_bound` and `future_bound` compare a reading's event time with the time the broker received it.
    """

    version: int = 1
    metrics: tuple[Metric, ...] = METRICS
    lateness_bound: timedelta = timedelta(days=30)
    future_bound: timedelta = timedelta(hours=1)

    def __post_init__(self) -> None:
        """Refuse a contract that could not be turned into tables. Raises ValueError naming the metric."""
        names = [metric.name for metric in self.metrics]
        for metric in self.metrics:
            if names.count(metric.name) > 1:
                raise ValueError(f"metric {metric.name!r} is defined twice; rename or remove one")
            if metric.name in RESERVED:
                raise ValueError(f"metric {metric.name!r} has the name of a field or column; choose another name")
            if metric.name.endswith(STEPS_OF_METRIC):
                raise ValueError(
                    f"metric {metric.name!r} must not end in {', '.join(STEPS_OF_METRIC)}; choose another name"
                )
            if not metric.name.isidentifier() or metric.name != metric.name.lower():
                raise ValueError(f"metric {metric.name!r} must be a lower-case identifier: it becomes a column name")
            if metric.minimum >= metric.maximum:
                raise ValueError(f"metric {metric.name!r}: minimum {metric.minimum} is not below {metric.maximum}")


# The longest texts taken, in characters: what is longer fits neither a VARCHAR(256) of the warehouse, in bytes, nor a
# text within its SUPER, of 65,535 bytes (Redshift database developer guide, "Character types", "SUPER data type"), and
# one such reading would stop the load of its whole hour.
MAX_FIRMWARE, MAX_EXTRA = 64, 16_000

# Fields of a reading that are not metrics.
READING_FIELDS = ("ts", "seq", "unit", "location")
# Fields of a message beside its readings.
MESSAGE_FIELDS = ("v", "device_id", "sent_at", "fw", "readings")
# What the IoT rule adds. No payload may speak for these: identity comes from the topic and the certificate.
RULE_FIELDS = tuple(field.name for field in ENVELOPE)
# What a telemetry message may have. Beside `readings` no rule adds a payload: there it is unknown, as any other field.
KNOWN_OF_MESSAGE = (*MESSAGE_FIELDS, *(field.name for field in ADDED))
# Columns of the judged and the curated table, and of the steps of their builds, that are not metrics.
COLUMNS = (
    *("event_time", "received_at", "tenant", "site", "lat", "lon", "extras", "duplicates", "conflicts"),
    *("object", "message_id", "payload_base64", "message_reason", "position", "outcome", "detail", "record"),
    *("j", "r", "t", "line", "payload_text", "of_message", "wrong_fw", "has_readings", "is_identified", "is_array"),
    *("fields", "is_object", "has_unknown_fields", "places", "known_places", "units", "unknown_fields", "ts_text"),
    *("is_usual", "clock", "zone", "zone_hours", "zone_minutes", "local_time", "moment"),
    *("event_hour", "arrival", "receptions", "all_receptions", "event_time_before", "seq_before", "refused_text"),
    *("year", "month", "day", "hour"),
)
# What the steps of a build add to a field's name, as sent, as a number and as its unit.
STEPS_OF_METRIC = ("_sent", "_value", "_unit")
_FIELDS = (*READING_FIELDS, *MESSAGE_FIELDS, *RULE_FIELDS)
RESERVED = frozenset((*_FIELDS, *COLUMNS, *(f"{name}_sent" for name in _FIELDS)))

CONTRACT = Contract()


def topic_filter(root: str = TOPIC_ROOT) -> str:
    """The filter that all telemetry topics of an environment match."""
    return topic_of("+", "+", "+", root)


def topic(tenant: str, site: str, device_id: str, root: str = TOPIC_ROOT) -> str:
    """The MQTT topic on which a device publishes. Raises ValueError for a level MQTT would read as structure."""
    for name, level in (("root", root), ("tenant", tenant), ("site", site), ("device_id", device_id)):
        if not level or set(level) & set("/+#\0"):
            raise ValueError(f"{name} {level!r} cannot be a topic level: it must not be empty or contain / + #")
    return topic_of(tenant, site, device_id, root)


def topic_of(tenant: str, site: str, device_id: str, root: str = TOPIC_ROOT) -> str:
    """The topic's form, with a name, a wildcard or a policy's variable at each level."""
    return f"{root}/{tenant}/{site}/{device_id}/telemetry"
