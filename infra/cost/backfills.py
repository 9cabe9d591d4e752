"""A backfill by Athena against one by Spark on Glue: bytes against DPU-hours."""

import math
from dataclasses import dataclass

from infra.cost.athena_statements import curating, judging
from infra.cost.design import Design
from infra.cost.fleet import HOURS_A_MONTH, Fleet
from infra.cost.intake import raw_bytes_read
from infra.cost.metering import TERABYTE, athena_bytes
from infra.cost.price_list import price_list
from infra.cost.volumes import CURATED_BYTES, JUDGED_BYTES
from iot_pipeline.lake.statements import MAX_PARTITIONS

_MEGABYTE = 1024**2


@dataclass(frozen=True)
class Backfill:
    """What Athena scans and costs (US dollars) for a backfill, and how much of Glue costs the same.

    `even_rate` is in bytes of raw a second and DPU: a job that is slower costs more than Athena does.
    """

    raw_bytes: float
    scanned: float
    athena_dollars: float
    even_dpu_hours: float

    @property
    def even_rate(self) -> float:
        """Bytes of raw a second and DPU at which both cost the same."""
        return self.raw_bytes / (self.even_dpu_hours * 3600)

    @property
    def told(self) -> str:
        """As a sentence for the bill."""
        return (
            f"To judge and curate a month of it once more, Athena scans {self.scanned / TERABYTE:.3g} TB for "
            f"{self.athena_dollars:,.2f} dollars. Spark on Glue costs less if it takes fewer than "
            f"{self.even_dpu_hours:,.3g} DPU-hours, that is, if a DPU does more than {self.even_rate / _MEGABYTE:.1f} "
            "MB of raw a second."
        )


def month_again(fleet: Fleet, design: Design) -> Backfill:
    """A month of a fleet, in statements of as many hours as one writes; what both engines store costs the same."""
    batches = math.ceil(HOURS_A_MONTH / MAX_PARTITIONS)
    raw = raw_bytes_read(fleet, design)
    judged, curated = fleet.readings * JUDGED_BYTES / batches, fleet.readings * CURATED_BYTES / batches
    kinds = [
        *judging("again", batches, raw / batches, judged),
        *curating("again", batches, judged, curated),
    ]
    scanned = sum(each.a_day * athena_bytes(max(each.scans, 1)) for each in kinds)
    prices = price_list()
    dollars = prices["athena-scan"].dollars(scanned / TERABYTE)
    return Backfill(raw, scanned, dollars, dollars / prices["glue-job"].dollars(1))
