"""Sites that have gone silent: which there are is the registry's to say, when they were heard of the ledger's."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from iot_pipeline.defs.dagster_internals import last_evaluation
from iot_pipeline.defs.evaluations import record
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.defs.ops.sites_heard import CARRIED, SitesHeard, carried_in, sites_heard
from iot_pipeline.lake.site_states import SITE_MEMORY_DAYS, RegisteredSite, State, not_registered, state_of
from iot_pipeline.resources import LakeResource, RegistryResource
from iot_pipeline.settings import policy

# In the check's metadata: what `silent_sites` reads.
SILENT = "silent sites"
# The sensor looks each minute: what it found longer ago than this may be over.
_TRUSTED = timedelta(hours=1)


def silent_sites(instance: dg.DagsterInstance) -> list[str]:
    """The sites (tenant/site) that the last look found silent.

    None if nobody has looked in the last hour, or if the registry was away.
    """
    last = last_evaluation(instance, every_site_sends.check_key, datetime.now(UTC) - _TRUSTED)
    held = last.metadata.get(SILENT) if last is not None else None
    return [str(site) for site in held.value or ()] if isinstance(held, dg.JsonMetadataValue) else []


def _arrival_by_site(
    instance: dg.DagsterInstance, lake: LakeResource, registry: RegistryResource
) -> dg.AssetCheckResult:
    now = datetime.now(UTC)
    carried = carried_in(last_evaluation(instance, every_site_sends.check_key))
    heard = sites_heard(instance, lake.open(), carried, now)
    try:
        sites = registry.sites()
    except Exception as error:  # noqa: BLE001  # whatever kept the registry from answering is said by name, and arrivals are shown
        return _unanswered(error, heard)
    return _compared(heard, sites, min(now, heard.until) - timedelta(minutes=policy().site_silence_minutes))


def _compared(heard: SitesHeard, sites: Sequence[RegisteredSite], limit: datetime) -> dg.AssetCheckResult:
    states = {site: state_of(site, heard.at.get((site.tenant, site.site)), limit) for site in sites}
    silent = [f"{site.tenant}/{site.site}" for site, state in states.items() if state is State.SILENT]
    strangers = not_registered(heard.at, sites)
    problems = [f"silent: {', '.join(silent)}"] if silent else []
    if not heard.at:
        problems.append(f"no site has sent anything in {SITE_MEMORY_DAYS} days")
    if not sites:
        problems.append("the registry has no site, so that none can be missed")
    return _result(
        problems,
        {
            **{state.value: sum(found is state for found in states.values()) for state in State},
            "not in the registry": len(strangers),
            SILENT: dg.MetadataValue.json(silent),
            "sites": markdown_table(
                ("tenant", "site", "state", "last received (UTC)"),
                [
                    (it.tenant, it.site, state.value, heard.at.get((it.tenant, it.site), ""))
                    for it, state in states.items()
                ],
            ),
            "names that are not in the registry": markdown_table(
                ("tenant", "site", "the tenant is", "like", "last received (UTC)"), strangers
            ),
            CARRIED: heard.metadata,
        },
    )


def _unanswered(error: Exception, heard: SitesHeard) -> dg.AssetCheckResult:
    reason = " ".join(str(error).split())
    rows = [(*name, at) for name, at in heard.at.items()]
    problem = (
        f"the registry did not answer ({type(error).__name__}: {reason}), so that it is not known which sites are "
        "missing. What has arrived is in the table; see that the registry can be reached"
    )
    table = markdown_table(("tenant", "site", "last received (UTC)"), rows)
    return _result([problem], {"arrivals": table, CARRIED: heard.metadata})


def _result(problems: Sequence[str], metadata: Mapping[str, dg.MetadataValue[Any] | int]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=ledger.key,
        check_name="every_site_sends",
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata=metadata,
    )


@dg.asset_check(
    asset=ledger.key,
    description=(
        f"Every site of the registry that was heard of in {SITE_MEMORY_DAYS} days was heard of in the "
        f"{policy().site_silence_minutes:g} minutes before the newest ledger, unless its devices are gone."
    ),
)
def every_site_sends(
    context: dg.AssetCheckExecutionContext, lake: LakeResource, registry: RegistryResource
) -> dg.AssetCheckResult:
    """Data arrival by site. Freshness policies cannot tell: a backfill of an old hour reads as fresh."""
    return _arrival_by_site(context.instance, lake, registry)


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the check `every_site_sends` every minute, without the cost of a run.",
)
def site_arrival(context: dg.SensorEvaluationContext, lake: LakeResource, registry: RegistryResource) -> dg.SkipReason:
    """Evaluate the check here and record it. Before the first ledger nothing can have been heard of."""
    if context.instance.get_latest_materialization_event(ledger.key) is None:
        return dg.SkipReason("nothing has been judged yet")
    result = _arrival_by_site(context.instance, lake, registry)
    record(context.instance, result)
    return dg.SkipReason(result.description or "every site sends")
