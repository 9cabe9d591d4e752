"""Readings of the past, device by device, from the curated table."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from iot_pipeline.contract.curated_reading import CuratedReading
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.hours import Hour, partition_range


def past_readings(
    athena: Athena,
    metrics: Sequence[str],
    since: datetime,
    until: datetime,
    *,
    tenant: str | None = None,
    site: str | None = None,
    device: str | None = None,
) -> list[CuratedReading]:
    """The curated readings with event times from `since` to `until` (aware), device by device in order of time.

    Reads the event hours' partitions and, of their columns, the metrics and what names a reading. Raises
    pyathena.error.OperationalError with Athena's reason.
    """
    where = [*_where(since, until, tenant, site, device)]
    where.append(f"({' OR '.join(f'{metric} IS NOT NULL' for metric in metrics)})")
    sql = (
        "SELECT tenant, site, device_id, CAST(round(to_unixtime(event_time) * 1000) AS bigint), seq, "
        f"{', '.join(metrics)}\nFROM curated_telemetry\nWHERE {' AND '.join(where)}\n"
        "ORDER BY device_id, event_time, seq"
    )
    first_ms, last_ms = (int(moment.timestamp() * 1000) for moment in (since, until))
    return [each for each in _read(athena, sql, metrics) if first_ms <= each.at_ms <= last_ms]


def count_past_readings(
    athena: Athena,
    since: datetime,
    until: datetime,
    *,
    tenant: str | None = None,
    site: str | None = None,
    device: str | None = None,
) -> int:
    """How many curated readings the event hours from `since` to `until` (aware) have. Raises as `past_readings`."""
    where = " AND ".join(_where(since, until, tenant, site, device))
    return int(athena.run(f"SELECT count(*) AS readings\nFROM curated_telemetry\nWHERE {where}").rows[0][0])


def _where(since: datetime, until: datetime, tenant: str | None, site: str | None, device: str | None) -> Iterator[str]:
    yield partition_range(Hour.of(since), Hour.of(until))
    for column, value in {"tenant": tenant, "site": site, "device_id": device}.items():
        if value is not None:
            yield f"{column} = {_literal(value)}"


def _read(athena: Athena, sql: str, metrics: Sequence[str]) -> Iterator[CuratedReading]:
    for tenant, site, device, at_ms, seq, *values in athena.run(sql).rows:
        held = {name: value for name, value in zip(metrics, values, strict=True) if value is not None}
        yield CuratedReading(tenant, site, device, at_ms, seq, held)


def _literal(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
