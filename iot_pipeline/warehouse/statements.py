"""Every statement the loads issue, in Redshift's SQL. Pure text: a test renders them all into snapshots."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from iot_pipeline.contract import Contract
from iot_pipeline.lake.hours import Day, Hour, contiguous
from iot_pipeline.lake.notes import Counts
from iot_pipeline.warehouse.tables import EPISODE_LOADS, LOADS, LandingColumn, LandingTable, readings

_READINGS = "lake.readings"
_EPISODES = "lake.alert_episodes"
_LOCATION = re.compile(r"s3://[^/'\\\s]+/[^'\\\s]*")
# Releases before content ids were sums noted what a partition was built from, in words.
_CONTENT = re.compile(r"[^'\\\x00-\x1f]*")


def existing_schemas() -> str:
    """The names of the schemas there are."""
    return "SELECT nspname FROM pg_namespace"


def create_table(table: LandingTable) -> str:
    """A landing table."""
    columns = ",\n    ".join(f"{column.name} {column.type}" for column in table.columns)
    return f"CREATE TABLE IF NOT EXISTS {table.full_name} (\n    {columns}\n)\n{table.physical}".rstrip()


def create_readings(contract: Contract) -> str:
    """The table of the readings, with a column for each metric of the contract."""
    return create_table(readings(contract))


def add_column(table: LandingTable, column: LandingColumn) -> str:
    """A column that is new in the contract. Redshift adds one column a statement ("ALTER TABLE", ADD COLUMN)."""
    return f"ALTER TABLE {table.full_name} ADD COLUMN {column.name} {column.type}"


def existing_columns() -> str:
    """The columns that the landing tables have, by table."""
    return """\
SELECT table_schema || '.' || table_name AS full_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema IN ('lake', 'registry')"""


def lock(lock_table: LandingTable) -> str:
    """Wait for the other sessions that lock this table; held until the transaction ends.

    As the first statement it comes before the transaction's snapshot is taken, which LOCK does not do (Redshift
    database developer guide, "Serializable isolation").
    """
    return f"LOCK TABLE {lock_table.full_name}"


def loads() -> str:
    """What is loaded: the content id of each event hour."""
    return f"SELECT event_hour, content\nFROM {LOADS.full_name}"


def loads_of_hours(hours: Iterable[Hour]) -> str:
    """What is loaded of these event hours, as it was noted."""
    wanted = ", ".join(hour.sql for hour in sorted(set(hours)))
    return f"""\
SELECT event_hour, content, readings, duplicates, conflicts
FROM {LOADS.full_name}
WHERE event_hour IN ({wanted})"""


def loads_are_there() -> str:
    """One row: 1 once the first load has made its tables, 0 before."""
    return _is_there(*LOADS.full_name.split("."))


def facts_are_there() -> str:
    """One row: 1 once dbt has built the books of the facts, 0 before."""
    return _is_there("marts", "fact_hours")


def _is_there(schema: str, table: str) -> str:
    return f"""\
SELECT count(*)
FROM information_schema.tables
WHERE table_schema = '{schema}'
    AND table_name = '{table}'"""


def loads_without_facts(hours: Iterable[Hour]) -> str:
    """Those of these event hours that are loaded, and whose facts are not of that load."""
    wanted = ", ".join(hour.sql for hour in sorted(set(hours)))
    return f"""\
SELECT loads.event_hour
FROM {LOADS.full_name} AS loads
LEFT JOIN marts.fact_hours AS facts ON facts.event_hour = loads.event_hour
WHERE loads.event_hour IN ({wanted})
    AND (facts.content IS NULL OR facts.content <> loads.content)"""


def readings_of_hours(hours: Iterable[Hour]) -> str:
    """What is there of these event hours, counted."""
    ranges = "\n    OR ".join(f"({_between(first, last)})" for first, last in contiguous(hours))
    return f"""\
SELECT date_trunc('hour', event_time) AS event_hour, count(*) AS readings, sum(duplicates) AS duplicates,
    sum(conflicts) AS conflicts
FROM {_READINGS}
WHERE {ranges}
GROUP BY 1"""


def delete_readings(event_hour: Hour) -> str:
    """Remove an event hour's readings."""
    return f"DELETE FROM {_READINGS}\nWHERE {_between(event_hour, event_hour)}"


def copy_readings(location: str, columns: Sequence[str], role_arn: str) -> str:
    """Load a curated partition, whose columns are those it was built with.

    Parquet is loaded by position, so that the list of columns must be the files' own; a column it leaves out becomes
    null (Redshift database developer guide, "COPY from columnar data formats", "Column mapping options").
    """
    return _copy(_READINGS, columns, location, role_arn) + " SERIALIZETOJSON"


def delete_load(event_hour: Hour) -> str:
    """Forget what was noted of an event hour."""
    return f"DELETE FROM {LOADS.full_name}\nWHERE event_hour = {event_hour.sql}"


def insert_load(event_hour: Hour, content: str, location: str, counts: Counts, loaded_at: datetime) -> str:
    """Note what was loaded of an event hour, and when (UTC)."""
    numbers = f"{counts.rows}, {counts.duplicates}, {counts.conflicts}"
    moment = f"TIMESTAMP '{loaded_at:%Y-%m-%d %H:%M:%S.%f}'"
    return f"""\
INSERT INTO {LOADS.full_name} ({", ".join(LOADS.column_names)})
VALUES ({event_hour.sql}, '{_checked(location)}', {numbers}, {moment}, '{_checked_content(content)}')"""


def loads_without_content() -> str:
    """The loads that were noted before content ids were: event hour and location."""
    return f"SELECT event_hour, location\nFROM {LOADS.full_name}\nWHERE content IS NULL"


def note_contents(contents: Mapping[Hour, str]) -> str:
    """Note the content ids of loads."""
    noted = "\n    UNION ALL ".join(
        f"SELECT {hour.sql} AS event_hour, '{_checked_content(content)}' AS content"
        for hour, content in sorted(contents.items())
    )
    return f"""\
UPDATE {LOADS.full_name}
SET content = noted.content
FROM (
    {noted}
) AS noted
WHERE noted.event_hour = loads.event_hour"""


def fact_hours_columns() -> str:
    """The columns of the books of the facts; none before dbt first ran."""
    return """\
SELECT column_name
FROM information_schema.columns
WHERE table_schema = 'marts' AND table_name = 'fact_hours'"""


def add_content_of_facts() -> str:
    """A column for what the facts of an hour were built from, in books that were made before content ids were."""
    return "ALTER TABLE marts.fact_hours ADD COLUMN content varchar(1024)"


def note_contents_of_facts() -> str:
    """Give the facts the content ids of the loads that they were built from."""
    return f"""\
UPDATE marts.fact_hours
SET content = coalesce(loads.content, loads.location)
FROM {LOADS.full_name} AS loads
WHERE loads.event_hour = fact_hours.event_hour AND loads.location = fact_hours.location"""


def orphaned_readings() -> str:
    """Readings of event hours that no load accounts for; none is expected."""
    return f"""\
SELECT counted.event_hour, counted.readings
FROM (
    SELECT date_trunc('hour', event_time) AS event_hour, count(*) AS readings
    FROM {_READINGS}
    GROUP BY 1
) AS counted
LEFT JOIN {LOADS.full_name} ON loads.event_hour = counted.event_hour
WHERE loads.event_hour IS NULL
ORDER BY 1"""


def episode_loads(days: Iterable[Day] | None = None) -> str:
    """What is loaded of the alerts: the content id and the episodes of these days, or of each."""
    wanted = "" if days is None else f"\nWHERE opened_date IN ({', '.join(day.sql for day in sorted(set(days)))})"
    return f"SELECT opened_date, content, episodes\nFROM {EPISODE_LOADS.full_name}{wanted}"


def count_episodes(day: Day) -> str:
    """The episodes that opened on a day, as they are loaded: rows, and ids, of which none may be there twice."""
    return f"SELECT count(*), count(DISTINCT episode_id)\nFROM {_EPISODES}\nWHERE {_of_day(day)}"


def delete_episodes(day: Day) -> str:
    """Remove the episodes that opened on a day."""
    return f"DELETE FROM {_EPISODES}\nWHERE {_of_day(day)}"


def copy_episodes(location: str, columns: Sequence[str], role_arn: str) -> str:
    """Load a day's partition of the alerts' history, whose columns are those it was built with."""
    return _copy(_EPISODES, columns, location, role_arn)


def delete_episode_load(day: Day) -> str:
    """Forget what was noted of a day's alerts."""
    return f"DELETE FROM {EPISODE_LOADS.full_name}\nWHERE opened_date = {day.sql}"


def insert_episode_load(day: Day, content: str, location: str, counts: Counts, loaded_at: datetime) -> str:
    """Note what was loaded of a day's alerts, and when (UTC)."""
    moment = f"TIMESTAMP '{loaded_at:%Y-%m-%d %H:%M:%S.%f}'"
    return f"""\
INSERT INTO {EPISODE_LOADS.full_name} ({", ".join(EPISODE_LOADS.column_names)})
VALUES ({day.sql}, '{_checked(location)}', {counts.rows}, {moment}, '{_checked_content(content)}')"""


def delete_all(table: LandingTable) -> str:
    """Empty a table within the transaction, as TRUNCATE would not: it commits."""
    return f"DELETE FROM {table.full_name}"


def copy_registry(table: LandingTable, location: str, role_arn: str) -> str:
    """Load one table of a registry snapshot."""
    return _copy(table.full_name, table.column_names, location, role_arn)


def count_all(table: LandingTable) -> str:
    """Rows of a table."""
    return f"SELECT count(*)\nFROM {table.full_name}"


def last_recorded(table: LandingTable) -> str:
    """When the newest of a table's versions was recorded."""
    return f"SELECT max(recorded_at)\nFROM {table.full_name}"


def overlapping_versions(table: LandingTable, key: Sequence[str]) -> str:
    """Versions of one thing of which two hold at the same time; none is expected."""
    columns = ", ".join(key)
    return f"""\
SELECT {columns}, valid_from, valid_to, next_from
FROM (
    SELECT {columns}, valid_from, valid_to,
        lead(valid_from) OVER (PARTITION BY {columns} ORDER BY valid_from) AS next_from
    FROM {table.full_name}
) AS versions
WHERE valid_to <= valid_from OR next_from < coalesce(valid_to, TIMESTAMP '9999-12-31 00:00:00')
ORDER BY {columns}, valid_from
LIMIT 100"""


def _copy(table: str, columns: Sequence[str], location: str, role_arn: str) -> str:
    return f"""\
COPY {table} ({", ".join(columns)})
FROM '{_checked(location)}'
IAM_ROLE '{role_arn}'
FORMAT AS PARQUET"""


def _checked_content(content: str) -> str:
    """A content id as a partition notes it, of which the same is true. Raises ValueError."""
    if not _CONTENT.fullmatch(content):
        raise ValueError(f"{content!r} is not a content id that may stand in a statement")
    return content


def _checked(location: str) -> str:
    """A location as it stands in Glue, which anybody with Glue's permissions can write. Raises ValueError."""
    if not _LOCATION.fullmatch(location):
        raise ValueError(f"{location!r} is not a location in S3 that may stand in a statement")
    return location


def _of_day(day: Day) -> str:
    return f"opened_at >= {day.sql} AND opened_at < {(day + 1).sql}"


def _between(first: Hour, last: Hour) -> str:
    return f"event_time >= {first.sql} AND event_time < {(last + 1).sql}"
