"""What a journal is delivered as where records are transformed, partitioned or converted: several objects, and errors.

Amazon Data Firehose developer guide, "Partition streaming data": a record goes to the prefix that its keys make of the
template; beyond 500 active partitions ("Buffer data for dynamic partitioning") it goes to the error prefix under
`activePartitionExceeded`. The parts of one journal are its partitions: AWS gives each partition a buffer of its own.
"""

import time
from collections.abc import Iterator
from typing import Any

from ministack.services import firehose

from infra.local.emulator.firehose.conversion import Converter, conversion_of
from infra.local.emulator.firehose.destination import (
    compressed,
    compression_extension,
    error_prefix,
    part_key,
    prefix_of,
    record_delimiter,
)
from infra.local.emulator.firehose.failed_records import PROCESSING, FailedRecord
from infra.local.emulator.firehose.journal import Journal
from infra.local.emulator.firehose.transformation import Transformed, lambda_parameters, transform

ACTIVE_PARTITIONS = 500
_EXCEEDED = "activePartitionExceeded"


def is_processed(config: Any) -> bool:
    """Whether a destination's records are anything but put together."""
    return conversion_of(config) is not None or lambda_parameters(config) is not None


def processed(stream: Any, config: Any, journal: Journal) -> Iterator[tuple[str, bytes]]:
    """Keys and bodies of the objects that a journal becomes, in the stream's scope.

    Each record is in exactly one of them: in an object, or as a line of what failed; but those that the function
    dropped. Raises AccessDeniedError where the stream's roles do not allow what is needed.
    """
    failed: list[FailedRecord] = []
    partitions: dict[str, list[Transformed]] = {}
    for each in transform(stream, config, list(journal.records())):
        if isinstance(each, FailedRecord):
            failed.append(each)
            continue
        try:
            prefix = prefix_of(config, journal, each.partition_keys)
        except firehose._DeliveryError as error:
            code = "DynamicPartitioning.MetadataExtractionFailed"
            failed.append(FailedRecord(each.record, each.data, PROCESSING, code, error.message))
            continue
        if prefix not in partitions and len(partitions) == ACTIVE_PARTITIONS:
            message = f"there are {ACTIVE_PARTITIONS} active partitions"
            code = "DynamicPartitioning.ActivePartitionLimitExceeded"
            failed.append(FailedRecord(each.record, each.data, _EXCEEDED, code, message))
            continue
        partitions.setdefault(prefix, []).append(each)
    yield from _objects(stream, config, journal, partitions, failed)
    ended = time.time()
    for failure in sorted({each.failure for each in failed}):
        lines = b"".join(each.line(ended) for each in failed if each.failure == failure)
        yield (
            part_key(stream, config | {"FileExtension": ""}, journal, error_prefix(config, journal, failure), ""),
            lines,
        )


def _objects(
    stream: Any, config: Any, journal: Journal, partitions: dict[str, list[Transformed]], failed: list[FailedRecord]
) -> Iterator[tuple[str, bytes]]:
    """The objects of the partitions; what does not convert is added to what failed."""
    conversion = conversion_of(config)
    if conversion is None:
        delimiter = record_delimiter(config)
        for prefix, records in partitions.items():
            body = b"".join(each.data + delimiter for each in records)
            yield part_key(stream, config, journal, prefix, compression_extension(config)), compressed(config, body)
        return
    converter = Converter(stream, conversion)
    for prefix, records in partitions.items():
        rows: list[dict[str, Any]] = []
        for each in records:
            found = converter.rows(each)
            if isinstance(found, FailedRecord):
                failed.append(found)
            else:
                rows += found
        if rows:
            yield part_key(stream, config, journal, prefix, ".parquet"), converter.parquet(rows)
