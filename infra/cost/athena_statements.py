"""Athena: the statements that the product sends by itself, what each scans, and the catalog's requests."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.cost.design import Design, Finding
from infra.cost.fleet import DAYS_A_MONTH, HOURS_A_MONTH, Fleet
from infra.cost.intake import raw_bytes_read
from infra.cost.metering import CRAWL_SECONDS, CRAWLER_DPUS, TERABYTE, athena_bytes
from infra.cost.usage import Usage
from infra.cost.volumes import CURATED_BYTES, JUDGED_BYTES
from iot_pipeline.backfill.plan import STATEMENTS, Zone
from iot_pipeline.unattended.calls import CONDITIONS, SCHEDULES, SENSORS, Calls

# How often a day what scans nothing worth naming asks; a test holds the schedules to Dagster's definitions.
SMALL_A_DAY = {
    "sweep_stored_objects": 24,
    "hourly_expected": 24,
    "daily_drift": 1,
    "ledger:erased_devices_send_nothing": 1,
}
# compact_days: "Two statements of Athena for each day that has changed"; assumed: yesterday, and two with late data.
_COMPACTIONS_A_DAY = 2 * 3
# Measured in the demo, by statement: shares of the raw bytes, of the judged rows and of the curated rows that are read;
# what the other statements read is next to nothing.
_JUDGED_READS_RAW, _JUDGED_READS_JUDGED = (1.0, 1.0), (0.92, 0.46)
_CURATED_READS_JUDGED, _CURATED_READS_CURATED = (0.92,), (0.51, 0.35, 0.35, 0.06)
_CRAWLERS = 2
# Assumed: what the sensors of docs/operations.md, "What runs by itself", ask of the catalog in a minute.
_CATALOG_REQUESTS_A_MINUTE = 10
_TABLES = 6


@dataclass(frozen=True)
class Kind:
    """Statements of one kind: how many a day, and what one of them scans, in bytes."""

    name: str
    a_day: float
    scans: float


def statements(fleet: Fleet, design: Design) -> Iterator[Kind]:
    """The statements of a day."""
    hourly = fleet.readings / HOURS_A_MONTH
    raw = raw_bytes_read(fleet, design) / HOURS_A_MONTH
    judged, curated = hourly * JUDGED_BYTES, hourly * CURATED_BYTES
    builds, share = 24 * design.builds_an_hour(fleet), design.build_minutes / 60
    yield from judging("open hour", builds, raw * share, judged * share)
    # An event hour is built whole each time, half full on average.
    yield from curating("open hour", builds, judged / 2, curated / 2)
    yield from judging("closed hour", 24, raw, judged)
    yield from curating("closed hour", 24, judged, curated)
    for name, times in SMALL_A_DAY.items():
        yield Kind(name, times * _calls(name).athena, 0)
    yield Kind("compact_days", _COMPACTIONS_A_DAY, curated * 24)


def statements_a_day(fleet: Fleet, design: Design) -> float:
    """How many they are together."""
    return sum(each.a_day for each in statements(fleet, design))


def athena(fleet: Fleet, design: Design) -> Iterator[Usage]:
    """What Athena bills, and the Data Catalog."""
    every = list(statements(fleet, design))
    # A statement that reads next to nothing is billed as one that reads a byte.
    billed = sum(each.a_day * athena_bytes(max(each.scans, 1)) for each in every) * DAYS_A_MONTH
    count = sum(each.a_day for each in every) * DAYS_A_MONTH
    floor = count * athena_bytes(1) / billed
    yield Usage(
        "athena-scan",
        billed / TERABYTE,
        "the product's own statements",
        f"{count:,.0f} of them; {floor:.0%} of it are the 10 MB that each is billed at least",
    )
    yield Usage("glue-request", _CATALOG_REQUESTS_A_MINUTE * 60 * HOURS_A_MONTH, "sensors and builds", "10 a minute")
    yield Usage("glue-object", _TABLES * HOURS_A_MONTH * 12, "partitions of a year of hours")
    crawls = _CRAWLERS * DAYS_A_MONTH if design.daily_crawl else 0
    basis = f"{'two' if design.daily_crawl else 'none'} a day, of two DPUs (assumed) and at least ten minutes"
    if design.finding is Finding.CRAWLERS:
        crawls += HOURS_A_MONTH
        basis = "one an hour that finds the new partition, and " + basis
    yield Usage("glue-crawler", crawls * CRAWLER_DPUS * CRAWL_SECONDS / 3600, "crawls", basis)


def judging(what: str, builds: float, raw: float, judged: float) -> Iterator[Kind]:
    """The statements that judge, so often a day, raw objects and the rows that they become, of so many bytes a time."""
    scans = [share * raw for share in _JUDGED_READS_RAW] + [share * judged for share in _JUDGED_READS_JUDGED]
    yield from _build(f"judged, {what}", builds, scans, STATEMENTS[Zone.JUDGED])


def curating(what: str, builds: float, judged: float, curated: float) -> Iterator[Kind]:
    """The statements that curate, so often a day, judged rows into curated ones, of so many bytes a time."""
    scans = [share * judged for share in _CURATED_READS_JUDGED] + [share * curated for share in _CURATED_READS_CURATED]
    yield from _build(f"curated, {what}", builds, scans, STATEMENTS[Zone.CURATED])


def _build(name: str, builds: float, scans: list[float], count: int) -> Iterator[Kind]:
    for number, scan in enumerate(scans):
        yield Kind(f"{name}, statement {number + 1}", builds, scan)
    yield Kind(f"{name}, the others", builds * (count - len(scans)), 0)


def _calls(name: str) -> Calls:
    return (SENSORS | SCHEDULES | CONDITIONS)[name]
