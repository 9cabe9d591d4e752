"""Which reception of a key wins: the one rule, as SQL, for whatever gathers the receptions.

`versions` is a relation of receptions grouped by key and values: device_id, event_time, seq, the values, tenant, site,
fw, received_at, `arrival` (milliseconds since the epoch times 8192, and the reading's position in its message) and
`receptions`. The group received last wins; the further receptions of its values are duplicates and those of other
values are conflicts. Of groups received in the same place of messages of the same millisecond, the values decide.
"""

from iot_pipeline.contract import Contract
from iot_pipeline.lake.transformation import EPOCH

# Of a reception: when it arrived, and before that where in its message it stood.
ARRIVAL = f"date_diff('millisecond', {EPOCH}, received_at) * 8192 + position"

# Holds in the first row of each key of `ranked`.
IS_FIRST = "event_time IS DISTINCT FROM event_time_before OR seq IS DISTINCT FROM seq_before"


def numbers(contract: Contract) -> str:
    """The columns of a reading's numbers."""
    return ", ".join([*(m.name for m in contract.metrics), "lat", "lon"])


def ranked(contract: Contract) -> str:
    """The query that ranks `versions`."""
    # One sort serves the winner, the counts and the file: the rows of a device leave the window in the order of time,
    # and neighbours that are alike make small Parquet, though CTAS promises no order.
    last_first = f"PARTITION BY device_id ORDER BY event_time, seq, arrival DESC, {numbers(contract)}, extras"
    return f"""\
    SELECT *,
        lag(event_time) OVER ({last_first}) AS event_time_before,
        lag(seq) OVER ({last_first}) AS seq_before,
        sum(receptions) OVER (
            PARTITION BY device_id ORDER BY event_time, seq
            RANGE BETWEEN CURRENT ROW AND CURRENT ROW) AS all_receptions
    FROM versions"""


def curated_columns(contract: Contract) -> str:
    """The curated columns of the winners in `ranked`."""
    return f"""\
device_id, event_time, seq, {numbers(contract)},
    CASE WHEN extras IS NOT NULL THEN CAST(json_parse(extras) AS MAP(VARCHAR, VARCHAR)) END AS extras,
    tenant, site, fw, received_at,
    receptions - 1 AS duplicates,
    CAST(all_receptions - receptions AS BIGINT) AS conflicts"""
