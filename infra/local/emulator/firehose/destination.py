"""A delivery stream's S3 destination: what it may contain, and what follows from it for an object.

Amazon Data Firehose developer guide: "Amazon S3 object name format", "Custom prefixes for Amazon S3 objects".
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ministack.services import firehose

from infra.local.emulator.firehose.journal import Journal

_ERROR_TYPE = "!{firehose:error-output-type}"
_UNSUPPORTED = ("DynamicPartitioningConfiguration", "DataFormatConversionConfiguration")
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
    moment = _local_time(config, journal.first_arrival).timetuple()
    prefix = firehose._evaluate_prefix(config.get("Prefix", ""), moment)
    stamp = firehose._java_time("yyyy-MM-dd-HH-mm-ss", moment)
    extension = config.get("FileExtension") or (".gz" if config.get("CompressionFormat") == "GZIP" else "")
    return f"{prefix}{stream['name']}-{stream['version']}-{stamp}-{journal.object_id}{extension}"


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
    missing = [name for name in _UNSUPPORTED if (config.get(name) or {}).get("Enabled")]
    checks = {
        "SizeInMBs must be 1 to 128": 1 <= int(hints.get("SizeInMBs", 5)) <= 128,
        "IntervalInSeconds must be 0 to 900": 0 <= int(hints.get("IntervalInSeconds", 300)) <= 900,
        f"unknown prefix expressions: {unknown}": not unknown,
        "Prefix cannot contain !{firehose:error-output-type}": _ERROR_TYPE not in prefix,
        "ErrorOutputPrefix is needed when Prefix contains expressions": bool(error_prefix) or "!{" not in prefix,
        "ErrorOutputPrefix must contain !{firehose:error-output-type}": "!{" not in error_prefix
        or _ERROR_TYPE in error_prefix,
        f"the local AWS lacks {missing}": not missing,
        f"the local AWS lacks the processors {sorted(processors)}": processors <= {"AppendDelimiterToRecord"},
    }
    return next((problem for problem, fine in checks.items() if not fine), None)


def _known_expression(namespace: str, value: str) -> bool:
    return namespace == "timestamp" or (namespace == "firehose" and value in ("random-string", "error-output-type"))


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
