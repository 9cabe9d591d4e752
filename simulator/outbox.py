"""The outbox: what is to be sent and what became of it, on disk, so that no crash of the simulator loses a message.

SQLite in WAL mode with synchronous=NORMAL. A commit is one append to the log, without fsync, and outlives a killed
process at once; the log is synced when it is checkpointed, every 16 MB, so a power cut costs at most the newest
commits and never the file. That is why 400 messages a second cost next to nothing. A journal of our own would have
to do what SQLite does: find the unacknowledged among many, forget the settled, survive a torn write.
"""

import fcntl
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,     -- the order of publishing; never re-used
    device_id TEXT NOT NULL,
    number INTEGER NOT NULL,    -- among the device's messages
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    due_ms INTEGER NOT NULL,
    sent_ms INTEGER,            -- first time it was handed to the broker
    sends INTEGER NOT NULL DEFAULT 0,  -- how often it was handed over; the broker has it at most so often
    settled_ms INTEGER,         -- when the broker answered
    reason INTEGER              -- the MQTT reason code of that answer; 128 and more: rejected
);
CREATE INDEX IF NOT EXISTS unsettled ON message (id) WHERE settled_ms IS NULL;
CREATE TABLE IF NOT EXISTS batch (
    first_id INTEGER PRIMARY KEY,
    last_id INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    rows BLOB NOT NULL          -- what is expected of the readings, Arrow IPC stream
);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_CHECKPOINT_PAGES = 4_000
# MQTT 5 specification, 2.4: reason codes from here on are errors.
REJECTED = 128


@dataclass(frozen=True)
class Pending:
    """A message that the broker has not answered. `sent_ms` is None while it was never handed over."""

    id: int
    device_id: str
    topic: str
    payload: bytes
    due_ms: int
    sent_ms: int | None = None


@dataclass(frozen=True)
class NewMessage:
    """A message to append: its device, its number among the device's messages, topic, bytes, due time (epoch ms)."""

    device_id: str
    number: int
    topic: str
    payload: bytes
    due_ms: int


@dataclass(frozen=True)
class BatchRange:
    """A batch in the outbox: its first and last message id and how many readings it has."""

    first_id: int
    last_id: int
    readings: int


class Outbox:
    """The outbox of one output folder. One process at a time: opening raises BlockingIOError while another has it."""

    def __init__(self, folder: Path) -> None:
        """Open or create `outbox.db` in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "outbox.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise BlockingIOError(f"another simulator is using {folder}; stop it or choose another --out") from None
        self._db = sqlite3.connect(folder / "outbox.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file and let others use it."""
        self._db.close()
        self._lock.close()

    def get(self, name: str) -> Any:
        """A named value, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else orjson.loads(row[0])

    def put(self, **values: Any) -> None:
        """Store named values (JSON types), all in one step."""
        with self._db:
            self._db.execute("BEGIN")
            self._put(values)

    def _put(self, values: dict[str, Any]) -> None:
        rows = [(name, orjson.dumps(value)) for name, value in values.items()]
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def append(self, messages: Sequence[NewMessage], rows: pa.Table, **values: Any) -> list[Pending]:
        """Add a batch: messages in publish order, their expected rows (`message_index` counts from 0) and
        named values, in one step. Returns the messages with their ids.
        """
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        first = int(self.get("next_id") or 1)
        pending = [Pending(first + i, m.device_id, m.topic, m.payload, m.due_ms) for i, m in enumerate(messages)]
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO message (id, device_id, number, topic, payload, due_ms) VALUES (?, ?, ?, ?, ?, ?)",
                [(first + i, m.device_id, m.number, m.topic, m.payload, m.due_ms) for i, m in enumerate(messages)],
            )
            if messages:
                blob = sink.getvalue().to_pybytes()
                self._db.execute(
                    "INSERT INTO batch VALUES (?, ?, ?, ?)", (first, first + len(messages) - 1, rows.num_rows, blob)
                )
            self._put({**values, "next_id": first + len(messages)})
        return pending

    def unsettled(self) -> list[Pending]:
        """Every message that the broker has not answered, in publish order."""
        rows = self._db.execute(
            "SELECT id, device_id, topic, payload, due_ms, sent_ms FROM message WHERE settled_ms IS NULL ORDER BY id"
        )
        return [Pending(*row) for row in rows]

    def record(self, sent: Iterable[tuple[int, int]], settled: Iterable[tuple[int, int, int]]) -> None:
        """Note messages about to be sent, (time in epoch ms, id), and answers, (time, reason code, id)."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(
                "UPDATE message SET sent_ms = coalesce(sent_ms, ?), sends = sends + 1 WHERE id = ?", sent
            )
            self._db.executemany("UPDATE message SET settled_ms = ?, reason = ? WHERE id = ?", settled)

    def batches(self, settled: bool = False) -> list[BatchRange]:
        """The batches that are still here, or the leading ones of which every message was answered."""
        query = "SELECT first_id, last_id, readings FROM batch"
        if settled:
            query += " WHERE last_id < coalesce((SELECT min(id) FROM message WHERE settled_ms IS NULL), last_id + 1)"
        return [BatchRange(*row) for row in self._db.execute(f"{query} ORDER BY first_id")]

    def batch_rows(self, batch: BatchRange) -> pa.Table:
        """The expected rows of a batch."""
        blob = self._db.execute("SELECT rows FROM batch WHERE first_id = ?", (batch.first_id,)).fetchone()[0]
        return pa.ipc.open_stream(blob).read_all()

    def fates(self, batch: BatchRange) -> list[tuple[Any, ...]]:
        """(id, device_id, number, topic, sent_ms, settled_ms, sends, reason) of a batch's messages, by id."""
        return self._db.execute(
            "SELECT id, device_id, number, topic, sent_ms, settled_ms, sends, reason FROM message "
            "WHERE id BETWEEN ? AND ? ORDER BY id",
            (batch.first_id, batch.last_id),
        ).fetchall()

    def forget(self, last_id: int, **values: Any) -> None:
        """Delete batches and messages up to an id, which the manifest has by now, and store named values with it."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM batch WHERE last_id <= ?", (last_id,))
            self._db.execute("DELETE FROM message WHERE id <= ?", (last_id,))
            self._put(values)
