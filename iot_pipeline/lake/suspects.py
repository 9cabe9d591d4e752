"""Finding event hours that were not built from what the ledger holds, at a cost that no history adds to."""

from collections.abc import Iterable, Iterator, Mapping

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import Mark, Marks
from iot_pipeline.lake.plan import marks_of

# What one side says of a contribution: its arrival hour, its event hour, and the mark.
_Claim = tuple[Hour, Hour, Mark]


def suspect_event_hours(catalog: Catalog, athena: Athena, contract: Contract, hours: Iterable[Hour]) -> list[Hour]:
    """The event hours that these hours show, or may show, to be stale.

    Each hour is looked at from both sides. As an arrival hour: has each event hour that it touches been curated from
    what it holds now? As an event hour: does each arrival hour that it was curated from still hold that? So once every
    hour has been looked at, no contribution was missed, however late it came; and only the hours themselves and those
    that they name are read, not the 30 days in which a late reading may come.
    """
    looked_at = set(hours)
    ledger, curated = tables(contract).ledger.name, tables(contract).curated_telemetry.name
    held = marks_of(athena, catalog.partitions(ledger, looked_at))
    claimed = list(_claims_of_arrivals(held))
    partitions = catalog.partitions(curated, looked_at | {event for _, event, _ in claimed})
    built = {hour: it.marks for hour, it in partitions.items() if it.marks is not None}
    used = [claim for claim in _claims_of_events(built) if claim[1] in looked_at]
    held |= marks_of(athena, catalog.partitions(ledger, {arrival for arrival, _, _ in used} - set(held)))
    return sorted(
        {event for arrival, event, mark in claimed if built.get(event, {}).get(arrival) != mark}
        | {event for arrival, event, mark in used if held.get(arrival, {}).get(event) != mark}
        # Built before marks were noted: only the whole ledger of its 30 days can tell.
        | (looked_at & set(partitions)) - set(built)
    )


def _claims_of_arrivals(held: Mapping[Hour, Marks]) -> Iterator[_Claim]:
    return ((arrival, event, mark) for arrival, marks in held.items() for event, mark in marks.items())


def _claims_of_events(built: Mapping[Hour, Marks]) -> Iterator[_Claim]:
    return ((arrival, event, mark) for event, marks in built.items() for arrival, mark in marks.items())
