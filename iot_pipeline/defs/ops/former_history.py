"""After an upgrade: the history that Dagster has of assets which had other names before."""

import dagster as dg

from iot_pipeline.defs.common import NOTHING_FOLLOWS_TAG
from iot_pipeline.defs.judged.assets import judged_telemetry, ledger

# What one asset of the release before is now.
FORMER_KEYS = {dg.AssetKey("raw_profile"): (judged_telemetry.key, ledger.key)}


@dg.op
def adopt_history(context: dg.OpExecutionContext) -> None:
    """Report each partition of a former asset as a materialization of the assets that it is now, unless it has one.

    The former metadata is not repeated: the event hours that it names as touched would be looked at again.
    """
    adopted = 0
    for former, successors in FORMER_KEYS.items():
        partitions = context.instance.get_materialized_partitions(former)
        for key in successors:
            for partition in sorted(partitions - context.instance.get_materialized_partitions(key)):
                context.log_event(
                    dg.AssetMaterialization(
                        key, partition=partition, metadata={"adopted from": former.to_user_string()}
                    )
                )
                adopted += 1
    context.add_output_metadata({"materializations adopted": adopted})


@dg.job(
    description=(
        "Run once after an upgrade: hours that were built under an asset's former name count as built under its new "
        "one. A second run changes nothing."
    ),
    tags={NOTHING_FOLLOWS_TAG: "true"},
)
def adopt_former_history() -> None:
    """The job has one step, for all former assets."""
    adopt_history()
