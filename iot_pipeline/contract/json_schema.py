"""The contract as JSON Schema, for device developers and for tests."""

from typing import Any

from iot_pipeline.contract.contract import MAX_FIRMWARE, READING_FIELDS, Contract
from iot_pipeline.contract.event_time import ISO_FORM, LONGEST_MS

_NO_NUL = "^[^\\u0000]*$"
_BIGINT = 1 << 63


def message_schema(contract: Contract) -> dict[str, Any]:
    """JSON Schema (2020-12) of one message.

    It covers form, units and, for metrics with one unit, ranges. The build alone checks what depends on when and where
    a message was received (lateness, identity), and what no schema can say: that a time is in the calendar, that a unit
    belongs to a field that was sent, the sizes of unknown fields, that 1.0 is no whole number and 1e400 none at all.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Telemetry message",
        "type": "object",
        "required": ["v", "readings"],
        "properties": {
            "v": {"const": contract.version},
            "device_id": {"type": ["string", "null"], "description": "Must be the device of the topic."},
            "sent_at": {"description": "When the message was sent, by the device's clock; nothing is made of it."},
            "fw": {"type": ["string", "null"], "maxLength": MAX_FIRMWARE, "pattern": _NO_NUL},
            "readings": {"type": "array", "minItems": 1, "items": _reading_schema(contract)},
        },
    }


def _reading_schema(contract: Contract) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    units: dict[str, Any] = {}
    for metric in contract.metrics:
        schema: dict[str, Any] = {"type": ["number", "null"], "description": f"{metric.description} [{metric.unit}]"}
        if len(metric.units) == 1:
            schema |= {"minimum": metric.minimum, "maximum": metric.maximum}
        metrics[metric.name] = schema
        units[metric.name] = {"enum": [*(unit.symbol for unit in metric.units), None]}
    names = list(metrics)
    return {
        "type": "object",
        "required": ["ts", "seq"],
        "anyOf": [_said(name) for name in names],
        "allOf": [{"if": _said(name), "then": _with_unit(name)} for name in names],
        "properties": {
            "ts": {
                "anyOf": [
                    {"type": "string", "pattern": f"^{ISO_FORM}$"},
                    {"type": "integer", "minimum": 0, "maximum": LONGEST_MS},
                ]
            },
            "seq": {"type": "integer", "minimum": -_BIGINT, "maximum": _BIGINT - 1},
            "unit": {
                "type": ["object", "null"],
                "propertyNames": {"not": {"enum": list(READING_FIELDS)}},
                "properties": units,
            },
            "location": _location_schema(),
            **metrics,
        },
    }


def _said(name: str) -> dict[str, Any]:
    """That a field says something: null and an absent field both do not."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _with_unit(name: str) -> dict[str, Any]:
    """That a metric's unit, where there is one, is not null."""
    return {"properties": {"unit": {"properties": {name: {"not": {"type": "null"}}}}}}


def _location_schema() -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "if": {"additionalProperties": {"type": "null"}},
        "else": {
            "required": ["lat", "lon"],
            "properties": {
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lon": {"type": "number", "minimum": -180, "maximum": 180},
            },
        },
    }
