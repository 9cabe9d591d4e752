"""The raw zone: what Firehose lands. Nothing here is built; a sensor reports what has arrived."""

import dagster as dg

from iot_pipeline.defs.common import OWNERS
from iot_pipeline.partitions import hours

raw_telemetry = dg.AssetSpec(
    "raw_telemetry",
    partitions_def=hours,
    group_name="raw",
    kinds={"s3", "json"},
    owners=OWNERS,
    tags={"zone": "raw"},
    description=(
        "Messages as devices sent them, newline JSON, gzip, by **arrival hour**. Firehose writes it; it is immutable. "
        "Read it as `raw_telemetry` (parsed) or `raw_lines` (one message a line)."
    ),
)
