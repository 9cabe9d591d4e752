"""Sites that have gone silent, told from the ledger."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource
from iot_pipeline.settings import policy

# How far back a site is remembered: one that was silent for longer is no longer missed.
SITE_MEMORY_HOURS = 24 * 7


def _arrival_by_site(lake: LakeResource) -> dg.AssetCheckResult:
    now = datetime.now(UTC)
    last = Hour.of(now)
    sites = lake.open().athena.run(statements.last_arrival_by_site(last + -SITE_MEMORY_HOURS, last)).rows
    limit = now - timedelta(minutes=policy().site_silence_minutes)
    silent = [f"{tenant}/{site}" for tenant, site, at, _ in sites if at.replace(tzinfo=UTC) < limit]
    return dg.AssetCheckResult(
        asset_key=ledger.key,
        check_name="every_site_sends",
        passed=bool(sites) and not silent,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"silent: {', '.join(silent)}" if silent else None if sites else "no site has sent anything",
        metadata={
            "silent": len(silent),
            "sites": markdown_table(("tenant", "site", "last received (UTC)", "readings"), sites),
        },
    )


@dg.asset_check(
    asset=ledger.key,
    description=f"Every site of the last week was heard of in the last {policy().site_silence_minutes:g} minutes.",
)
def every_site_sends(lake: LakeResource) -> dg.AssetCheckResult:
    """Data arrival by site. Freshness policies cannot tell: a backfill of an old hour reads as fresh."""
    return _arrival_by_site(lake)


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the check `every_site_sends` every minute, without the cost of a run.",
)
def site_arrival(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SkipReason:
    """Evaluate the check here and record it. Before the first ledger nobody can tell which sites there are."""
    if context.instance.get_latest_materialization_event(ledger.key) is None:
        return dg.SkipReason("nothing has been judged yet")
    result = _arrival_by_site(lake)
    context.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=ledger.key,
            check_name=every_site_sends.check_key.name,
            passed=result.passed,
            severity=result.severity,
            description=result.description,
            metadata=result.metadata,
        )
    )
    return dg.SkipReason(result.description or "every site sends")
