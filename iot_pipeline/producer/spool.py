"""The spool: what is still to be sent, on disk, so that no crash of the sender loses a message that it has taken.

SQLite in WAL mode with synchronous=NORMAL (SQLite, "Write-Ahead Logging", 2.3): a commit outlives a killed process at
once; the loss of power may cost the newest commits, and never the file.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of sending; never used again
    device TEXT NOT NULL,
    payload BLOB NOT NULL,
    taken_ms INTEGER NOT NULL              -- when it was spooled, epoch milliseconds UTC
);
CREATE TABLE IF NOT EXISTS given_up (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    payload BLOB NOT NULL,
    taken_ms INTEGER NOT NULL,
    error TEXT NOT NULL                    -- the code of the last attempt's error
);
"""


class SpoolInUseError(RuntimeError):
    """Another process sends from this spool."""


@dataclass(frozen=True, slots=True)
class Message:
    """A spooled message: its place in the order of sending, and when it was taken, epoch milliseconds UTC."""

    id: int
    device: str
    payload: bytes
    taken_ms: int


class Spool:
    """A spool's file. One process at a time; its threads take turns."""

    def __init__(self, path: Path) -> None:
        """Open a spool, or make it with its folder. Raises SpoolInUseError, OSError, sqlite3.Error."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock_file.close()
            raise SpoolInUseError(
                f"{path}: another process sends from it; give each producer one of its own"
            ) from error
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        rows = self._db.execute("SELECT count(*), coalesce(sum(length(payload)), 0) FROM message").fetchone()
        self.messages: int = rows[0]
        self.bytes: int = rows[1]

    def append(self, messages: Sequence[tuple[str, bytes]], now_ms: int) -> None:
        """Take messages, all or none: device and payload of each, in the order in which they are to be sent."""
        with self._lock, self._db:
            self._db.executemany(
                "INSERT INTO message (device, payload, taken_ms) VALUES (?, ?, ?)",
                ((device, payload, now_ms) for device, payload in messages),
            )
            self.messages += len(messages)
            self.bytes += sum(len(payload) for _device, payload in messages)

    def after(self, message_id: int, most: int, most_bytes: int) -> list[Message]:
        """The next messages behind an id, at most so many; payloads reach so many bytes with the last one at most."""
        found: list[Message] = []
        with self._lock:
            rows = self._db.execute(
                "SELECT id, device, payload, taken_ms FROM message WHERE id > ? ORDER BY id LIMIT ?", (message_id, most)
            )
            for row in rows:
                found.append(Message(*row))
                most_bytes -= len(row[2])
                if most_bytes <= 0:
                    break
            rows.close()
        return found

    def remove(self, messages: Iterable[Message]) -> None:
        """Forget what Kinesis has."""
        gone = list(messages)
        with self._lock, self._db:
            self._db.executemany("DELETE FROM message WHERE id = ?", ((message.id,) for message in gone))
            self._count_out(gone)

    def give_up(self, messages: Iterable[Message], error: str) -> None:
        """Set messages aside, with the code of their error: they are kept and not sent any more."""
        gone = list(messages)
        with self._lock, self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO given_up SELECT id, device, payload, taken_ms, ? FROM message WHERE id = ?",
                ((error, message.id) for message in gone),
            )
            self._db.executemany("DELETE FROM message WHERE id = ?", ((message.id,) for message in gone))
            self._count_out(gone)

    def given_up(self) -> int:
        """How many messages were set aside."""
        with self._lock:
            count: int = self._db.execute("SELECT count(*) FROM given_up").fetchone()[0]
            return count

    def close(self) -> None:
        """Close the file, for the next process."""
        with self._lock:
            self._db.close()
            self._lock_file.close()

    def _count_out(self, messages: Sequence[Message]) -> None:
        self.messages -= len(messages)
        self.bytes -= sum(len(message.payload) for message in messages)
