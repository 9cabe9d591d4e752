"""Searching CloudWatch Logs: what functions said. A line of a log cannot be removed; its group says when it goes.

Which group a function writes to is its own to say (Lambda API reference, LoggingConfig): a template may name it. Where
it has once written to another, that one has the group's default name, or is not known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.subject import Subject


@dataclass(frozen=True)
class LogSearch:
    """Searches the log groups of functions; a name that ends with `*` is of all that begin so."""

    logs: Any
    lambda_: Any
    functions: tuple[str, ...]
    subject: Subject
    since: datetime | None = None

    def found(self) -> Iterator[Found]:
        """Log groups that mention the subject. One that keeps its lines for ever has no expiry."""
        for group, days in sorted(self.groups().items()):
            yield from self._in(group, days)

    def groups(self) -> Mapping[str, int | None]:
        """The groups that are there, and for how many days each keeps a line; None: for ever."""
        found: dict[str, int | None] = {}
        for name in sorted(self._named()):
            for page in self.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name):
                for group in page["logGroups"]:
                    if group["logGroupName"] == name:
                        found[name] = group.get("retentionInDays")
        return found

    def _named(self) -> set[str]:
        """Where the functions say that they write, and where each writes unless it says so."""
        names = {f"/aws/lambda/{name}" for name in self.functions if not name.endswith("*")}
        for page in self.lambda_.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                called = function["FunctionName"]
                if any(fnmatchcase(called, name) for name in self.functions):
                    names |= {f"/aws/lambda/{called}", function.get("LoggingConfig", {}).get("LogGroup", "")} - {""}
        return names

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
