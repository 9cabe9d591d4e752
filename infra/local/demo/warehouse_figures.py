"""What the warehouse holds, for the demo's report: each figure by a query of its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.local.session.fleet_commands import Move
from iot_pipeline.lake.balances import EventHourBalance
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.warehouse.transaction import read


@dataclass(frozen=True)
class Split:
    """Facts of a device that was moved: how many at each site before and from the move on."""

    move: Move
    before: dict[str, int]
    since: dict[str, int]

    @property
    def is_right(self) -> bool:
        """Whether all facts before the move are at the old site and all others at the new one, and there are both."""
        return set(self.before) == {self.move.old_site} and set(self.since) == {self.move.new_site}


@dataclass(frozen=True)
class Facts:
    """The facts, counted in the fact table itself, and the dimensions."""

    by_hour: dict[Hour, int]
    of_unknown_sensors: int
    sensors: int
    sensor_versions: int
    location_versions: int
    split: Split

    def wrong_hours(self, curated: Iterable[EventHourBalance]) -> list[Hour]:
        """Event hours in which the facts are not as many as the curated rows."""
        rows = {balance.hour: balance.built.rows for balance in curated if balance.built.rows}
        return sorted(hour for hour in {*rows, *self.by_hour} if rows.get(hour) != self.by_hour.get(hour))


def facts(move: Move) -> Facts:
    """The facts and dimensions that the warehouse holds, and how the moved device is seen before and after its move."""
    with WarehouseResource().connect() as connection:
        by_hour = read(connection, "SELECT event_hour, count(*) FROM marts.fact_sensor_readings GROUP BY event_hour")
        unknown = "SELECT count(*) FROM marts.fact_sensor_readings WHERE sensor_key = 'unknown'"
        ((of_unknown,),) = read(connection, unknown)
        known = "FROM marts.dim_sensor WHERE sensor_key <> 'unknown'"
        ((sensors, versions),) = read(connection, f"SELECT count(DISTINCT device_id), count(*) {known}")
        ((locations,),) = read(connection, "SELECT count(*) FROM marts.dim_location WHERE location_key <> 'unknown'")
        at = f"TIMESTAMP '{move.at:%Y-%m-%d %H:%M:%S}'"
        moved = read(
            connection,
            f"""\
SELECT f.event_time >= {at} AS since, l.site_id, count(*)
FROM marts.fact_sensor_readings f
JOIN marts.dim_location l ON l.location_key = f.location_key
WHERE f.device_id = '{move.device_id}'
GROUP BY f.event_time >= {at}, l.site_id""",
        )
    return Facts(
        by_hour={Hour.from_sql(hour): int(count) for hour, count in by_hour},
        of_unknown_sensors=int(of_unknown),
        sensors=int(sensors),
        sensor_versions=int(versions),
        location_versions=int(locations),
        split=Split(
            move,
            {site: int(count) for since, site, count in moved if not since},
            {site: int(count) for since, site, count in moved if since},
        ),
    )
