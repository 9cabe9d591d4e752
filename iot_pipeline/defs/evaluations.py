"""What a check found, recorded without a run or among the events of one."""

import dagster as dg


def evaluation_of(check: dg.AssetCheckResult, *, blocking: bool = False) -> dg.AssetCheckEvaluation:
    """The event of a check's result. Raises ValueError for one that does not name itself and its asset."""
    if check.asset_key is None or check.check_name is None:
        raise ValueError(f"a check that is recorded here must name itself and its asset: {check}")
    return dg.AssetCheckEvaluation(
        asset_key=check.asset_key,
        check_name=check.check_name,
        passed=check.passed,
        metadata=check.metadata,
        severity=check.severity,
        description=check.description,
        blocking=blocking,
    )


def record(instance: dg.DagsterInstance, check: dg.AssetCheckResult) -> None:
    """Record a check's result at once, without the cost of a run. Raises as `evaluation_of`."""
    instance.report_runless_asset_event(evaluation_of(check))
