"""Where each shard's records are: `<folder>/<account>/<region>/<stream>/<shard>`, in place of lists in memory.

Stock ministack makes a shard with an empty list in several places, and its saved state holds all records. Here the list
is replaced when the shard is first used, and the state keeps the number of the first record alone. A shard's folder has
its starting sequence number in its name, so that a stream takes over nothing of a deleted one of the same name.
"""

import shutil
import threading
from pathlib import Path
from typing import Any

from ministack.core.arn import parse_arn
from ministack.services import kinesis

from infra.local.emulator.streams.record_log import RecordLog

_folder: Path
_replacing = threading.Lock()
_stock_restore = kinesis._restore_stream_store


def install(folder: Path) -> None:
    """Keep records in a folder, and find there those of the streams of the saved state."""
    global _folder  # noqa: PLW0603  # ministack calls module functions; one of these a process
    _folder = folder
    kinesis._restore_stream_store = _restore


def records_of(stream: Any, shard_id: str) -> RecordLog:
    """A shard's records."""
    shard = stream["shards"][shard_id]
    with _replacing:
        records = shard["records"]
        if not isinstance(records, RecordLog):
            saved = records if isinstance(records, dict) else {"first": 0}
            log = RecordLog(_folder_of(stream, shard_id), saved["first"])
            log.extend(record for record in records if saved is not records and record["SequenceNumber"] > log.last)
            records = shard["records"] = log
    return records


def remove_orphans() -> None:
    """Remove the files of streams that were deleted, and of shards that have expired."""
    kept = {
        _folder_of(stream, shard_id)
        for stream in list(kinesis._streams.all_values())
        for shard_id in list(stream["shards"])
    }
    for shard in _folder.glob("*/*/*/*"):
        if shard not in kept:
            shutil.rmtree(shard, ignore_errors=True)
            if not any(shard.parent.iterdir()):
                shard.parent.rmdir()


def _restore(data: Any) -> None:
    _stock_restore(data)
    for stream in kinesis._streams.all_values():
        for shard_id in stream["shards"]:
            records_of(stream, shard_id)
    remove_orphans()


def _folder_of(stream: Any, shard_id: str) -> Path:
    arn = parse_arn(stream["StreamARN"])
    folder = _folder / str(arn.account_id) / str(arn.region) / str(arn.resource).rpartition("/")[2]
    return folder / f"{shard_id}-{stream['shards'][shard_id]['starting_sequence_number']}"
