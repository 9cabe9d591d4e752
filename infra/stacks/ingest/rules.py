"""The SQL of the two IoT rules. Together they turn every message into exactly one JSON line."""

from dataclasses import dataclass

from iot_pipeline.contract import topic_filter
from iot_pipeline.contract.envelope import ADDED, PAYLOAD, EnvelopeField

SQL_VERSION = "2016-03-23"


@dataclass(frozen=True)
class RuleSql:
    """The statements, by what the message turned out to be."""

    telemetry: str
    malformed: str


def rule_sql(telemetry_topics: str | None = None) -> RuleSql:
    """The statements of both rules, for an environment's topic filter (by default the default environment's).

    `SELECT *, f() AS x` adds x to a JSON object only; any other payload is passed on as it came, without its topic
    and with whatever newlines it holds (AWS IoT developer guide, "Working with binary payloads"). So a payload
    without `readings` is wrapped as base64 by a second rule. The two conditions are each other's negation: no
    message is taken twice, none is left.
    """
    # Identity comes from the topic, which the device's policy guards, and from the broker; never from the payload.
    functions = ", ".join(map(_added, ADDED))
    source = f"FROM '{telemetry_topics or topic_filter()}'"
    return RuleSql(
        telemetry=f"SELECT *, {functions} {source} WHERE NOT isUndefined(readings)",
        malformed=f"SELECT {_added(PAYLOAD)}, {functions} {source} WHERE isUndefined(readings)",
    )


def _added(field: EnvelopeField) -> str:
    return f"{field.source} AS {field.name}"
