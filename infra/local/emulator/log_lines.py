"""Log lines that services of the local AWS write by themselves, in bounded memory."""

import time

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs

# Lines of a stream that are kept: what runs for days must not fill the memory.
KEPT_LINES = 20_000


def stream_arn(group_name: str, stream_name: str) -> str:
    """The ARN by which policies name a log stream (service authorization reference, Amazon CloudWatch Logs)."""
    return f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group_name}:log-stream:{stream_name}"


def append_lines(group_name: str, stream_name: str, lines: list[str]) -> None:
    """Add lines to a stream, in the current request scope; group and stream are made where they are missing."""
    now = int(time.time() * 1000)
    groups = cloudwatch_logs._log_groups
    if group_name not in groups:
        groups[group_name] = {
            "arn": cloudwatch_logs._make_group_arn(group_name),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    empty = {
        "events": [],
        "uploadSequenceToken": "1",
        "creationTime": now,
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }
    stream = groups[group_name]["streams"].setdefault(stream_name, empty)
    events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
    cloudwatch_logs._append_log_events(stream, events)
    if len(stream["events"]) > KEPT_LINES:
        stream["events"] = stream["events"][-KEPT_LINES // 2 :]
    cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, events)
