"""What an event hour holds, in the curated zone and in the warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour

_NOTED = ("rows", "duplicates", "conflicts")


@dataclass(frozen=True)
class Counts:
    """What an event hour holds: rows, and the duplicates and conflicts that were dropped for them."""

    rows: int = 0
    duplicates: int = 0
    conflicts: int = 0

    @classmethod
    def of(cls, values: Sequence[Any]) -> "Counts":
        """From three numbers as SQL gives them; sums come as decimals."""
        rows, duplicates, conflicts = (int(value) for value in values)
        return cls(rows, duplicates, conflicts)

    @classmethod
    def noted_with(cls, partition: Partition) -> "Counts":
        """What a curated partition's build noted, audited against the ledger. Raises ValueError if it did not."""
        missing = [name for name in _NOTED if name not in partition.parameters]
        if missing:
            raise ValueError(
                f"{partition.hour}: the curated partition has no {', '.join(missing)} noted, so that its load could "
                "not be checked; build the hour again"
            )
        return cls.of([partition.parameters[name] for name in _NOTED])


@dataclass(frozen=True)
class HourBalance:
    """One event hour three times: as curated, as its load noted it, and as counted in the warehouse.

    `curated_location` and `loaded_location` are None where there is no partition, or no load.
    """

    hour: Hour
    curated_location: str | None
    loaded_location: str | None
    curated: Counts
    noted: Counts
    counted: Counts

    @property
    def is_current(self) -> bool:
        """Whether what is loaded is the curated partition of now."""
        return self.curated_location == self.loaded_location

    @property
    def balances(self) -> bool:
        """Whether the warehouse holds what was noted, and that is what was curated, unless curated has moved on."""
        return self.noted == self.counted and (not self.is_current or self.noted == self.curated)
