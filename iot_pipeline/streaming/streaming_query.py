"""The streaming query: Spark runs micro-batches of records, executors judge them, the driver publishes.

`pyspark` is imported nowhere here: Glue has it, and who runs a query elsewhere brings it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from iot_pipeline.contract import Contract
from iot_pipeline.streaming.batches import Batch, Batches, batch_name
from iot_pipeline.streaming.judged_parts import Part, part_of
from iot_pipeline.streaming.verdicts import StreamRecord

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import StreamingQuery

# Of the source's frame: as the Kinesis source of Glue names them.
SEQUENCE, DATA = "sequenceNumber", "data"
# Glue's window is 100 s unless it is said otherwise (Glue guide, "Streaming ETL jobs in AWS Glue").
MIN_WINDOW_SECONDS = 10
_QUERY_ID = "sql.streaming.queryId"
_PART = "rows binary, notes string"


@dataclass(frozen=True)
class Measures:
    """What a micro-batch tells of itself: how long it took, and how long its newest record had waited when it stood."""

    seconds: float
    lag_ms: int
    batch: Batch


def start_query(
    source: "DataFrame",
    batches: Batches,
    contract: Contract,
    checkpoint: str,
    tell: Callable[[Measures], None],
    trigger: dict[str, Any],
) -> "StreamingQuery":
    """Start the query on a frame with SEQUENCE (string) and DATA (binary), one row a record.

    `checkpoint` is where Spark notes which records each batch has; `trigger` as `DataStreamWriter.trigger` takes it.
    """
    taken = source.select(SEQUENCE, DATA)
    query: StreamingQuery = (
        taken.writeStream.foreachBatch(batch_function(batches, contract, tell))
        .option("checkpointLocation", checkpoint)
        .trigger(**trigger)
        .start()
    )
    return query


def batch_function(
    batches: Batches, contract: Contract, tell: Callable[[Measures], None]
) -> "Callable[[DataFrame, int], None]":
    """What Spark calls with each micro-batch and its number. Raises what fails: the query ends and is begun again."""

    def judge(arrow: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        part = part_of(_records(arrow), contract)
        yield pa.RecordBatch.from_pydict({"rows": [part.rows], "notes": [part.notes]})

    def take(frame: "DataFrame", number: int) -> None:
        began = time.monotonic()
        query = frame.sparkSession.sparkContext.getLocalProperty(_QUERY_ID)
        parts = [Part.of(bytes(row.rows), row.notes) for row in frame.mapInArrow(judge, _PART).collect()]
        batch = batches.process_batch(parts, batch_name(query or "", number), datetime.now(UTC))
        if batch is not None:
            newest = batch.notes.last_received
            lag_ms = 0 if newest is None else max(0, round(time.time() * 1000) - newest)
            tell(Measures(time.monotonic() - began, lag_ms, batch))

    return take


def _records(arrow: Iterator[pa.RecordBatch]) -> Iterator[StreamRecord]:
    for some in arrow:
        for sequence, data in zip(some.column(0), some.column(1), strict=True):
            yield StreamRecord(sequence.as_py(), data.as_py())
