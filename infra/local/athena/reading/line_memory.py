"""What is known of text objects' lines from statements before: raw is read several times, but looked at once."""

import threading

import duckdb
from sqlglot import exp

from infra.local.athena.reading import scan
from infra.local.athena.reading.objects import ObjectStore, S3Object
from infra.local.athena.reading.scan import Scan
from infra.local.athena.sql import json_cast, json_lineage

_REMEMBERED = 1_000_000
"""Objects; beyond, everything is forgotten and looked at anew."""


class LineMemory:
    """Finds and remembers the lines of each object that DuckDB and Trino may read differently (json_cast)."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._suspects: dict[tuple[S3Object, str], frozenset[int]] = {}
        self._lock = threading.Lock()

    def trust(self, con: duckdb.DuckDBPyConnection, item: Scan, casts: list[tuple[exp.Cast, bool]]) -> None:
        """Mark those of the casts, made of the scan's lines, that no line of its objects can lead astray.

        Where some lines can, the casts of whole lines get their hashes: only those lines need a closer look.
        """
        if not casts or not item.objects or not scan.is_lines(item.table):
            return
        suspects = self._lines(con, item, json_lineage.pattern(casts))
        if suspects is not None:
            json_lineage.trust(casts, suspects)
            if suspects and self._lines(con, item, json_cast.ALWAYS) == frozenset():
                json_lineage.trust_within(casts)

    def _lines(self, con: duckdb.DuckDBPyConnection, item: Scan, pattern: str) -> frozenset[int] | None:
        """DuckDB's hashes of the lines that match, or None if there is nothing to match or no way to tell."""
        if not pattern:
            return None
        new = [o for o in item.objects if (o[0], pattern) not in self._suspects]
        if new:
            try:
                found = scan.lines_matching(con, self._store, Scan(item.table, set(), new, item.cleaned), pattern)
            except duckdb.InvalidInputException:
                return None  # bytes that are no text: the statement meets them too, and reads cleaned copies then
            with self._lock:
                if len(self._suspects) > _REMEMBERED:
                    self._suspects.clear()
                self._suspects |= {(o, pattern): found[o.uri] for o, _ in new}
        known = [self._suspects.get((o, pattern)) for o, _ in item.objects]
        return None if None in known else frozenset().union(*filter(None, known))
