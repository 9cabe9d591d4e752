"""What a run of the Glue job is to do, as Dagster sends it: one job serves every deployment's policy.

{"bucket": ..., "database": ..., "lateness_seconds": ..., "future_seconds": ..., "arrival_hours": [[year, ...], ...]}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from iot_pipeline.contract import Contract
from iot_pipeline.contract.layout import TEMPORARY
from iot_pipeline.lake.hours import Hour

# Where Dagster and a run of the job write to each other, in the lake's bucket; S3 removes it after a day.
PIPES = f"{TEMPORARY}pipes/"


@dataclass(frozen=True)
class Order:
    """What a run is to do: the lake, the bounds of its contract on event time, and the arrival hours."""

    bucket: str
    database: str
    contract: Contract
    arrivals: tuple[Hour, ...]

    @classmethod
    def of(cls, extras: Mapping[str, Any]) -> Self:
        """From what Dagster sends. Raises ValueError naming what is missing or malformed."""
        try:
            lateness, future = (timedelta(seconds=extras[f"{name}_seconds"]) for name in ("lateness", "future"))
            arrivals = tuple(Hour.from_values(values) for values in extras["arrival_hours"])
            return cls(
                extras["bucket"], extras["database"], Contract(lateness_bound=lateness, future_bound=future), arrivals
            )
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"the run's extras lack {error}: expected bucket, database, lateness_seconds, future_seconds and "
                f"arrival_hours, got {sorted(extras)}"
            ) from error

    @property
    def extras(self) -> dict[str, Any]:
        """As Dagster sends it."""
        return {
            "bucket": self.bucket,
            "database": self.database,
            "lateness_seconds": self.contract.lateness_bound.total_seconds(),
            "future_seconds": self.contract.future_bound.total_seconds(),
            "arrival_hours": [list(hour.values) for hour in self.arrivals],
        }
