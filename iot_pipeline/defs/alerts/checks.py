"""How the edge is: whether people are told, the handler keeps up, the sweep runs, and nothing was given up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from iot_pipeline.defs.alerts.assets import alert_episodes
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.resources import EdgeResource
from iot_pipeline.resources.edge import COUNTED

# The function that notifies is called after each alert, and every minute in any case.
UNSENT_FOR = timedelta(minutes=5)
# The alarm on the handler's lag has the same limit.
BEHIND_BY = timedelta(minutes=1)
# It is called every minute; CloudWatch tells of it a minute or two later.
NOT_SWEPT_FOR = timedelta(minutes=5)

_RUNBOOK = "docs/operations.md#the-edge-is-not-well"


@dataclass(frozen=True)
class Finding:
    """What a look at one thing found; `problem` None: all is well."""

    problem: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def people_are_told(edge: EdgeResource, now: datetime) -> Finding:
    """The oldest notification that nobody has sent."""
    waiting = edge.waiting(now)
    age = now - waiting.oldest if waiting.oldest else timedelta(0)
    problem = None
    if age > UNSENT_FOR:
        problem = f"people were not told of {waiting.episodes} alerts; the oldest waits since {waiting.oldest:%H:%M}Z"
    return Finding(
        problem,
        {
            "oldest waits (s)": round(age.total_seconds(), 1),
            f"episodes waiting (at most {COUNTED})": waiting.episodes,
            "held back by planned work": waiting.held_back,
        },
    )


def handler_keeps_up(edge: EdgeResource, now: datetime) -> Finding:
    """How far the handler is behind the stream."""
    lag = edge.lag(now)
    behind = f"the handler is {lag.total_seconds():.0f} s behind the stream: alerts are late, silence is not looked for"
    return Finding(behind if lag > BEHIND_BY else None, {"lag (s)": round(lag.total_seconds(), 1)})


def nothing_was_given_up(edge: EdgeResource, _now: datetime) -> Finding:
    """Dead letters, by source."""
    counts = edge.dead_letters()
    found = {source: count for source, count in counts.items() if count}
    told = ", ".join(f"{count} of `{source}`" for source, count in found.items())
    table = markdown_table(("source", "dead letters"), list(counts.items()))
    return Finding(
        f"dead letters wait: {told}" if found else None, {"dead letters": sum(counts.values()), "by source": table}
    )


def sweep_runs(edge: EdgeResource, now: datetime) -> Finding:
    """When silence was last looked for."""
    last = edge.last_sweep(now)
    if last is None:
        return Finding("the sweep has not run for hours: no silence is found")
    # By the minute: it ran within the minute that began then.
    age = max(now - last - timedelta(minutes=1), timedelta(0))
    problem = f"the sweep last ran at {last:%H:%M}Z: no silence is found" if age > NOT_SWEPT_FOR else None
    return Finding(problem, {"last run (UTC)": last.isoformat(), "ago, at least (s)": round(age.total_seconds())})


@dataclass(frozen=True)
class Look:
    """A check of the edge: its name, what holds if it passes, and what to do if it does not."""

    at: Callable[[EdgeResource, datetime], Finding]
    description: str
    remedy: str

    @property
    def name(self) -> str:
        """The check's name."""
        return self.at.__name__

    def evaluate(self, edge: EdgeResource, now: datetime) -> dg.AssetCheckResult:
        """Look once."""
        found = self.at(edge, now)
        return dg.AssetCheckResult(
            asset_key=alert_episodes.key,
            check_name=self.name,
            passed=found.problem is None,
            severity=dg.AssetCheckSeverity.WARN,
            description=found.problem,
            metadata={**found.metadata, "what to do": self.remedy, "runbook": _RUNBOOK},
        )


LOOKS = (
    Look(
        people_are_told,
        f"No notification of an alert has waited for over {UNSENT_FOR.seconds // 60} minutes, but for planned work.",
        "See the log of the function that notifies, and its permissions on the topics. What waits is sent afterwards.",
    ),
    Look(
        handler_keeps_up,
        f"The handler is not more than {BEHIND_BY.seconds} seconds behind the stream.",
        "See whether the mapping is on, and the handler's errors and throttles; it catches up by itself.",
    ),
    Look(
        nothing_was_given_up,
        "No dead letters wait: of IoT rules, Firehose, the handler, scheduled calls, SNS.",
        "`python -m iot_pipeline.edge dead-letters` shows them; mend the cause, then `replay`.",
    ),
    Look(
        sweep_runs,
        f"The sweep for silence has run within {NOT_SWEPT_FOR.seconds // 60} minutes.",
        "See whether its rule of EventBridge is on, and the function's errors and throttles.",
    ),
)


def _check(look: Look) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=alert_episodes.key, name=look.name, description=look.description)
    def looked(edge: EdgeResource) -> dg.AssetCheckResult:
        return look.evaluate(edge, datetime.now(UTC))

    return looked


edge_checks = [_check(look) for look in LOOKS]
