"""A warehouse of its own with landing tables that tests fill by SQL, and dbt beside it, in this process."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from dbt.cli.main import dbtRunner
from redshift_connector.core import Connection

from iot_pipeline.warehouse.dbt_project import PROJECT_DIR, variables
from iot_pipeline.warehouse.transaction import read, run

HOUR = timedelta(hours=1)
INTERVAL = timedelta(minutes=10)
FACTS = ("fact_sensor_readings", "fact_sensor_hourly", "fact_sensor_daily", "fact_hours")
# Without the views and tests, whose building is none of these tests' business.
_MODELS = ("--select", "dimensions", "facts")


def day(number: int) -> datetime:
    """A day of November 2026."""
    return datetime(2026, 11, number, tzinfo=UTC)


@dataclass
class Models:
    """Landing tables to fill, dbt to run, facts to look at."""

    connection: Connection
    postgres: "psycopg.Connection[Any]"
    target: Path
    _loads: Iterator[int] = field(default_factory=count)
    _parsed: Any = None

    def dbt(self, *arguments: str) -> Any:
        """Run dbt, which parses the project the first time only. Returns dbt's own, loosely typed, result."""
        places = ["--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR), "--vars", variables()]
        places += ["--target-path", str(self.target), "--log-path", str(self.target)]
        if self._parsed is None:
            self._parsed = dbtRunner().invoke(["parse", "--quiet", *places]).result
        return dbtRunner(manifest=self._parsed).invoke([*arguments, "--quiet", *places])

    def build(self, *selection: str) -> None:
        """Build the models without their tests; all must succeed."""
        done = self.dbt("run", *(selection or _MODELS))
        assert done.success, done.exception or [(r.node.name, r.message) for r in done.result if r.status == "error"]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, through Redshift."""
        return read(self.connection, sql)

    def execute(self, sql: str) -> None:
        """A statement on the landing tables, through Redshift, committed."""
        run(self.connection, sql)
        self.connection.commit()

    def insert(self, table: str, rows: Iterable[Sequence[object]], columns: str = "") -> None:
        """Rows of a landing table."""
        values = ",\n".join("(" + ", ".join(_literal(cell) for cell in row) + ")" for row in rows)
        self.execute(f"INSERT INTO {table} {columns} VALUES {values}")

    def register(self, device: str, site: str = "north", since: datetime | None = None, *, interval: int = 600) -> None:
        """A device in the registry."""
        row = (device, "acme", site, "m1", device, "active", "1.0", interval, since or day(1), None, day(1))
        self.insert("registry.device_versions", [row])

    def move(self, device: str, site: str, at: datetime) -> None:
        """Another version of a device, with all but its site as in the last."""
        self.execute(
            f"""\
UPDATE registry.device_versions SET valid_to = {_literal(at)}
WHERE device_id = '{device}' AND valid_to IS NULL"""
        )
        self.register(device, site, at)

    def rename(self, site: str, name: str, at: datetime) -> None:
        """Another version of a site, with all but its name as in the last."""
        self.execute(
            f"UPDATE registry.site_versions SET valid_to = {_literal(at)} WHERE site_id = '{site}' AND valid_to IS NULL"
        )
        self.insert("registry.site_versions", [_site(site, name, at)])

    def send(
        self,
        device: str,
        first: datetime,
        hours: float = 1,
        every: timedelta = INTERVAL,
        *,
        ahead: timedelta = timedelta(0),
    ) -> list[datetime]:
        """Readings of a device whose clock is so much ahead, received as they are taken; not yet loaded.

        Returns the hours, as the device's clock has them.
        """
        taken = [first + n * every for n in range(max(int(hours * HOUR / every), 1))]
        times = [at + ahead for at in taken]
        rows = [(device, at + ahead, int(at.timestamp()), 20.5, 3.9, "acme", "north", "1.0", at, 0, 0) for at in taken]
        names = "device_id, event_time, seq, temperature, battery, tenant, site, fw, received_at, duplicates, conflicts"
        self.insert("lake.readings", rows, f"({names})")
        return sorted({t.replace(minute=0) for t in times})

    def load(self, hours: Iterable[datetime]) -> None:
        """Note these hours as loaded from a curated partition of a new version."""
        version = next(self._loads)
        wanted = ", ".join(_literal(hour) for hour in hours)
        self.execute(f"DELETE FROM lake.loads WHERE event_hour IN ({wanted})")
        self.execute(
            f"""\
INSERT INTO lake.loads
SELECT date_trunc('hour', event_time),
    's3://lake/v={version}/' || to_char(date_trunc('hour', event_time), 'YYYYMMDDHH24'),
    count(*), 0, 0, {_literal(day(30))}, 'content {version}'
FROM lake.readings
WHERE date_trunc('hour', event_time) IN ({wanted})
GROUP BY 1, 2"""
        )

    def alert(self, episode: str, device: str | None, opened: datetime, site: str = "north", **more: Any) -> None:
        """An episode that is open, unless `resolved_at` is given; `more` are further columns by name, or other values.

        Without a device it is of the whole site.
        """
        row = {
            "episode_id": episode,
            "tenant": "acme",
            "site": site,
            "device_id": device,
            "subject": f"device/{device}" if device else f"site/acme/{site}",
            "rule": "range",
            "severity": "warning",
            "status": "resolved" if "resolved_at" in more else "open",
            "flapping": False,
            "opened_at": opened,
            "recorded_at": opened + timedelta(seconds=5),
            **more,
        }
        self.insert("lake.alert_episodes", [tuple(row.values())], f"({', '.join(row)})")

    def load_alerts(self, *dates: datetime) -> None:
        """Note the alerts of these dates as loaded from partitions of a new version."""
        version = next(self._loads)
        wanted = ", ".join(_literal(date) for date in dates)
        self.execute(f"DELETE FROM lake.alert_loads WHERE opened_date IN ({wanted})")
        self.execute(
            f"""\
INSERT INTO lake.alert_loads
SELECT date_trunc('day', opened_at), 's3://lake/v={version}/', count(*), {_literal(day(30))}, 'content {version}'
FROM lake.alert_episodes
WHERE date_trunc('day', opened_at) IN ({wanted})
GROUP BY 1"""
        )

    def versions(self, table: str, column: str) -> dict[Any, set[tuple[str, str]]]:
        """By hour or date: which rows there are and which transaction wrote them. A row not touched keeps both."""
        found: dict[Any, set[tuple[str, str]]] = {}
        for key, place, writer in self.postgres.execute(f"SELECT {column}, ctid::text, xmin::text FROM marts.{table}"):
            found.setdefault(key, set()).add((place, writer))
        return found


def _literal(cell: object) -> str:
    if cell is None:
        return "NULL"
    if isinstance(cell, datetime):
        return f"TIMESTAMP '{cell:%Y-%m-%d %H:%M:%S}'"
    if isinstance(cell, bool):
        return str(cell).upper()
    return repr(cell) if isinstance(cell, int | float) else f"'{cell}'"


def _site(site: str, name: str, since: datetime) -> tuple[object, ...]:
    return ("acme", site, "c1", name, "DE", "Europe/Berlin", 52.5, 13.4, since, None, day(1))


def fill_registry(models: Models) -> None:
    """One tenant with three sites, a model and a calibrated device."""
    models.insert("registry.tenants", [("acme", "Acme", "pro", day(1))])
    models.insert("registry.customers", [("c1", "acme", "Customer", day(1))])
    models.insert("registry.site_versions", [_site(site, site, day(1)) for site in ("north", "south", "west")])
    models.insert("registry.device_models", [("m1", "Maker", "Model", "temperature,battery", 600)])
    models.insert("registry.calibrations", [("steady", "temperature", 0.1, 1.0, day(2), "lab")])
