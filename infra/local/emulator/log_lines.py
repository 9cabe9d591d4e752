"""Log lines that services of the local AWS write by themselves, in files.

CloudWatch Logs keeps lines for a log group's retention, months here. Stock ministack has them in memory, and in the
state that it saves. Here those of functions and delivery streams are in files, the newest `KEPT_BYTES` of a log stream.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs

from infra.local.emulator.line_log import LineLog

# Of a log stream.
KEPT_BYTES = 16 << 20

_folder: Path
_stock_restore = cloudwatch_logs._restore_state
_stock_delete_group, _stock_delete_stream = cloudwatch_logs._delete_log_group, cloudwatch_logs._delete_log_stream


def install(folder: Path) -> None:
    """Keep lines in a folder, and find there those of the saved state."""
    global _folder  # noqa: PLW0603  # ministack calls module functions; one of these a process
    _folder = folder
    cloudwatch_logs._restore_state = _restore
    cloudwatch_logs._delete_log_group = _then_remove_orphans(_stock_delete_group)
    cloudwatch_logs._delete_log_stream = _then_remove_orphans(_stock_delete_stream)


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
    events = _append(stream, _folder_of(get_account_id(), get_region(), group_name, stream_name), lines)
    cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, events)


def _append(stream: dict[str, Any], folder: Path, lines: list[str]) -> list[dict[str, Any]]:
    with cloudwatch_logs._log_events_lock:
        log = stream["events"]
        if not isinstance(log, LineLog):
            # Of a new stream, or one that PutLogEvents wrote to; of an older stream of this name it takes nothing over.
            shutil.rmtree(folder, ignore_errors=True)
            log, put = LineLog(folder), log
            log.extend(put)
            stream["events"] = log
        # A stream is in the order of its events' times, and the machine's clock may be set back.
        now = max(int(time.time() * 1000), stream["lastEventTimestamp"] or 0)
        events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
        log.extend(events)
        # Each start of a function has a stream of its own: they are many, and most are written to no more.
        log.close()
        log.drop(log.beyond(KEPT_BYTES))
        stream["firstEventTimestamp"] = stream["firstEventTimestamp"] or now
        stream["lastEventTimestamp"] = stream["lastIngestionTime"] = now
    return events


def _restore(data: Any) -> None:
    _stock_restore(data)
    for folder, stream in _streams():
        events = stream["events"]
        if events and "first" in events[0]:
            stream["events"] = LineLog(folder, events[0]["first"])
    _remove_orphans()


def _then_remove_orphans(stock: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def delete(data: Any) -> Any:
        answer = stock(data)
        _remove_orphans()
        return answer

    return delete


def _remove_orphans() -> None:
    """Remove the files of streams that were deleted."""
    with cloudwatch_logs._log_events_lock:
        kept = {folder for folder, stream in _streams() if isinstance(stream["events"], LineLog)}
        for folder in _folder.glob("*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def _streams() -> Iterator[tuple[Path, dict[str, Any]]]:
    for (account, region, group_name), group in list(cloudwatch_logs._log_groups.all_items()):
        for stream_name, stream in list(group["streams"].items()):
            yield _folder_of(account, region, group_name, stream_name), stream


def _folder_of(account: str, region: str, group_name: str, stream_name: str) -> Path:
    # Names of groups and streams hold slashes, and may be longer than those of files.
    name = f"{account}\n{region}\n{group_name}\n{stream_name}"
    return _folder / hashlib.sha256(name.encode()).hexdigest()[:32]
