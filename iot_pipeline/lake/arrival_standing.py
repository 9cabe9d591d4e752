"""What is published of an arrival hour: its judged rows and its ledger, which are moved one after the other."""

from collections.abc import Iterable
from dataclasses import dataclass

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour


@dataclass(frozen=True)
class Standing:
    """The partitions of an arrival hour; None for one that there is not."""

    judged: Partition | None
    ledger: Partition | None

    @property
    def rows(self) -> Partition | None:
        """The judged rows, if the ledger was counted from them."""
        noted = self.ledger.notes if self.ledger else None
        return self.judged if self.judged and noted and noted.judged == self.judged.location else None


def standing_of(catalog: Catalog, contract: Contract, hours: Iterable[Hour]) -> dict[Hour, Standing]:
    """What stands of each of these arrival hours, of those without partitions too."""
    wanted = sorted(set(hours))
    judged = catalog.partitions(tables(contract).judged_telemetry.name, wanted)
    ledger = catalog.partitions(tables(contract).ledger.name, wanted)
    return {hour: Standing(judged.get(hour), ledger.get(hour)) for hour in wanted}
