"""Which reception of a key wins: the one rule, as SQL, for whatever holds the receptions.

Receptions are grouped by key and values. The group received last wins; the further receptions of its values are
duplicates and those of other values are conflicts. Of groups received in the same place of messages of the same
millisecond, the values decide.
"""

from iot_pipeline.contract import Contract
from iot_pipeline.lake.transformation import EPOCH

# Of a reception: the millisecond in which it arrived, and within it where in its message it stood.
_ARRIVAL = f"date_diff('millisecond', {EPOCH}, received_at) * 8192 + position"

# Holds in the first row of each key of `ranked`.
IS_FIRST = "event_time IS DISTINCT FROM event_time_before OR seq IS DISTINCT FROM seq_before"


def ranked(contract: Contract, receptions: str, source: str) -> str:
    """The common table expressions that end in `ranked`, without the word WITH: a row a key and values.

    `source` is where valid readings come from, from FROM on: with the key, the values, tenant, site, fw, received_at
    and `position`, the reading's in its message. `receptions` counts those of a group.
    """
    values = f"{_numbers(contract)}, extras"
    # One sort serves the winner, the counts and the file: the rows of a device leave the window in the order of time,
    # and neighbours that are alike make small Parquet, though CTAS promises no order.
    last_first = f"PARTITION BY device_id ORDER BY event_time, seq, arrival DESC, {values}"
    return f"""\
versions AS (
    SELECT device_id, event_time, seq, {values},
        max(tenant) AS tenant, max(site) AS site, max(fw) AS fw,
        max(received_at) AS received_at,
        max({_ARRIVAL}) AS arrival,
        {receptions} AS receptions
    {source}
    GROUP BY device_id, event_time, seq, {values}
),
ranked AS (
    SELECT *,
        lag(event_time) OVER ({last_first}) AS event_time_before,
        lag(seq) OVER ({last_first}) AS seq_before,
        sum(receptions) OVER (
            PARTITION BY device_id ORDER BY event_time, seq
            RANGE BETWEEN CURRENT ROW AND CURRENT ROW) AS all_receptions
    FROM versions
)"""


def curated_columns(contract: Contract) -> str:
    """The curated columns of the winners in `ranked`."""
    return f"""\
device_id, event_time, seq, {_numbers(contract)},
    CASE WHEN extras IS NOT NULL THEN CAST(json_parse(extras) AS MAP(VARCHAR, VARCHAR)) END AS extras,
    tenant, site, fw, received_at,
    receptions - 1 AS duplicates,
    CAST(all_receptions - receptions AS BIGINT) AS conflicts"""


def _numbers(contract: Contract) -> str:
    """The columns of a reading's numbers."""
    return ", ".join([*(m.name for m in contract.metrics), "lat", "lon"])
