"""Metrics that the local AWS makes itself, in bounded memory: the newest points, and before them a set a minute."""

import time
from typing import Any

from ministack.services import cloudwatch

# Points of a metric that are kept as they are: percentiles are made of those alone.
KEPT_POINTS = 5_000


def record(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """A point of now, in the account and region of the current request scope."""
    cloudwatch.record_metric(namespace, name, value, unit, dimensions)
    points = cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dimensions)))
    if len(points) > 2 * KEPT_POINTS:
        points[:-KEPT_POINTS] = _by_minute(points[:-KEPT_POINTS])


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
