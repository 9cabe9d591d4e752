"""Whether an arrival hour's raw objects are those that were judged."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

from iot_pipeline.lake import faults
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.faults import Fault
from iot_pipeline.lake.hours import HOUR, Hour
from iot_pipeline.lake.objects import StoredObject

# Until then raw objects of an hour that has closed may still arrive or wait to be judged; the closing build comes ten
# minutes after the hour.
SETTLED_AFTER = timedelta(hours=1)

_BUILD = re.compile(r"/v=(\d{8}T\d{6})_")


def raw_faults(
    hour: Hour,
    there: Sequence[StoredObject],
    known: AbstractSet[str],
    ledger: Partition | None,
    now: datetime,
    rewritten: AbstractSet[str] = frozenset(),
) -> Iterator[Fault]:
    """What is wrong with the raw objects of an arrival hour.

    `there` are its objects in S3, `known` the URIs of those in its ledger, `now` is aware. `rewritten` are the URIs of
    those that an erasure has entered in the book of removals: that they were written since is meant.
    """
    if gone := known - {it.uri for it in there}:
        what = f"judged, and {'is' if len(gone) == 1 else 'are'} not in S3 any more"
        yield faults.of_raw(hour, gone, what, "Restore the versions in S3, or")
    if now - hour.start < HOUR + SETTLED_AFTER:
        return
    began = judging_began(ledger) if ledger else None
    if began and (since := [it for it in there if it.uri in known - rewritten and it.written_at > began]):
        what = f"judged, and written after that began at {began:%Y-%m-%d %H:%M:%S}Z"
        yield faults.of_raw(hour, faults.uris_of(since), what, "Restore the versions from before, or")
    # What was there when the hour was judged, and is not in its ledger, holds no line.
    if new := [it for it in there if it.uri not in known | rewritten and (began is None or it.written_at >= began)]:
        what = f"never judged, though the hour has closed; last written {max(it.written_at for it in new)}"
        yield faults.of_raw(hour, faults.uris_of(new), what, "Unless a run is about to, a notification was lost:")


def judging_began(ledger: Partition) -> datetime | None:
    """When the judging began, before its statement read anything: the name of the version says it."""
    named = _BUILD.search(ledger.location)
    if named:
        return datetime.strptime(named[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return ledger.notes.built_at if ledger.notes else None
