"""Jobs for a person at Dagster's UI: what a rule would have raised, and dead letters tried again."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from iot_pipeline.alerting.device_rules import checked_kind
from iot_pipeline.alerting.episodes import iso
from iot_pipeline.defs.metadata import markdown_list, markdown_table
from iot_pipeline.edge.backtest import metrics_to_read, tried
from iot_pipeline.edge.dead_letters import SOURCES
from iot_pipeline.lake.past_readings import past_readings
from iot_pipeline.resources import EdgeResource, LakeResource

_SHOWN = 100


class RuleToTry(dg.Config):
    """A rule with the parameters to try, over the last days of curated data; all devices unless narrowed."""

    rule: str = "range"
    metric: str = "temperature"
    parameters: dict[str, float] = Field(default_factory=lambda: {"warning_above": 30.0})
    days: float = 7.0
    tenant: str | None = None
    site: str | None = None
    device: str | None = None


@dg.op
def count_alerts(context: dg.OpExecutionContext, config: RuleToTry, lake: LakeResource) -> None:
    """Fold the readings as the live handler would have, and list the episodes. Nothing is changed."""
    checked_kind(config.rule, config.metric)
    until = datetime.now(UTC)
    since = until - timedelta(days=config.days)
    athena = lake.open().athena
    where = {"tenant": config.tenant, "site": config.site, "device": config.device}
    readings = past_readings(athena, metrics_to_read(config.metric), since, until, **where)
    context.log.info("%d readings of %d devices", len(readings), len({each.device for each in readings}))
    found = tried(readings, config.rule, config.metric, dict(config.parameters))
    rows = [
        (
            each.first.key.subject,
            iso(each.first.since_ms),
            iso(each.resolved_ms) if each.resolved_ms is not None else "still open",
            each.severity.label,
        )
        for each in found[:_SHOWN]
    ]
    context.add_output_metadata(
        {
            "alerts": len(found),
            "devices": len({each.first.key.subject for each in found}),
            "readings": len(readings),
            "bytes scanned": athena.scanned_bytes,
            "episodes": markdown_table(("subject", "since", "until", "severity"), rows),
        }
    )


@dg.job(description="Counts the alerts that a rule would have raised over the last days of curated data.")
def try_alert_rule() -> None:
    """The job has one step."""
    count_alerts()


class LettersToReplay(dg.Config):
    """Dead letters of which sources; docs/edge.md says what each is."""

    sources: list[str] = Field(default_factory=lambda: list(SOURCES))


@dg.op
def replay_letters(context: dg.OpExecutionContext, config: LettersToReplay, edge: EdgeResource) -> None:
    """Replay; what cannot be replayed stays, and is named. Fails if anything stays."""
    replayer, replayed, stays = edge.replayer(), 0, []
    for source in config.sources:
        for letter, result in replayer.run(source):
            context.log.info("%s %s: %s", source, letter.id, result)
            replayed += result == "replayed"
            if result != "replayed":
                stays.append(f"{source} {letter.id}: {result}")
    context.add_output_metadata({"replayed": replayed, "stay": markdown_list(stays)})
    if stays:
        raise dg.Failure(f"{len(stays)} dead letters cannot be replayed; the first: {stays[0]}")


@dg.job(description="Tries dead letters again, after what made them fail is repaired. Safe to repeat.")
def replay_dead_letters() -> None:
    """The job has one step."""
    replay_letters()
