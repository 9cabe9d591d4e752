"""An hour's share of a day's work for `make up`: messages of devices, queries of people, loads of the pipeline."""

import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from pyathena.error import OperationalError

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.servers.patience import wait_while_it_moves
from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.connections.warehouse import open_loader
from iot_pipeline.contract import PARTITION_KEYS, tables
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.hours import Hour
from iot_pipeline.settings import deployment
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.transaction import run, writing
from simulator.enrolment import LIST_FILE, enrol
from simulator.fleet import Fleet, make_fleet

PACK = 5
# `{hour}` is a partition's condition, `{n}` a number that makes each text another one.
_QUERIES = (
    "SELECT tenant, site, count(*), avg(temperature) FROM curated_telemetry WHERE {hour} AND seq <> {n} GROUP BY 1, 2",
    "SELECT device_id, max_by(temperature, event_time) FROM curated_telemetry WHERE {hour} AND seq > {n} GROUP BY 1",
    "SELECT reason, count(*) AS records FROM quarantined_telemetry WHERE {hour} AND position <> {n} GROUP BY 1",
    "SELECT outcome, sum(readings) FROM ledger WHERE {hour} AND readings <> {n} GROUP BY 1 ORDER BY 2 DESC",
    "SELECT device_id, seq, lag(seq) OVER (ORDER BY seq) FROM curated_telemetry WHERE {hour} AND seq <> {n} LIMIT 500",
    "SELECT * FROM curated_telemetry WHERE {hour} AND seq <> {n} LIMIT 900",
    "SELECT count(*), sum(cardinality(readings)) FROM raw_telemetry WHERE {hour} AND iot_received_at <> {n}",
    "SHOW PARTITIONS curated_telemetry",
    "SELECT nothing_of_the_kind_{n} FROM curated_telemetry",
)
_REFUSED = _QUERIES[-1]


@dataclass
class DayWork:
    """A day's work, done by the hour; `done` counts it by kind. `fleet` is the folder of devices of its own."""

    fleet: Path
    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("messages", "queries", "loads"), 0))

    def publish(self, hour: Hour, messages: int) -> None:
        """A backlog of one hour, every fault on, over mTLS. Raises LocalError unless each message is answered."""
        span = ["--history", "1h", "--until", (hour + 1).start.isoformat(), "--readings", str(messages * PACK)]
        out = self.fleet / f"out-{hour.start:%d-%H}"
        options = [*span, "--pack", str(PACK), "--faults", "all", "--fault", "late=0", "--out", str(out)]
        _command("simulator", "run", str(self.fleet), *options)
        self.done["messages"] += messages

    def query(self, count: int) -> None:
        """So many statements of people, one after the other, each another text. One in nine is refused, as it must."""
        where = deployment()
        athena, hours = Athena(where.people_workgroup, where.glue_database, poll_seconds=0.05), _curated_hours()
        for _ in range(count):
            number = self.done["queries"]
            template, hour = _QUERIES[number % len(_QUERIES)], random.choice(hours)  # noqa: S311  # no secret
            condition = " AND ".join(
                f"{key} = '{value}'" for key, value in zip(PARTITION_KEYS, hour.values, strict=True)
            )
            try:
                athena.run(template.format(hour=condition, n=number))
            except OperationalError:
                if template != _REFUSED:
                    raise
            self.done["queries"] += 1

    def load(self, count: int) -> None:
        """So many loads of curated hours by the pipeline's own loader, each anew: the note of the last is removed."""
        hours = _curated_hours()
        for _ in range(count):
            hour = hours[self.done["loads"] % len(hours)]
            with open_loader() as loader:
                with writing(loader.connection):
                    run(loader.connection, statements.delete_load(hour))
                loader.load([hour])
            self.done["loads"] += 1


def enrolled(folder: Path, devices: int, after: int) -> Path:
    """A fleet let in by the registry, in a folder: so many devices, those that follow the first of `make up`'s own."""
    grown = make_fleet(after + devices)
    enrol(Fleet(grown.seed, grown.devices[after:]), folder, expected_interval_s=60.0)
    _command("iot_pipeline.registry", "onboard-all", str(folder / LIST_FILE), "--out", str(folder / "devices"))
    return folder


def wait_for_curated_hours() -> None:
    """Until Dagster has built the first hours. Raises LocalError if it does not."""
    wait_while_it_moves("the first curated hours", _curated_hours, bool, pause_seconds=2.0)


def _curated_hours() -> list[Hour]:
    return sorted(open_catalog().partitions(tables().curated_telemetry.name))


def _command(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise LocalError(
            f"`python -m {module} {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr[-2000:]}"
        )
