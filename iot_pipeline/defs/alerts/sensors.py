"""The edge is looked at every minute, without the cost of a run."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.defs.alerts.checks import LOOKS
from iot_pipeline.defs.evaluations import record
from iot_pipeline.resources import EdgeResource

# What has not changed is reported again so often, so that people see that it is looked at.
REPORTED_EVERY = timedelta(minutes=15)


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the checks of the edge: when one has changed, and every 15 minutes.",
)
def edge_health(context: dg.SensorEvaluationContext, edge: EdgeResource) -> dg.SensorResult:
    """Evaluate the checks here, and record what is news: each failed evaluation is published as an alert."""
    now = datetime.now(UTC)
    reported: dict[str, tuple[bool, str]] = json.loads(context.cursor) if context.cursor else {}
    problems = []
    for look in LOOKS:
        result = look.evaluate(edge, now)
        if not result.passed:
            problems.append(str(result.description))
        passed, at = reported.get(look.name, (None, ""))
        if passed == result.passed and now - datetime.fromisoformat(at) < REPORTED_EVERY:
            continue
        reported[look.name] = (result.passed, now.isoformat())
        record(context.instance, result)
    said = "; ".join(problems) or "the edge is well"
    return dg.SensorResult(cursor=json.dumps(reported), skip_reason=dg.SkipReason(said))
