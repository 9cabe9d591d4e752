"""The registry and the warehouse, each of its alternatives by the same activity."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.cost.design import Design, Warehouse
from infra.cost.fleet import DAYS_A_MONTH, HOURS_A_MONTH, MINUTES_A_MONTH, Fleet
from infra.cost.metering import GIGABYTE, SNOWFLAKE_SECONDS, WAREHOUSE_SECONDS, billed_seconds
from infra.cost.storage import AGE_MONTHS
from infra.cost.usage import Usage
from infra.cost.volumes import CURATED_BYTES
from infra.stacks.config import PlatformConfig

# Assumed: a query of the registry a minute (the sensor `site_arrival`) is some 20 reads of Aurora's storage, and its
# catalog, whatever the fleet, a GB; a device takes 4 KB with its history.
_IO_A_MINUTE, _REGISTRY_GB, _DEVICE_BYTES = 20, 1.0, 4096
# Rows a second: of the load on the local Redshift `make bench` measures 516,000 (README.md); assumed of eight RPUs too,
# and of dbt.
_ROWS_A_SECOND = 500_000
# Assumed: `lake.readings` and the facts hold a reading twice, each as large as in Parquet.
_COPIES = 2
_HOUR_SECONDS = 3600
# The smallest cluster that survives the loss of a node.
_NODES = 2
# Snowflake: an X-Small warehouse is a credit an hour; it goes to sleep a minute after its last query at the soonest.
_SNOWFLAKE_IDLE_SECONDS, _TERABYTE_GB = 60, 1024


@dataclass(frozen=True)
class Activity:
    """Something that asks the warehouse: how often an hour, and for how many seconds each time."""

    what: str
    an_hour: float
    seconds: float


def activities(fleet: Fleet, design: Design) -> list[Activity]:
    """What asks the warehouse by itself (docs/operations.md, "What runs by itself"); how long it takes is assumed."""
    builds = design.builds_an_hour(fleet)
    rows = fleet.readings / HOURS_A_MONTH / max(builds, 1) / _ROWS_A_SECOND
    return [
        Activity("a load after each build", builds, 20 + rows),
        Activity("dbt after each load", builds, 75 + rows),
        Activity("the registry's snapshot", 4, 15),
        Activity("the watch over closed hours", 6, 5),
        Activity("the sweep over unloaded hours", 1, 5),
    ]


def active_seconds(fleet: Fleet, design: Design, minimum: int = WAREHOUSE_SECONDS, idle: int = 0) -> float:
    """Billed seconds of an hour: each activity at least the minimum, none beside another, and no more than an hour."""
    billed = sum(each.an_hour * billed_seconds(each.seconds + idle, minimum) for each in activities(fleet, design))
    return min(_HOUR_SECONDS, billed)


def wanted_rpu_hours(fleet: Fleet, config: PlatformConfig, design: Design) -> float:
    """RPU-hours that a day's activity comes to."""
    return active_seconds(fleet, design) / _HOUR_SECONDS * 24 * config.warehouse_base_rpu


def registry(fleet: Fleet, config: PlatformConfig) -> Iterator[Usage]:
    """Aurora."""
    if not config.parts.databases:
        return
    yield Usage(
        "aurora-acu", config.registry_min_acu * HOURS_A_MONTH, "the writer", "its least capacity; it is never idle"
    )
    if config.parts.services:
        yield Usage("aurora-acu", config.dagster_min_acu * HOURS_A_MONTH, "Dagster's storage", "its least capacity")
    yield Usage("aurora-storage", _REGISTRY_GB + fleet.devices * _DEVICE_BYTES / GIGABYTE, "the registry")
    yield Usage("aurora-io", MINUTES_A_MONTH * _IO_A_MINUTE, "its storage", "20 a minute, assumed")


def warehouse(fleet: Fleet, config: PlatformConfig, design: Design) -> Iterator[Usage]:
    """The warehouse, as the design has it."""
    held = fleet.readings * CURATED_BYTES * _COPIES * AGE_MONTHS / GIGABYTE
    match design.warehouse:
        case Warehouse.SERVERLESS:
            wanted, limit = wanted_rpu_hours(fleet, config, design), config.warehouse_rpu_hours_a_day
            basis = f"{wanted:,.0f} RPU-hours a day are wanted, the day's limit is {limit}"
            yield Usage("redshift-rpu", min(wanted, limit) * DAYS_A_MONTH, "loads, dbt, snapshots, checks", basis)
            yield Usage("redshift-storage", held, "readings and facts", f"{AGE_MONTHS} months")
        case Warehouse.PROVISIONED:
            yield Usage("redshift-node", _NODES * HOURS_A_MONTH, f"{_NODES} nodes ra3.xlplus, never paused")
            yield Usage("redshift-storage", held, "readings and facts", f"{AGE_MONTHS} months")
        case Warehouse.SNOWFLAKE:
            active = active_seconds(fleet, design, SNOWFLAKE_SECONDS, _SNOWFLAKE_IDLE_SECONDS)
            basis = f"{active / 60:.0f} minutes of each hour, with a minute of idling after each"
            yield Usage("snowflake-credit", active / _HOUR_SECONDS * HOURS_A_MONTH, "an X-Small warehouse", basis)
            yield Usage("snowflake-pipe", fleet.readings * CURATED_BYTES / GIGABYTE, "Snowpipe, of curated files")
            yield Usage("snowflake-storage", held / _TERABYTE_GB, "readings and facts", f"{AGE_MONTHS} months")
        case Warehouse.NONE:
            return
