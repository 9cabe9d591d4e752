"""Dagster's objects of judging by arrival hour, the ledger and the quarantine."""

import dagster as dg

from iot_pipeline.defs.freshness import with_freshness
from iot_pipeline.defs.judged.assets import judge, quarantined_telemetry
from iot_pipeline.defs.judged.scattered import judge_arrival_hours, sweep_stale_arrivals

defs = dg.Definitions(
    assets=with_freshness(judge, quarantined_telemetry),
    jobs=[judge_arrival_hours],
    sensors=[sweep_stale_arrivals],
)
