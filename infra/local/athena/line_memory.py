"""What is known of text objects' lines from statements before: raw is read several times, but looked at once."""

import threading

import duckdb
from sqlglot import exp

from infra.local.athena import json_cast, json_lineage, scan
from infra.local.athena.objects import ObjectStore, S3Object
from infra.local.athena.scan import Scan

_REMEMBERED = 1_000_000
"""Objects; beyond, everything is forgotten and looked at anew."""


class LineMemory:
    """Finds and remembers which objects hold lines that DuckDB and Trino may read differently (json_cast)."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._plain: dict[tuple[S3Object, str], bool] = {}
        self._lock = threading.Lock()

    def trust(self, con: duckdb.DuckDBPyConnection, item: Scan, casts: list[tuple[exp.Cast, bool]]) -> None:
        """Mark those of the casts, made of the scan's lines, that no line of its objects can lead astray."""
        if not casts or not item.objects or not scan.is_lines(item.table):
            return
        if self._all_plain(con, item, json_lineage.pattern(casts)):
            json_lineage.trust(casts, lines=True)
        elif self._all_plain(con, item, json_cast.ALWAYS):
            json_lineage.trust(casts, lines=False)

    def _all_plain(self, con: duckdb.DuckDBPyConnection, item: Scan, pattern: str) -> bool:
        if not pattern:
            return False
        new = [o for o in item.objects if (o[0], pattern) not in self._plain]
        if new:
            try:
                found = scan.lines_matching(con, self._store, Scan(item.table, set(), new, item.cleaned), pattern)
            except duckdb.InvalidInputException:
                return False  # bytes that are no text: the statement meets them too, and reads cleaned copies then
            with self._lock:
                if len(self._plain) > _REMEMBERED:
                    self._plain.clear()
                self._plain |= {(o, pattern): o.uri not in found for o, _ in new}
        return all(self._plain.get((o, pattern), False) for o, _ in item.objects)
