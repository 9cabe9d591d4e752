"""Opening a bulk import."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import boto3

from iot_pipeline.bulk_import.importer import Bounds, Importer, Progress, oldest_kept
from iot_pipeline.bulk_import.mapped_rows import Registry
from iot_pipeline.bulk_import.mapping import ImportMapping
from iot_pipeline.bulk_import.source_files import Sources
from iot_pipeline.settings import deployment, policy, retention


def open_importer(
    mapping: ImportMapping,
    folder: Path,
    registry: Callable[[], Registry] | None = None,
    progress: Progress | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> Importer:
    """An import into this deployment's lake. `folder` takes its temporary files; `registry` asks where every device
    was; `on_read` is told how many bytes were read.

    Raises pydantic.ValidationError naming each variable that is missing or wrong.
    """
    s3 = boto3.client("s3")
    kept = [getattr(retention(), name) for name in ("raw", "judged", "quarantine", "ledger", "curated")]
    return Importer(
        s3=s3,
        bucket=deployment().lake_bucket,
        sources=Sources(s3, on_read),
        mapping=mapping,
        folder=folder,
        bounds=Bounds(policy().partitions_start, oldest_kept(kept, datetime.now(UTC))),
        registry=registry,
        progress=progress or Progress(),
    )
