"""What the functions of the edge tell of themselves: metrics in CloudWatch's embedded format.

CloudWatch user guide, "Specification: Embedded metric format": a line of JSON on standard output becomes metrics.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from iot_pipeline.edge.tracing import trace_id

# Units of CloudWatch by the end of a metric's name.
_UNITS = {"_ms": "Milliseconds", "_bytes": "Bytes"}


def emit(namespace: str, function: str, metrics: Mapping[str, float], **properties: Any) -> None:
    """Print metrics of one invocation; `properties` stand beside them, to be searched but not counted."""
    definitions = [{"Name": name, "Unit": _unit(name)} for name in metrics]
    document = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {"Namespace": namespace, "Dimensions": [["function"]], "Metrics": definitions},
            ],
        },
        "function": function,
        **metrics,
        **properties,
        "xray": trace_id(),
    }
    print(json.dumps(document, separators=(",", ":")), flush=True)


def _unit(name: str) -> str:
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "Count")
