"""The kinds of alerts about the pipeline itself: what each means and what to do. docs/operations.md has the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of alert: what is so while one is open, which severities it has, and what a person does about it."""

    name: str
    meaning: str
    severity: str
    remedy: str


FAILED_CHECK = Kind(
    "failed_check",
    "An asset check failed when it was last evaluated.",
    "as the check: `WARN` warning, `ERROR` critical",
    "Open the check in Dagster: its metadata say what was found. It resolves when the check passes.",
)
STALE_ASSET = Kind(
    "stale_asset",
    "An asset is older than its freshness policy allows.",
    "`WARN` warning, `FAIL` critical",
    "Look for failed or queued runs of the asset and of what lies before it. It resolves when the asset is fresh.",
)
FAILED_RUN = Kind(
    "failed_run",
    "Runs failed for one cause, retries included, and what they should have built is not built yet.",
    "warning, critical after an hour",
    "The alert has the first error and what failed. Mend the cause, then re-execute from failure, or materialize the "
    "partitions: it resolves when all of them have been built, or the job has succeeded.",
)
LONG_RUN = Kind(
    "long_run",
    "A run has been at work for longer than two hours; runs take minutes.",
    "warning",
    "See the run's log for the step that hangs; terminate it and execute it again.",
)
QUEUED_RUN = Kind(
    "queued_run",
    "A run has waited for over half an hour for a pool, for its turn or for its process.",
    "warning",
    "Deployment, Concurrency in Dagster's UI shows what holds the pool; a killed run frees its place within a minute.",
)
FAILED_TICK = Kind(
    "failed_tick",
    "The last tick of a sensor or a schedule failed.",
    "warning, critical after an hour",
    "The alert has the error. It resolves with the next tick that succeeds or skips.",
)
NO_TICK = Kind(
    "no_tick",
    "A sensor that is on has not ticked for ten times its interval, and at least five minutes.",
    "warning",
    "See whether the code location loads (Deployment in Dagster's UI) and the daemon's log.",
)
DEAD_WATCHER = Kind(
    "dead_watcher",
    "The watcher outside of Dagster has not looked for five minutes: nobody would tell if Dagster's daemon died.",
    "warning",
    "Start `python -m iot_pipeline.watcher` again, and see its log.",
)
DEAD_DAEMON = Kind(
    "dead_daemon",
    "Dagster's daemon, or one of its parts, has had no heartbeat for three minutes: nothing is scheduled.",
    "critical",
    "Start the daemon again (`dagster-daemon run`, or `dagster dev`), and see its log for why it ended.",
)
BLIND_SENSOR = Kind(
    "blind_sensor",
    "Dagster's daemon lives, and the sensor `pipeline_alerts` has not looked for five minutes: no alert of the "
    "pipeline would be raised.",
    "critical",
    "See whether the sensor is on and its last tick's error, and whether the code location loads.",
)
OVER_BUDGET = Kind(
    "over_budget",
    "Athena's queries of this day (UTC) have cost more than `IOT_DAILY_BUDGET_USD`, or will if the day goes on so.",
    "warning while it is a forecast, critical once it is so",
    "The alert has dollars, queries and bytes by workgroup; the history of queries in Athena's console has each. Look "
    "for backfills, for a contract that changed, for people's queries without a partition. It resolves when the "
    "forecast is below the budget, or with the new day. The warehouse is not in it.",
)

KINDS = {
    kind.name: kind
    for kind in (
        FAILED_CHECK,
        STALE_ASSET,
        FAILED_RUN,
        LONG_RUN,
        QUEUED_RUN,
        FAILED_TICK,
        NO_TICK,
        DEAD_WATCHER,
        DEAD_DAEMON,
        BLIND_SENSOR,
        OVER_BUDGET,
    )
}
