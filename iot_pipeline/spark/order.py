"""What a run of the Glue job is to do, as Dagster sends it, or Glue's own workflow: one job serves every policy.

Of Dagster:
{"bucket": ..., "database": ..., "lateness_seconds": ..., "future_seconds": ..., "arrival_hours": [[year, ...], ...]}
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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

    @classmethod
    def recent(cls, arguments: Sequence[str], now: datetime) -> Self:
        """From the arguments of a run that nobody follows: so many arrival hours, the last to have closed by `now`.

        Glue adds arguments of its own. Raises SystemExit, with the argument's name on stderr, for one that is missing
        or wrong.
        """
        parser = argparse.ArgumentParser(prog="backfill", allow_abbrev=False)
        for name in ("bucket", "database"):
            parser.add_argument(f"--{name}", required=True)
        for name in ("lateness-days", "future-hours"):
            parser.add_argument(f"--{name}", type=float, required=True)
        parser.add_argument("--arrival-hours", type=int, required=True)
        told, _of_glue = parser.parse_known_args(list(arguments))
        if told.arrival_hours < 1:
            parser.error(f"--arrival-hours {told.arrival_hours}: expected at least 1")
        bounds = Contract(
            lateness_bound=timedelta(days=told.lateness_days), future_bound=timedelta(hours=told.future_hours)
        )
        end = Hour.of(now).start
        hours = tuple(Hour(end - timedelta(hours=back)) for back in range(told.arrival_hours, 0, -1))
        return cls(told.bucket, told.database, bounds, hours)

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
