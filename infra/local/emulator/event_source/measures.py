"""The metrics of event source mappings: how old records are when they are handled, and what was given up.

AWS Lambda developer guide, "Types of metrics for Lambda functions": IteratorAge; "Event source mapping metrics".
"""

import time
from typing import Any

from infra.local.emulator.cloudwatch import record


def iterator_age(mapping: Any, last_record: Any) -> None:
    """Milliseconds from the arrival of a batch's last record to its handing over."""
    age = (time.time() - last_record["ApproximateArrivalTimestamp"]) * 1000
    dimensions = {"FunctionName": mapping["FunctionName"]}
    record("AWS/Lambda", "IteratorAge", max(0.0, age), "Milliseconds", dimensions)


def given_up(mapping: Any, count: int, *, delivered: bool) -> None:
    """Records that went to the failure destination, or nowhere; only of mappings that ask for such metrics."""
    if "EventCount" not in (mapping.get("MetricsConfig") or {}).get("Metrics", []):
        return
    name = "OnFailureDestinationDeliveredEventCount" if delivered else "DroppedEventCount"
    dimensions = {"FunctionName": mapping["FunctionName"], "EventSourceMappingUUID": mapping["UUID"]}
    record("AWS/Lambda", name, count, "Count", dimensions)
