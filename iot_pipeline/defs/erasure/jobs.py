"""Carrying out an erasure as a run, and the check that nothing of an erased device comes again."""

from datetime import UTC, datetime

import dagster as dg

from iot_pipeline.alert_history.progress import ExportBusyError
from iot_pipeline.defs.common import JUDGE_POOL, NOTHING_FOLLOWS_TAG
from iot_pipeline.defs.erasure.history import DagsterHistory
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.erasure.lake_steps import ErasureBusyError
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Hour
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.resources import ErasureResource, LakeResource

# A daily look at two days leaves no hour out, also where one look has failed.
LOOKED_AT_HOURS = 48


class ErasureToRun(dg.Config):
    """The id of an erasure, as `python -m iot_pipeline.erasure plan` printed it: no configuration names whom it erases.

    `since` (ISO 8601 with a zone) leaves out objects that were written before.
    """

    erasure_id: str
    since: str | None = None


@dg.op(pool=JUDGE_POOL)
def erase_subject(context: dg.OpExecutionContext, config: ErasureToRun, erasure: ErasureResource) -> None:
    """Carry it out, or go on where a run was interrupted."""

    def at_step(number: int, steps: int, name: str) -> None:
        context.log.info("step %d of %d: %s", number, steps, name)

    since = datetime.fromisoformat(config.since).astimezone(UTC) if config.since else None
    try:
        done = erasure.eraser(DagsterHistory(context.instance), since, at_step).run(config.erasure_id)
    except (RegistryError, ErasureBusyError, ExportBusyError) as error:
        raise dg.Failure(str(error)) from error
    counts = [*done["counts"].items(), *((f"lines of {hour}", lines) for hour, lines in done["lines"].items())]
    context.add_output_metadata({"erased": markdown_table(("what", "how many"), counts)})


@dg.job(
    description=(
        "Carries out an erasure that `python -m iot_pipeline.erasure plan` has put on record. Safe to run again after "
        "whatever ended it."
    ),
    tags={NOTHING_FOLLOWS_TAG: "true"},
)
def erase() -> None:
    """The job has one step."""
    erase_subject()


@dg.asset_check(
    asset=ledger.key,
    automation_condition=dg.AutomationCondition.cron_tick_passed("20 4 * * *"),  # type: ignore[arg-type]  # works on checks too
    description=f"In the last {LOOKED_AT_HOURS} arrival hours nothing has come of a device or tenant that was erased.",
)
def erased_devices_send_nothing(lake: LakeResource, erasure: ErasureResource) -> dg.AssetCheckResult:
    """Hold the salted hash of each erasure against the names that have sent. Looked at daily."""
    done = [each for each in erasure.erasures() if each.state == "done"]
    last = Hour.of(datetime.now(UTC))
    sql = statements.senders(last + -LOOKED_AT_HOURS, last)
    found = set()
    for *keys, tenant, device in lake.open().athena.run(sql).rows if done else ():
        for each in done:
            name = device if each.kind == "device" else tenant
            if name is not None and each.is_of(each.kind, name):
                found.add((each.erasure_id, Hour.from_values(keys)))
    rows = [(erasure_id, hour) for erasure_id, hour in sorted(found)]
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(rows)} hours have something of who was erased: erase again" if rows else None,
        metadata={"erasures": len(done), "what came again": markdown_table(("erasure", "arrival hour"), rows)},
    )
