"""Searching CloudWatch Logs: what functions said. A line of a log cannot be removed; its group says when it goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.subject import Subject


@dataclass(frozen=True)
class LogSearch:
    """Searches the log groups whose names begin with one of these prefixes."""

    logs: Any
    prefixes: tuple[str, ...]
    subject: Subject
    since: datetime | None = None

    def found(self) -> Iterator[Found]:
        """Log groups that mention the subject. One that keeps its lines for ever has no expiry."""
        for prefix in self.prefixes:
            for page in self.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
                for group in page["logGroups"]:
                    yield from self._in(group["logGroupName"], group.get("retentionInDays"))

    def _in(self, group: str, days: int | None) -> Iterator[Found]:
        lines = 0
        since = self.since or datetime.now(UTC) - timedelta(days=days or 3653)
        for name in self.subject.names:
            pages = self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, filterPattern=f'"{name}"', startTime=int(since.timestamp() * 1000)
            )
            try:
                lines += sum(self.subject.mentioned_in(it["message"]) for page in pages for it in page["events"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
        if lines:
            yield Found("logs", group, lines, expires=f"{days} days after each line" if days else None)
