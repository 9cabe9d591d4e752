"""Latencies: the median and the 99th percentile of what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Seconds: median and 99th percentile of so many measurements; not a number of none."""

    p50: float
    p99: float
    count: int

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Latency":
        """The latency of measurements."""
        found = list(seconds)
        if not found:
            return cls(float("nan"), float("nan"), 0)
        p50, p99 = np.percentile(found, [50, 99])
        return cls(float(p50), float(p99), len(found))

    @classmethod
    def of_ms(cls, milliseconds: Iterable[float]) -> "Latency":
        """The latency of measurements in milliseconds."""
        return cls.of(each / 1000 for each in milliseconds)
