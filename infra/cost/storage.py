"""The lake's objects: storage by zone with its lifecycle, and the requests that make and move them."""

from collections.abc import Iterator

from infra.cost.athena_statements import statements_a_day
from infra.cost.design import Design
from infra.cost.fleet import DAYS_A_MONTH, Fleet
from infra.cost.intake import raw_bytes, raw_objects
from infra.cost.metering import GIGABYTE
from infra.cost.usage import Usage
from infra.cost.volumes import (
    CURATED_BYTES,
    JUDGED_BYTES,
    LEDGER_OBJECT_BYTES,
    LEDGER_ROW_BYTES,
    QUARANTINE_BYTES,
)
from infra.stacks.config import PlatformConfig
from iot_pipeline.settings import Policy

# The bill is of this month of a lake that keeps everything (docs/retention.md: the default).
AGE_MONTHS = 12
# infra/stacks/lake/lifecycle.py: raw goes to Standard-IA after 30 days and to Glacier Instant Retrieval after 90.
_STANDARD_DAYS, _IA_DAYS = 30, 60
# Amazon S3 pricing: both are billed for at least 128 KB an object; by default S3 moves no smaller ones (S3 guide,
# "Transitioning objects using Amazon S3 Lifecycle": since September 2024).
_SMALLEST_MOVED = 128 * 1024
# How long a replaced version of a partition can be brought back is set (`noncurrent_days`); before that it is kept for
# readers (IOT_RETAINED_VERSIONS_HOURS). Each of an open hour's versions holds half of it on average.
_KEPT_HOURS = Policy.model_fields["retained_versions_hours"].default
# Measured in the demo: a statement leaves its result and the result's metadata. Assumed: a statement reads ten objects
# with three requests each, and a publication of an hour in four tables makes as many objects as statements.
_PUTS_A_STATEMENT, _GETS_A_STATEMENT = 3, 30
# Two statements of a judging read the raw objects, each at least once.
_READS_OF_RAW = 4


def lake(fleet: Fleet, config: PlatformConfig, design: Design) -> Iterator[Usage]:
    """Storage and requests of S3."""
    objects, raw = raw_objects(fleet, config, design), raw_bytes(fleet, design)
    months = _months_by_class(raw / max(objects, 1))
    for price, share in months.items():
        if share:
            yield Usage(price, raw / GIGABYTE * share, "raw", f"{share:.3g} months' objects of {AGE_MONTHS}")
    if months["s3-ia"]:
        yield Usage("s3-to-ia", objects, "raw objects, 30 days old")
        yield Usage("s3-to-glacier-ir", objects, "raw objects, 90 days old")
    yield from _built(fleet, config, design, objects)
    statements = statements_a_day(fleet, design) * DAYS_A_MONTH
    yield Usage("s3-put", objects, "raw objects")
    yield Usage("s3-put", statements * _PUTS_A_STATEMENT, "what statements write", "3 a statement, assumed")
    yield Usage("s3-get", statements * _GETS_A_STATEMENT, "what statements read", "30 each, assumed")
    yield Usage(
        "s3-get", objects * _READS_OF_RAW, "raw objects", "judged and counted, and again when the hour has closed"
    )


def _built(fleet: Fleet, config: PlatformConfig, design: Design, objects: float) -> Iterator[Usage]:
    kept = {
        "judged": fleet.readings * JUDGED_BYTES,
        "quarantine": fleet.readings * QUARANTINE_BYTES,
        "ledger": min(objects * LEDGER_OBJECT_BYTES, fleet.messages * LEDGER_ROW_BYTES),
        "curated, by hour and by day": 2 * fleet.readings * CURATED_BYTES,
    }
    for zone, size in kept.items():
        yield Usage("s3-standard", size / GIGABYTE * AGE_MONTHS, zone, f"{AGE_MONTHS} months, in Standard")
    hourly = fleet.readings * (JUDGED_BYTES + QUARANTINE_BYTES + CURATED_BYTES) / DAYS_A_MONTH / 24
    hours, builds = _KEPT_HOURS + 24 * config.noncurrent_days, 60 / design.build_minutes
    replaced = hourly * builds / 2 * hours / GIGABYTE
    yield Usage(
        "s3-standard",
        replaced,
        "replaced versions",
        f"{builds:g} versions of half an hour each, kept {hours:g} hours",
    )


def _months_by_class(size: float) -> dict[str, float]:
    """For how many months' raw objects each class is billed. Small objects stay in Standard."""
    if size < _SMALLEST_MOVED:
        return {"s3-standard": AGE_MONTHS, "s3-ia": 0.0, "s3-glacier-ir": 0.0}
    standard, rare = _STANDARD_DAYS / DAYS_A_MONTH, _IA_DAYS / DAYS_A_MONTH
    return {"s3-standard": standard, "s3-ia": rare, "s3-glacier-ir": AGE_MONTHS - standard - rare}
