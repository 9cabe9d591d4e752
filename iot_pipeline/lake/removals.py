"""The book of removals: which hours retention has removed, and which raw objects an erasure has rewritten.

An entry is written before anything is removed. So whoever finds that something is missing, or finds raw objects written
after they were judged, asks here whether that was meant; only then, so that the book costs nothing where all is well.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from iot_pipeline.contract import PARTITION_KEYS
from iot_pipeline.contract.layout import REMOVALS
from iot_pipeline.lake.hours import Day, Hour, arrival_hour_of_key, partition_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RAW_TABLE = "raw_telemetry"
_REMOVED = "removed.json"
_ERASED = "erased/"


@dataclass(frozen=True)
class Removals:
    """The book of one lake."""

    s3: "S3Client"
    bucket: str

    def note(self, table: str, hour: Hour, entry: Mapping[str, Any]) -> None:
        """Enter that an hour of a table is about to be removed; `entry` says why and how much. Safe to repeat."""
        self._put(f"{REMOVALS}{table}/{hour.path}{_REMOVED}", entry)

    def removed(self, table: str, hours: Iterable[Hour]) -> set[Hour]:
        """Those of these hours, or days, that retention has removed of a table. A call for each day asked about."""
        wanted = set(hours)
        found: set[Hour] = set()
        for day in sorted({Day.of(hour.start) for hour in wanted}):
            prefix = f"{REMOVALS}{table}/"
            for key in self._keys(f"{prefix}{day.path}"):
                if key.endswith(f"/{_REMOVED}"):
                    parts = key.removeprefix(prefix).split("/")[:-1]
                    found.add(partition_of([part.partition("=")[2] for part in parts]))
        return found & wanted

    def entered_since(self, arrival_hours: Iterable[Hour], moment: datetime) -> set[Hour]:
        """Those of these arrival hours of whose raw objects anything was entered since a moment (aware)."""
        wanted, since, found = set(arrival_hours), moment.replace(microsecond=0), set[Hour]()
        for day in sorted({Day.of(hour.start) for hour in wanted}):
            prefix = f"{REMOVALS}{RAW_TABLE}/"
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{prefix}{day.path}")
            for item in (item for page in pages for item in page.get("Contents", [])):
                if item["LastModified"] >= since:
                    parts = item["Key"].removeprefix(prefix).split("/")[: len(PARTITION_KEYS)]
                    found.add(partition_of([part.partition("=")[2] for part in parts]))
        return found & wanted

    def entry(self, table: str, hour: Hour) -> Mapping[str, Any]:
        """What was entered of an hour that was removed. Raises botocore's ClientError if nothing was."""
        return self._get(f"{REMOVALS}{table}/{hour.path}{_REMOVED}")

    def note_erased(self, erasure: str, hour: Hour, lines: Mapping[str, int]) -> None:
        """Enter the raw objects (s3://bucket/key) of an arrival hour that an erasure rewrites, and how many lines each
        loses. What the same erasure entered before of other objects stays.

        `erasure` is a salted hash: nothing here names whose lines they were.
        """
        key = f"{REMOVALS}{RAW_TABLE}/{hour.path}{_ERASED}{erasure}.json"
        before = self._get(key)["lines"] if key in self._keys(key) else {}
        self._put(key, {"erasure": erasure, "lines": {**before, **lines}})

    def erased(self, hour: Hour) -> dict[str, int]:
        """The raw objects of an arrival hour that erasures have rewritten, and how many lines each has lost."""
        found: dict[str, int] = {}
        for key in self._keys(f"{REMOVALS}{RAW_TABLE}/{hour.path}{_ERASED}"):
            for uri, lines in self._get(key)["lines"].items():
                found[uri] = found.get(uri, 0) + int(lines)
        return found

    def explains(self, key: str) -> bool:
        """Whether a raw object's removal, or that of a version of it, was meant. Raises ValueError for another key."""
        hour = arrival_hour_of_key(key)
        return bool(self.removed(RAW_TABLE, [hour])) or f"s3://{self.bucket}/{key}" in self.erased(hour)

    def _keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _put(self, key: str, entry: Mapping[str, Any]) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(entry, sort_keys=True).encode())

    def _get(self, key: str) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return entry
