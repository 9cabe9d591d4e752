"""Metrics that the local AWS makes itself, in bounded memory: a point for each minute and value, the oldest as sets.

CloudWatch user guide, "Metrics concepts": a data point of standard resolution has "one-minute granularity", so that
points of one value and minute are one with a count. Percentiles are the same from those; statistic sets have none.
"""

import threading
import time
from typing import Any

from ministack.services import cloudwatch

from infra.local.emulator.metric_point import MetricPoint

# Points of a metric beyond which the older ones become statistic sets, and after how many new ones it is looked at.
KEPT_POINTS = 5_000
LOOK_POINTS = 250
# Of the minutes that may still get points nothing is put together.
OPEN_SECONDS = 120.0

_recording = threading.Lock()


def record(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """A point of now, in the account and region of the current request scope."""
    with _recording:
        cloudwatch.record_metric(namespace, name, value, unit, dimensions)
        points = cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dimensions)))
        # One `Dimensions` for all: it is as large as the rest of a point.
        points[-1] = MetricPoint({**points[-1], "Dimensions": points[0]["Dimensions"]})
        if len(points) % LOOK_POINTS == 0:
            points[:] = _by_value(points, time.time() - OPEN_SECONDS)
        if len(points) > 2 * KEPT_POINTS:
            points[:-KEPT_POINTS] = _by_minute(points[:-KEPT_POINTS])


def _by_value(points: list[Any], before: float) -> list[Any]:
    """Those before a time put together by minute and value; each has the time of its last point."""
    found: list[Any] = []
    places: dict[tuple[int, float, str], int] = {}
    for point in points:
        if "_stat" in point or point["Timestamp"] >= before:
            found.append(point)
            continue
        key = (int(point["Timestamp"] // 60), point["Value"], point["Unit"])
        place = places.setdefault(key, len(found))
        if place == len(found):
            found.append(point)
        else:
            count = found[place].get("Count", 1.0) + point.get("Count", 1.0)
            found[place] = MetricPoint({**point, "Count": count})
    return found


def _by_minute(points: list[Any]) -> list[Any]:
    minutes: dict[int, list[Any]] = {}
    for point in points:
        minutes.setdefault(int(point["Timestamp"] // 60), []).append(point)
    return [_set(minute * 60.0, points) for minute, points in minutes.items()]


def _set(stamp: float, points: list[Any]) -> Any:
    """A statistic set, as PutMetricData takes them."""
    stats = cloudwatch._calc_stats(points)
    average = stats.pop("Average", 0.0)
    return {**points[-1], "Timestamp": min(stamp, time.time()), "Value": average, "_stat": stats}
