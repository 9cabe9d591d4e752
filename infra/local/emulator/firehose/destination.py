"""A delivery stream's S3 destination: what it may contain, and what follows from it for an object.

Amazon Data Firehose developer guide: "Amazon S3 object name format", "Custom prefixes for Amazon S3 objects".
"""

import gzip
import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ministack.services import firehose

from infra.local.emulator.firehose.conversion import conversion_problem
from infra.local.emulator.firehose.journal import Journal

_LAMBDA_KEY = "!{partitionKeyFromLambda:"
_ERROR_TYPE = "!{firehose:error-output-type}"
_PROCESSORS = {"AppendDelimiterToRecord", "Lambda"}
_stock_validate = firehose._validate_s3_destination_config


class DeliveryStreamError(RuntimeError):
    """A delivery stream that does not exist, or cannot take or deliver a record."""


def s3_destination(stream: Any) -> Any:
    """The configuration of a stream's S3 destination; raises DeliveryStreamError when it has none."""
    for destination in stream["destinations"]:
        if destination["type"] in ("ExtendedS3", "S3"):
            return destination["config"]
    msg = f"Firehose {stream['name']}: the local AWS delivers to S3 only, and this stream has no S3 destination"
    raise DeliveryStreamError(msg)


def object_key(stream: Any, config: Any, journal: Journal) -> str:
    """`<prefix><stream>-<version>-yyyy-MM-dd-HH-mm-ss-<id>[.gz]`, all times that of the object's oldest record."""
    extension = config.get("FileExtension") or compression_extension(config)
    return f"{prefix_of(config, journal, {})}{_name(stream, config, journal, journal.object_id)}{extension}"


def compression_extension(config: Any) -> str:
    """What an object's name ends with by the destination's own compression."""
    return ".gz" if config.get("CompressionFormat") == "GZIP" else ""


def compressed(config: Any, body: bytes) -> bytes:
    """An object's bytes by the destination's own compression."""
    return gzip.compress(body, compresslevel=6, mtime=0) if config.get("CompressionFormat") == "GZIP" else body


def part_key(stream: Any, config: Any, journal: Journal, prefix: str, extension: str) -> str:
    """The key of one of the objects that a journal is delivered as, under its prefix: the same whenever it is tried."""
    part = uuid.uuid5(uuid.UUID(journal.object_id), prefix)
    return f"{prefix}{_name(stream, config, journal, str(part))}{config.get('FileExtension') or extension}"


def prefix_of(config: Any, journal: Journal, lambda_keys: dict[str, str]) -> str:
    """The evaluated prefix of a record with these partition keys; raises ministack's _DeliveryError if one is missing.

    The time is that of the journal's oldest record.
    """
    return str(firehose._evaluate_prefix(config.get("Prefix", ""), _moment(config, journal), None, lambda_keys))


def error_prefix(config: Any, journal: Journal, failure: str) -> str:
    """The prefix of what failed so. Without one configured it is `<prefix><failure>/` (Firehose guide, "Amazon S3
    object name format").
    """
    template = config.get("ErrorOutputPrefix") or f"{config.get('Prefix', '')}{_ERROR_TYPE}/"
    return str(firehose._evaluate_prefix(template, _moment(config, journal), None, None, failure))


def _name(stream: Any, config: Any, journal: Journal, object_id: str) -> str:
    stamp = firehose._java_time("yyyy-MM-dd-HH-mm-ss", _moment(config, journal))
    return f"{stream['name']}-{stream['version']}-{stamp}-{object_id}"


def _moment(config: Any, journal: Journal) -> Any:
    return _local_time(config, journal.first_arrival).timetuple()


def validate_destination(kind: str, config: Any) -> Any:
    """What AWS refuses, and what the local AWS lacks; None when the destination is accepted."""
    refusal = _stock_validate(kind, config)
    problem = _destination_problem(config) if kind in ("ExtendedS3", "S3") and not refusal else None
    return firehose._invalid(problem) if problem else refusal


def _destination_problem(config: Any) -> str | None:
    hints = config.get("BufferingHints") or {}
    prefix, error_prefix = config.get("Prefix") or "", config.get("ErrorOutputPrefix") or ""
    unknown = [e for e in firehose._PREFIX_EXPR_RE.findall(prefix + error_prefix) if not _known_expression(*e)]
    processing = config.get("ProcessingConfiguration") or {}
    processors = {p["Type"] for p in processing.get("Processors") or []} if processing.get("Enabled") else set()
    checks = {
        "SizeInMBs must be 1 to 128": 1 <= int(hints.get("SizeInMBs", 5)) <= 128,
        "IntervalInSeconds must be 0 to 900": 0 <= int(hints.get("IntervalInSeconds", 300)) <= 900,
        f"unknown prefix expressions: {unknown}": not unknown,
        "Prefix cannot contain !{firehose:error-output-type}": _ERROR_TYPE not in prefix,
        "ErrorOutputPrefix is needed when Prefix contains expressions": bool(error_prefix) or "!{" not in prefix,
        "ErrorOutputPrefix must contain !{firehose:error-output-type}": "!{" not in error_prefix
        or _ERROR_TYPE in error_prefix,
        f"the local AWS lacks the processors {sorted(processors - _PROCESSORS)}": processors <= _PROCESSORS,
    }
    problem = next((problem for problem, fine in checks.items() if not fine), None)
    return problem or conversion_problem(config) or _partitioning_problem(config, prefix, processors)


def _partitioning_problem(config: Any, prefix: str, processors: set[str]) -> str | None:
    """Firehose guide, "Enable dynamic partitioning" and "Partitioning keys"; CreateDeliveryStream's own messages."""
    enabled = bool((config.get("DynamicPartitioningConfiguration") or {}).get("Enabled"))
    hints = config.get("BufferingHints") or {}
    checks = {
        "partitionKeyFromLambda needs dynamic partitioning": enabled or _LAMBDA_KEY not in prefix,
        "dynamic partitioning needs a partition key in Prefix; the local AWS has those of Lambda": not enabled
        or _LAMBDA_KEY in prefix,
        "partitionKeyFromLambda needs a Lambda processor": _LAMBDA_KEY not in prefix or "Lambda" in processors,
        "BufferingHints.SizeInMBs must be at least 64 when dynamic partitioning is enabled": not enabled
        or int(hints.get("SizeInMBs", 128)) >= 64,
        "BufferingHints.IntervalInSeconds must be at least 60 when dynamic partitioning is enabled": not enabled
        or int(hints.get("IntervalInSeconds", 300)) >= 60,
    }
    return next((problem for problem, fine in checks.items() if not fine), None)


def _known_expression(namespace: str, value: str) -> bool:
    if namespace == "firehose":
        return value in ("random-string", "error-output-type")
    return namespace in ("timestamp", "partitionKeyFromLambda")


def _local_time(config: Any, arrival: float) -> datetime:
    zone = config.get("CustomTimeZone")
    return datetime.fromtimestamp(arrival, ZoneInfo(zone) if zone else UTC)


def arrival_slot(config: Any, arrival: float) -> int:
    """One number an hour of the prefix (a quarter of one where zones differ from UTC by parts of an hour)."""
    return int(arrival // (900 if config.get("CustomTimeZone") else 3600))


def record_delimiter(config: Any) -> bytes:
    """What AppendDelimiterToRecord puts behind each record; nothing without that processor."""
    processing = config.get("ProcessingConfiguration") or {}
    if not processing.get("Enabled"):
        return b""
    for processor in processing.get("Processors") or []:
        if processor["Type"] == "AppendDelimiterToRecord":
            parameters = {p["ParameterName"]: p["ParameterValue"] for p in processor.get("Parameters") or []}
            return str(parameters.get("Delimiter", "\\n")).replace("\\n", "\n").encode()
    return b""
