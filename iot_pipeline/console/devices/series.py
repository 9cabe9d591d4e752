"""A device's values over some hours, from curated, joined without a seam and without doubled readings to the live ones.

Athena makes the buckets: it reads the row groups that hold the device alone, for files are written in the order of
devices, and hands over some hundred rows. To read the same Parquet here would bring a tenth of a gigabyte a page into
the memory of a service that has other things to do, and past the workgroup that bounds who reads how much.

The readings that are live are named to Athena, which leaves them out of the buckets: each is counted from one side
alone, whatever is published meanwhile, and however late it came. A bucket has its least and its greatest value beside
the mean, so that a spike is not smoothed away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel

from iot_pipeline.console.bounded_athena import BoundedAthena
from iot_pipeline.console.dependencies import asking
from iot_pipeline.contract import METRICS
from iot_pipeline.contract.event_time import moment
from iot_pipeline.lake.hours import Hour, partition_range
from iot_pipeline.lake.transformation import literal

MAX_HOURS, MAX_POINTS = 48, 1440
# A statement has 262,144 bytes at most (Athena user guide, "Service quotas"); a reading that is named takes about 50.
MAX_NAMED = 4000
_UNITS = {metric.name: metric.unit for metric in METRICS}


class LiveReading(Protocol):
    """A valid reading from the stream: its time (epoch milliseconds UTC), its number, its values by metric."""

    @property
    def at_ms(self) -> int:
        """Its time."""

    @property
    def seq(self) -> int:
        """Its number."""

    @property
    def values(self) -> Mapping[str, float]:
        """By metric, in canonical units."""


@dataclass(frozen=True)
class Window:
    """Buckets of the same width from `start` on, which is a multiple of it: two answers have the same buckets."""

    start: datetime
    width: timedelta
    count: int

    @classmethod
    def until(cls, now: datetime, hours: int, points: int) -> "Window":
        """About so many buckets, of whole seconds, the last of which holds `now`."""
        seconds = max(1, -(-hours * 3600 // points))
        last = int(now.timestamp()) // seconds
        count = -(-hours * 3600 // seconds) + 1
        return cls(datetime.fromtimestamp((last + 1 - count) * seconds, UTC), timedelta(seconds=seconds), count)

    @property
    def end(self) -> datetime:
        """Exclusive."""
        return self.start + self.count * self.width

    def bucket(self, at_ms: int) -> int | None:
        """The bucket of a time; None outside of the window."""
        found = (at_ms - self.start_ms) // (self.width // timedelta(milliseconds=1))
        return found if 0 <= found < self.count else None

    @property
    def start_ms(self) -> int:
        """The start in epoch milliseconds."""
        return int(self.start.timestamp()) * 1000


@dataclass
class Bucket:
    """What the readings of one metric in one bucket come to."""

    least: float
    greatest: float
    total: float
    count: int
    live: int = 0

    def add(self, value: float) -> None:
        """Take a live reading."""
        self.least, self.greatest = min(self.least, value), max(self.greatest, value)
        self.total, self.count, self.live = self.total + value, self.count + 1, self.live + 1


@dataclass
class Curated:
    """What curated has of a device: buckets by metric, without the readings that were named to it.

    `until` is the time of its newest reading, None if there is none; `named` how many of the named ones it has.
    """

    buckets: dict[str, dict[int, Bucket]]
    until: datetime | None = None
    named: int = 0
    scanned_bytes: int = 0


class Point(BaseModel):
    """The readings of one bucket: `readings` in all, `live` of them from the stream."""

    at: datetime
    min: float
    max: float
    mean: float
    readings: int
    live: int


class MetricSeries(BaseModel):
    """A metric's buckets in order; one without readings is left out."""

    metric: str
    unit: str
    points: list[Point]


class Series(BaseModel):
    """The joined values, and where the seam is.

    `curated_until`: up to which event time curated has readings of this device. `live_from` and `live_until` are of the
    readings that the stream has told; `live_newer` of those are newer than `curated_until`, and `in_both` were in
    curated too and are counted once. `unknown_between`: a time of which neither may have all readings yet, since
    curated does not reach so far and the stream was not read so early; null where there is none. `ahead`: live readings
    whose time is beyond the window, by clocks that are ahead; they are not drawn.
    """

    device: str
    start: datetime
    end: datetime
    bucket_seconds: float
    series: list[MetricSeries]
    curated_until: datetime | None
    live_from: datetime | None
    live_until: datetime | None
    live_newer: int
    in_both: int
    unknown_between: tuple[datetime, datetime] | None
    ahead: int
    scanned_bytes: int


def series_of(
    athena: BoundedAthena,
    device: str,
    metrics: Sequence[str],
    window: Window,
    live: Sequence[LiveReading],
    tenant: str | None,
) -> Series:
    """The values of a device in a window. `tenant`: only readings that were its own. Raises DownError."""
    once = {(reading.at_ms, reading.seq): reading for reading in live if reading.at_ms >= window.start_ms}
    kept = [once[key] for key in sorted(once)[-MAX_NAMED:]]
    with asking("Athena"):
        result = athena.run(statement(device, metrics, window, kept, tenant))
    curated = _curated(result.rows, metrics)
    curated.scanned_bytes = result.scanned_bytes
    return joined(device, metrics, window, curated, kept)


def statement(
    device: str, metrics: Sequence[str], window: Window, live: Sequence[LiveReading], tenant: str | None
) -> str:
    """Buckets of a device's curated readings, without those that are live, which are counted beside them."""
    width = window.width // timedelta(milliseconds=1)
    start, end = _timestamp(window.start_ms), _timestamp(window.start_ms + window.count * width)
    values = "".join(
        f",\n    min({name}) FILTER (WHERE NOT is_live), max({name}) FILTER (WHERE NOT is_live), "
        f"sum({name}) FILTER (WHERE NOT is_live), count({name}) FILTER (WHERE NOT is_live)"
        for name in metrics
    )
    owner = "" if tenant is None else f"\n        AND tenant = {literal(tenant)}"
    return f"""\
SELECT CAST(floor(CAST(date_diff('millisecond', {start}, event_time) AS DOUBLE) / {width}) AS BIGINT) AS bucket,
    max(event_time) AS newest, count_if(is_live) AS named{values}
FROM (
    SELECT *, {_is_live(live)} AS is_live
    FROM curated_telemetry
    WHERE {partition_range(Hour.of(window.start), Hour.of(window.end - timedelta(milliseconds=1)))}
        AND device_id = {literal(device)}{owner}
        AND event_time >= {start}
        AND event_time < {end}
)
GROUP BY 1"""


def _is_live(live: Sequence[LiveReading]) -> str:
    if not live:
        return "false"
    names = ", ".join(f"ROW({_timestamp(reading.at_ms)}, BIGINT '{reading.seq}')" for reading in live)
    return f"ROW(event_time, seq) IN ({names})"


def _timestamp(ms: int) -> str:
    at = datetime.fromtimestamp(ms // 1000, UTC)
    return f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}'"


def _curated(rows: Sequence[tuple[Any, ...]], metrics: Sequence[str]) -> Curated:
    found = Curated({name: {} for name in metrics})
    for bucket, newest, named, *values in rows:
        at = newest.replace(tzinfo=UTC)
        found.until = at if found.until is None else max(found.until, at)
        found.named += int(named)
        for place, name in enumerate(metrics):
            least, greatest, total, count = values[4 * place : 4 * place + 4]
            if count:
                found.buckets[name][int(bucket)] = Bucket(float(least), float(greatest), float(total), int(count))
    return found


def joined(
    device: str, metrics: Sequence[str], window: Window, curated: Curated, live: Sequence[LiveReading]
) -> Series:
    """Curated's buckets with the live readings in them. `live` are those that were named to curated, each once."""
    ahead = 0
    for reading in live:
        bucket = window.bucket(reading.at_ms)
        if bucket is None:
            ahead += 1
            continue
        for name in metrics:
            if (value := reading.values.get(name)) is not None:
                held = curated.buckets[name].get(bucket)
                if held is None:
                    curated.buckets[name][bucket] = Bucket(value, value, value, 1, 1)
                else:
                    held.add(value)
    times = [moment(reading.at_ms) for reading in live]
    until, first = curated.until, min(times, default=None)
    return Series(
        device=device,
        start=window.start,
        end=window.end,
        bucket_seconds=window.width.total_seconds(),
        series=[_metric(name, window, curated.buckets[name]) for name in metrics],
        curated_until=until,
        live_from=first,
        live_until=max(times, default=None),
        live_newer=sum(until is None or at > until for at in times),
        in_both=curated.named,
        unknown_between=_unknown(window, until, first),
        ahead=ahead,
        scanned_bytes=curated.scanned_bytes,
    )


def _unknown(window: Window, until: datetime | None, live_from: datetime | None) -> tuple[datetime, datetime] | None:
    """Between the end of curated and the begin of what is live, or now."""
    begin, end = until or window.start, live_from or window.end
    return (begin, end) if end > begin else None


def _metric(name: str, window: Window, buckets: Mapping[int, Bucket]) -> MetricSeries:
    points = [
        Point(
            at=window.start + number * window.width,
            min=held.least,
            max=held.greatest,
            mean=held.total / held.count,
            readings=held.count,
            live=held.live,
        )
        for number, held in sorted(buckets.items())
    ]
    return MetricSeries(metric=name, unit=_UNITS[name], points=points)
