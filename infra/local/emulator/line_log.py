"""A log stream's lines in files."""

import struct
from typing import Any

from infra.local.emulator.file_log import FileLog

Event = dict[str, Any]


class LineLog(FileLog[Event]):
    """The events of a log stream as ministack reads a list of them."""

    # Milliseconds since 1970 of the event and of its arrival; bytes of the id, if it has one, and of the message.
    header = struct.Struct("<qqII")

    def body_bytes(self, fields: tuple[Any, ...]) -> int:
        """Of the id and the message."""
        return int(fields[2] + fields[3])

    def frame(self, item: Event) -> bytes:
        """An event with its header."""
        # CloudWatch Logs answers in UTF-8, which half of a surrogate pair has no place in.
        identity, message = str(item.get("eventId", "")).encode(), str(item["message"]).encode(errors="replace")
        # Ministack takes any number that PutLogEvents gives.
        times = int(item["timestamp"]), item["ingestionTime"]
        return self.header.pack(*times, len(identity), len(message)) + identity + message

    def item(self, frame: memoryview) -> Event:
        """The event of a frame."""
        timestamp, ingestion, id_bytes, _message_bytes = self.header.unpack_from(frame)
        body = bytes(frame[self.header.size :])
        event = {"timestamp": timestamp, "message": body[id_bytes:].decode(), "ingestionTime": ingestion}
        return event | {"eventId": body[:id_bytes].decode()} if id_bytes else event

    def __deepcopy__(self, memo: Any) -> Any:
        # Ministack sorts the events of a saved state by their time.
        return [{"timestamp": 0, **super().__deepcopy__(memo)}]
