"""Opening a bulk import."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import boto3

from iot_pipeline.bulk_import.importer import Bounds, Importer, Progress, oldest_kept
from iot_pipeline.bulk_import.mapped_rows import Placed, Registry
from iot_pipeline.bulk_import.mapping import ImportMapping
from iot_pipeline.bulk_import.source_files import Sources
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.registry.placements import placements
from iot_pipeline.settings import deployment, policy, retention


def open_importer(
    mapping: ImportMapping,
    folder: Path,
    progress: Progress | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> Importer:
    """An import into this deployment's lake. `folder` takes its temporary files; `on_read` is told each bytes read.

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
        registry=_registry,
        progress=progress or Progress(),
    )


def _registry() -> Registry:
    found: dict[str, list[Placed]] = defaultdict(list)
    with open_registry() as connection:
        for device, begin, end, tenant, site in placements(connection):
            until = None if end is None else round(end.timestamp() * 1000)
            found[device].append(Placed(round(begin.timestamp() * 1000), until, tenant, site))
    return found
