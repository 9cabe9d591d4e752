"""The executions that have ended, in a file: thousands a day would fill the server's memory."""

import pickle
import sqlite3
import threading
from pathlib import Path

from infra.local.athena.queries.execution import Execution

_SETTINGS = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -256;"
_TABLE = """
CREATE TABLE executions (number INTEGER PRIMARY KEY, id TEXT UNIQUE, workgroup TEXT, body BLOB);
CREATE INDEX by_workgroup ON executions (workgroup);
"""


class EndedExecutions:
    """The ended executions of a server's life; Athena's own remembers them for 45 days (user guide, "View recent
    queries").
    """

    def __init__(self, path: Path) -> None:
        """In a new file, in place of what an earlier server left there."""
        path.unlink(missing_ok=True)
        self._lock = threading.Lock()
        # One connection, which the lock gives to one thread at a time, with 256 KiB of pages in memory. What a crash
        # spoils is not read again.
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(_SETTINGS + _TABLE)

    def put(self, number: int, execution: Execution) -> None:
        """Keep one that has ended; `number` is its place among all."""
        row = (number, execution.id, execution.workgroup.name, pickle.dumps(execution))
        with self._lock:
            self._database.execute("INSERT INTO executions VALUES (?, ?, ?, ?)", row)

    def find(self, execution_id: str) -> Execution | None:
        """One of them, by its id."""
        with self._lock:
            found = self._database.execute("SELECT body FROM executions WHERE id = ?", (execution_id,)).fetchone()
        return pickle.loads(found[0]) if found else None  # noqa: S301  # this server has written it

    def ids(self, workgroup: str) -> dict[int, str]:
        """The ids of a workgroup's, by their places among all."""
        with self._lock:
            rows = self._database.execute("SELECT number, id FROM executions WHERE workgroup = ?", (workgroup,))
            return dict(rows.fetchall())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
