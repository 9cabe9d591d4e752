"""The three balances: of an arrival hour, of an event hour in the lake, and of an event hour in the warehouse."""

from dataclasses import dataclass

from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import Counts


@dataclass(frozen=True)
class ArrivalHourBalance:
    """One arrival hour: readings counted from the raw lines, valid by the ledger, records in the quarantine."""

    hour: Hour
    received: int
    valid: int
    quarantined: int

    @property
    def balances(self) -> bool:
        """Whether every received reading is exactly one of valid, quarantined."""
        return self.received == self.valid + self.quarantined


@dataclass(frozen=True)
class EventHourBalance:
    """One event hour of the ledger against what was built: valid readings in; rows, duplicates and conflicts out."""

    hour: Hour
    valid: int
    built: Counts

    @property
    def balances(self) -> bool:
        """Whether every valid reading is exactly one of row, duplicate, conflict."""
        return self.valid == self.built.readings

    def __str__(self) -> str:
        """As people read it in an error or a check."""
        built = self.built
        return (
            f"{self.hour}: ledger {self.valid} valid, built {built.rows} rows + {built.duplicates} duplicates + "
            f"{built.conflicts} conflicts"
        )


@dataclass(frozen=True)
class LoadedHourBalance:
    """One event hour three times: as curated, as its load noted it, and as counted in the warehouse.

    The content ids are None where there is no curated partition, or no load.
    """

    hour: Hour
    curated_content: str | None
    loaded_content: str | None
    curated: Counts
    noted: Counts
    counted: Counts

    @property
    def is_current(self) -> bool:
        """Whether what is loaded is what is curated now, wherever that lies."""
        return self.curated_content == self.loaded_content

    @property
    def balances(self) -> bool:
        """Whether the warehouse holds what was noted, and that is what was curated, unless curated has moved on."""
        return self.noted == self.counted and (not self.is_current or self.noted == self.curated)
