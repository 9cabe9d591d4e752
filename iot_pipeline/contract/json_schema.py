"""The contract as JSON Schema, for device developers and for tests."""

from typing import Any

from iot_pipeline.contract.contract import MAX_FIRMWARE, Contract


def message_schema(contract: Contract) -> dict[str, Any]:
    """JSON Schema (2020-12) of one message.

    It covers form, units and, for metrics with one unit, ranges. What depends on when and where a message was
    received (lateness, identity) is the build's to check.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Telemetry message",
        "type": "object",
        "required": ["v", "readings"],
        "properties": {
            "v": {"const": contract.version},
            "device_id": {"type": "string", "description": "Must be the device of the topic."},
            "sent_at": {"type": "string", "format": "date-time"},
            "fw": {"type": "string", "maxLength": MAX_FIRMWARE},
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
        units[metric.name] = {"enum": [unit.symbol for unit in metric.units]}
    return {
        "type": "object",
        "required": ["ts", "seq"],
        "anyOf": [{"required": [metric.name]} for metric in contract.metrics],
        "properties": {
            "ts": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": 0}]},
            "seq": {"type": "integer"},
            "unit": {"type": "object", "properties": units},
            "location": {
                "type": "object",
                "required": ["lat", "lon"],
                "properties": {
                    "lat": {"type": "number", "minimum": -90, "maximum": 90},
                    "lon": {"type": "number", "minimum": -180, "maximum": 180},
                },
            },
            **metrics,
        },
    }
