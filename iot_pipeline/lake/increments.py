"""What has arrived in an hour since it was judged: an open hour costs what is new, not all that it holds.

A version of an hour then takes over the objects of the version before it by copies that S3 makes, beside what was
judged of the new raw objects. It is published as any other, in one step.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.objects import Objects, StoredObject
from iot_pipeline.lake.raw_integrity import judging_began
from iot_pipeline.lake.statements import Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Athena takes statements of 262,144 bytes (Athena user guide, "Service Quotas"); the names of the objects are most of
# one, and the rest is below 40 KB.
MAX_BYTES_OF_NAMES = 200_000

# So many objects are taken over as they are; more are written anew as few, which is cheaper to read.
MAX_OBJECTS = 50

# Begins the names of objects that a version took over, with a digest of where they lay.
TAKEN_OVER = "before-"


@dataclass(frozen=True)
class Increment:
    """An arrival hour that is judged, and what is new in it.

    `base` is the location of its judged rows, `objects` lie there. `fresh` are raw objects to be judged, `outdated`
    those whose rows no longer hold, since they were removed or overwritten (s3://bucket/key).
    """

    hour: Hour
    base: str
    objects: tuple[StoredObject, ...]
    fresh: tuple[str, ...]
    outdated: tuple[str, ...]

    @property
    def appends(self) -> bool:
        """Whether the objects of the base are taken over as they are."""
        return not self.outdated and len(self.objects) < MAX_OBJECTS


def base_of(objects: Objects, judged: Partition, ledger: Partition) -> tuple[StoredObject, ...] | None:
    """The objects of an hour's judged rows; None if they cannot be taken over.

    That is so if they or those of the ledger are not what was written, or if the ledger was not counted from them.
    """
    of_rows, of_ledger = judged.notes, ledger.notes
    if not of_rows or not of_ledger or of_ledger.judged != judged.location:
        return None
    stored = tuple(objects.at(judged.location))
    is_as_written = size_of(stored) == of_rows.stored and size_of(objects.at(ledger.location)) == of_ledger.stored
    return stored if is_as_written else None


def find_increment(
    raw: Sequence[StoredObject],
    base: Sequence[StoredObject],
    judged: Partition,
    ledger: Partition,
    known: Iterable[str],
) -> Increment | None:
    """What is new in an hour, of whose judged rows the `base` can be taken over; None if it is to be judged whole.

    That is the case if nothing is new: whoever asks for it then wants it. It is too if most is new, and if more is new
    than a statement can name. `raw` are its raw objects, listed after the judging began; `known` those in its ledger.
    """
    there, seen, since = {it.uri: it for it in raw}, set(known), judging_began(ledger)
    overwritten = {uri for uri in seen & there.keys() if since is None or there[uri].written_at > since}
    outdated = (seen - there.keys()) | overwritten
    unknown = there.keys() - seen
    fresh = unknown | overwritten
    # An object that was there before and is not in the ledger holds no line; it is read again beside the others.
    is_news = outdated or any(since is None or there[uri].written_at >= since for uri in unknown)
    if not fresh or not is_news or 2 * len(fresh) > len(there) or not fits_statement(fresh | outdated):
        return None
    return Increment(judged.hour, judged.location, tuple(base), tuple(sorted(fresh)), tuple(sorted(outdated)))


def fits_statement(uris: Iterable[str]) -> bool:
    """Whether a statement can name these objects."""
    return sum(len(uri.encode()) + 4 for uri in uris) <= MAX_BYTES_OF_NAMES


def size_of(objects: Iterable[StoredObject]) -> str:
    """How many objects, and how many bytes, as a build notes it."""
    sizes = [it.size for it in objects]
    return f"{len(sizes)} {sum(sizes)}"


def take_over(s3: "S3Client", objects: Sequence[StoredObject], target: Target, hour: Hour) -> None:
    """Copy the objects of the version before beside what a build has written of an hour."""
    for item in objects:
        bucket, key = item.uri.removeprefix("s3://").split("/", 1)
        folder, _, name = key.rpartition("/")
        if not name.startswith(TAKEN_OVER):
            name = f"{TAKEN_OVER}{hashlib.sha256(folder.encode()).hexdigest()[:8]}-{name}"
        to_bucket, to_key = f"{target.location}{hour.path}{name}".removeprefix("s3://").split("/", 1)
        s3.copy({"Bucket": bucket, "Key": key}, to_bucket, to_key)


def written_new(objects: Iterable[StoredObject]) -> list[str]:
    """Of a version's objects those that it did not take over."""
    return sorted(it.uri for it in objects if not it.uri.rpartition("/")[2].startswith(TAKEN_OVER))


@dataclass(frozen=True)
class Written:
    """Hours, and of their rows the objects that their builds wrote (s3://bucket/key); None where that is all."""

    hours: tuple[Hour, ...]
    objects: tuple[str, ...] | None = None


def written_by_builds(objects: Objects, partitions: Mapping[Hour, Partition]) -> list[Written]:
    """What the builds of these hours wrote and did not take over from the versions before them.

    Hours that took nothing over are one, the others another: a statement that asks for both by `OR` reads all of both.
    """
    new: dict[Hour, list[str]] = {}
    for hour, partition in partitions.items():
        stored = objects.at(partition.location)
        own = written_new(stored)
        if 0 < len(own) < len(stored):
            new[hour] = own
    uris = tuple(uri for own in new.values() for uri in own)
    if not new or not fits_statement(uris):
        return [Written(tuple(sorted(partitions)))] if partitions else []
    whole = tuple(sorted(partitions.keys() - new))
    return [*([Written(whole)] if whole else []), Written(tuple(sorted(new)), uris)]


def sizes_of_build(objects: Objects, target: Target, hours: Iterable[Hour]) -> Mapping[Hour, str]:
    """What a build has stored of each of these hours."""
    found: dict[str, list[StoredObject]] = {}
    for item in objects.at(target.location):
        found.setdefault(item.uri.rpartition("/")[0] + "/", []).append(item)
    return {hour: size_of(found.get(f"{target.location}{hour.path}", [])) for hour in hours}
