"""What QuickSight asks of the lake, in Athena's SQL, and by which column a tenant sees its own rows alone."""

from dataclasses import dataclass

from infra.stacks.config import PlatformConfig
from iot_pipeline.contract import Contract, tables

# The column of a tenant: in the readings, and in the rules of who sees which rows.
TENANT = "tenant"
# QuickSight holds the rows in SPICE, which bills by the gigabyte; hours of 30 days are 720 rows a device.
_DAYS = 30


@dataclass(frozen=True)
class Question:
    """A statement and the columns of its answer, each with QuickSight's type."""

    sql: str
    columns: dict[str, str]


def hourly_readings(config: PlatformConfig, contract: Contract) -> Question:
    """Each device's hours of the last 30 days: how many readings, and each metric's mean."""
    table = f"{config.database}.{tables(contract).curated_telemetry.name}"
    means = "".join(f", avg({metric.name}) AS {metric.name}" for metric in contract.metrics)
    # The year alone lets Athena leave out partitions before it compares days.
    since = f"current_date - INTERVAL '{_DAYS}' DAY"
    sql = (
        f"SELECT tenant AS {TENANT}, site, device_id, date_trunc('hour', event_time) AS hour, "
        f"count(*) AS readings{means} FROM {table} WHERE year >= date_format({since}, '%Y') "
        f"AND concat(year, month, day) >= date_format({since}, '%Y%m%d') "
        "GROUP BY tenant, site, device_id, date_trunc('hour', event_time)"
    )
    keys = {TENANT: "STRING", "site": "STRING", "device_id": "STRING", "hour": "DATETIME", "readings": "INTEGER"}
    return Question(sql, keys | {metric.name: "DECIMAL" for metric in contract.metrics})


def who_sees_whom(config: PlatformConfig) -> Question:
    """The rules of row-level security, version 2: a group of QuickSight for each tenant, and one for all tenants.

    A rule without a value for a column is for every value of it; whoever is in no rule sees nothing (QuickSight guide,
    "Using row-level security with user-based rules to restrict access to a dataset").
    """
    group = f"{_namespace(config.quicksight_owner)}:group/default/{config.name}-"
    sql = (
        f'SELECT CAST(NULL AS varchar) AS "UserARN", concat(\'{group}\', tenant_id) AS "GroupARN", '
        f"tenant_id AS {TENANT} "
        f"FROM {config.database}.registry_sites GROUP BY tenant_id "
        f"UNION ALL SELECT CAST(NULL AS varchar), '{group}administrators', CAST(NULL AS varchar)"
    )
    return Question(sql, {"UserARN": "STRING", "GroupARN": "STRING", TENANT: "STRING"})


def _namespace(owner: str) -> str:
    """The region and account of QuickSight's users, which need not be those of its data."""
    return owner.partition(":user/")[0].partition(":group/")[0]
