"""What a day has cost against what it may, and the sensor that adds it up."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.defs.dagster_internals import noted, take_note
from iot_pipeline.defs.pipeline_alerts.kinds import OVER_BUDGET
from iot_pipeline.defs.pipeline_alerts.seen import Seen, bad, clear
from iot_pipeline.lake.spending import Spent, forecast
from iot_pipeline.resources import Spending
from iot_pipeline.settings import policy

_SPENT = "iot_pipeline/spent"
_SUBJECT = "cost/athena"


@dg.sensor(
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds up every ten minutes what Athena's queries of the day have cost, by workgroup; the alert "
    "`over_budget` follows from it.",
)
def spending_watch(context: dg.SensorEvaluationContext, spending: Spending) -> dg.SkipReason:
    """Look once, and note it where the alerts look."""
    spent = spending.look(spent_so_far(context.instance), datetime.now(UTC))
    take_note(context.instance, _SPENT, spent.encode())
    return dg.SkipReason("; ".join([f"{spent.day}: {spent.total:.4f} USD", *_lines(spent)]))


def spent_so_far(instance: dg.DagsterInstance) -> Spent | None:
    """What was noted last; None if nothing was."""
    text = noted(instance, _SPENT)
    return Spent.decode(text) if text else None


def seen_now(instance: dg.DagsterInstance, now: datetime) -> Iterator[Seen]:
    """Whether the day has cost more than it may, or will; with the new day all is well again."""
    spent, now_ms = spent_so_far(instance), round(now.timestamp() * 1000)
    if spent is None:
        return
    budget = policy().daily_budget_usd
    today = spent.total if spent.day == f"{now:%Y-%m-%d}" else 0.0
    coming = forecast(today, now)
    if today > budget:
        about = About(f"Athena has cost {today:.2f} USD today, the budget is {budget:.2f}", "\n".join(_lines(spent)))
        yield bad(OVER_BUDGET, _SUBJECT, now_ms, Severity.CRITICAL, about)
    elif coming is not None and coming > budget:
        words = f"Athena will cost {coming:.2f} USD today if the day goes on so, the budget is {budget:.2f}"
        lines = [f"{today:.2f} USD so far", *_lines(spent)]
        yield bad(OVER_BUDGET, _SUBJECT, now_ms, Severity.WARNING, About(words, "\n".join(lines)))
    else:
        yield clear(OVER_BUDGET, _SUBJECT, now_ms)


def _lines(spent: Spent) -> list[str]:
    groups = sorted(spent.queries, key=lambda group: -spent.dollars[group])
    return [
        f"workgroup {group}: {spent.dollars[group]:.4f} USD, {spent.queries[group]:,} queries, "
        f"{spent.scanned[group]:,} bytes"
        for group in groups
    ]
