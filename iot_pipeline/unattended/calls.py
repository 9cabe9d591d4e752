"""What each of Dagster's schedules, sensors and conditions calls when it runs: the part that no definition says.

A schedule, sensor or condition without an entry here fails a test, and so does an entry of what is no more.
"""

from dataclasses import dataclass

from iot_pipeline.backfill.plan import STATEMENTS, Zone
from iot_pipeline.lake.pricing import DOLLARS_PER_TERABYTE, MINIMUM_BYTES, query_cost

_JUDGED, _CURATED = STATEMENTS[Zone.JUDGED], STATEMENTS[Zone.CURATED]
_DAGSTER_ONLY = "reads Dagster's own storage alone"


@dataclass(frozen=True)
class Calls:
    """What one run of a thing calls.

    `athena`: statements that it always runs, each of which is billed at least MINIMUM_BYTES. `reads` says what those
    scan, `others` what else it calls; of both no price is stated unless the text has one. `records`: the checks whose
    evaluations it reports.
    """

    others: str
    athena: int = 0
    reads: str = ""
    records: tuple[str, ...] = ()

    def cost(self, times_a_day: int | None) -> str:
        """What it costs, with the basis; `times_a_day`: how often it runs, if that is known."""
        if not self.athena:
            return f"No Athena. {_sentence(self.others)}"
        floor = self.athena * query_cost(1)
        statements = f"{self.athena} statement{'s' if self.athena > 1 else ''}"
        told = f"Athena: {statements}, {self.reads}; at least {floor:.5f} USD"
        if times_a_day:
            told += f" each time, {floor * times_a_day:.5f} USD a day"
        return f"{told}. {_sentence(self.others)}".rstrip()


BASIS = (
    f"Athena bills {DOLLARS_PER_TERABYTE:g} USD a terabyte scanned and at least {MINIMUM_BYTES // 1024**2} MB a "
    "statement (`iot_pipeline/lake/pricing.py`): what is stated is that minimum; what a run did scan stands in its "
    "metadata (`bytes scanned`, `query cost (USD)`), and the alert `over_budget` adds up all of it. Redshift "
    "Serverless bills the time in which it answers, a minute at least (Redshift pricing page, 0.375 USD an RPU-hour in "
    "us-east-1), so that whatever asks it more often than once a minute keeps it awake. Where no price is given, the "
    "product has no statement of one."
)

SENSORS = {
    "raw_objects": Calls("SQS: one call to receive, and one more to receive and one to delete for ten notifications"),
    "stale_event_hours": Calls("Only if a ledger is new: Glue's partitions of the hours that it touches"),
    "sweep_stale_arrivals": Calls(
        "Glue: the partitions of 24 hours. One statement of Athena over their ledger where the contract has changed "
        "since they were judged"
    ),
    "unloaded_event_hours": Calls("Only if hours were curated: Glue's partitions of those, one query of Redshift"),
    "stale_models": Calls(_DAGSTER_ONLY),
    "automation": Calls(_DAGSTER_ONLY),
    "pipeline_alerts": Calls("Reads Dagster's own storage. DynamoDB: three reads, and one write if anything changed"),
    "site_arrival": Calls(
        "The registry: one query, which keeps Aurora awake. Only if a ledger is new that no run has looked at: one "
        "statement of Athena, over its names, counts and times; once a day over those of 7 days",
        records=("every_site_sends",),
    ),
    "closed_hours_watch": Calls(
        "Glue: the partitions of 24 hours, three times. S3: a listing for each hour without a ledger. Redshift: three "
        "queries, each time at least a minute: 144 minutes a day of 8 RPU are 7.20 USD if nothing else keeps it awake",
        records=("closed_hours_are_built",),
    ),
    "arrived_objects": Calls(
        f"{_DAGSTER_ONLY}. If it is on, a crawl as `daily_crawl` has, at most once in `IOT_CRAWL_ON_ARRIVAL_MINUTES`"
    ),
    "spending_watch": Calls("Athena's list of queries: two calls for 50 of them, which scan nothing"),
    "edge_health": Calls(
        "0.86 USD a month, most of it CloudWatch's two listings a look (basis: [below](#the-edge-is-not-well))",
        records=("people_are_told", "handler_keeps_up", "nothing_was_given_up", "sweep_runs"),
    ),
}

SCHEDULES = {
    "close_hour": Calls(
        "Glue and S3: publishing one hour in four tables",
        athena=_JUDGED + _CURATED,
        reads="the hour's raw bytes twice, its judged rows about twice",
    ),
    "sweep_stale_hours": Calls(
        "Glue: the partitions of up to 24 hours and of what they touch. A run only if any is stale"
    ),
    "sweep_unloaded_hours": Calls(
        "Glue: the partitions of up to 24 hours. Redshift: one query. A run only if any differs"
    ),
    "compact_days": Calls(
        "Glue: the notes of days and hours. Two statements of Athena for each day that has changed, over its hours"
    ),
    "sweep_stored_objects": Calls(
        "S3: listings of 48 hours in five zones",
        athena=5,
        reads="counts of 48 hours in four tables, from Parquet's footers where the engine can",
    ),
    "daily_crawl": Calls(
        "Glue: two crawls of the folders that are new, billed by the DPU-hour with a minimum a crawl",
        records=("raw_schema_is_known", "curated_schema_is_the_contracts"),
    ),
    "daily_drift": Calls("", athena=2, reads="judged rows of 24 hours: names, firmware, all metrics and extras"),
    "hourly_expected": Calls(
        "The registry: one query. Glue: the partitions of the hours that may touch it",
        athena=1,
        reads="tenant, site and device of one curated hour",
    ),
    "daily_clean_up": Calls(
        "S3: listings of what was built since the day before, of everything once a week; Glue's tables"
    ),
    "daily_retention": Calls(
        "Nothing where no `IOT_RETENTION_...` is set. Else Glue's partitions and S3's listings of what is past it, and "
        "the registry: one query"
    ),
    "daily_pruning": Calls("Dagster's own storage: deletes"),
    "regular_export": Calls(
        "DynamoDB: 0.5 to 1 read unit where nothing has changed, under 0.0003 USD a day (basis: "
        "[below](#the-history-of-the-alerts)). Redshift only for days that have changed"
    ),
}

# By the key of the asset, or by `asset:check`.
CONDITIONS = {
    "judged_telemetry": Calls(
        "Glue and S3: publishing; only when raw objects came", athena=_JUDGED, reads="the hours' raw bytes twice"
    ),
    "quarantined_telemetry": Calls("In the run of `judged_telemetry`, and in its statements"),
    "registry_snapshot": Calls("The registry: one transaction. Redshift: eight tables loaded whole, a minute at least"),
    "registry_history": Calls("The registry: one transaction. S3: two objects written"),
    "ledger:erased_devices_send_nothing": Calls(
        "The registry: one query", athena=1, reads="tenants and devices of the judged rows of two days"
    ),
    "alert_rules": Calls("The registry: a few queries. S3: one read, and two writes if anything has changed"),
    "dbt_docs": Calls("Redshift: its catalog. S3: three objects"),
    "warehouse_readings:no_orphaned_readings": Calls("Redshift: one query over all readings' hours"),
}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
