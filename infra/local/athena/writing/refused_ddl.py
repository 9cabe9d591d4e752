"""Statements that Athena has and this server does not: refused by name, with what to do instead."""

import re

from infra.local.athena.errors import UnsupportedError

_ICEBERG = "Iceberg tables; use Hive tables (table_type HIVE)"
_REFUSED = [
    (r"merge\s+into\b", f"MERGE INTO: {_ICEBERG}"),
    (r"update\s", f"UPDATE: {_ICEBERG}"),
    (r"delete\s+from\b", f"DELETE: {_ICEBERG}"),
    (r"vacuum\s", f"VACUUM: {_ICEBERG}"),
    (r"optimize\s", f"OPTIMIZE: {_ICEBERG}"),
    (r"alter\s+table\s+\S+\s+rename\b", "ALTER TABLE RENAME; make the table anew with its LOCATION"),
    (r"alter\s+table\s+\S+\s+drop\s+column\b", f"ALTER TABLE DROP COLUMN: {_ICEBERG}, or REPLACE COLUMNS"),
    (r"alter\s+table\s+\S+\s+unset\b", f"ALTER TABLE UNSET TBLPROPERTIES: {_ICEBERG}"),
    (r"alter\s+view\b", "ALTER VIEW; write CREATE OR REPLACE VIEW"),
    (
        r"create\s+(?:or\s+replace\s+)?(?:protected\s+)?multi\s+dialect\s+view\b",
        "Data Catalog views; write CREATE VIEW",
    ),
    (r"show\s+functions\b", "SHOW FUNCTIONS"),
    (r"show\s+(?:stats|catalogs|session|roles|grants|role)\b", "SHOW of this"),
    (r"explain\s+analyze\b", "EXPLAIN ANALYZE; write EXPLAIN"),
    (r"using\s+external\s+function\b", "USING EXTERNAL FUNCTION"),
    (r"(?:grant|revoke|deny)\s", "GRANT, REVOKE and DENY"),
    (r"use\s", "USE; name the database in QueryExecutionContext"),
    (r"truncate\b", "TRUNCATE; drop the partitions, or the table"),
    (r"(?:commit|rollback|start\s+transaction)\b", "transactions"),
    (r"(?:analyze|call|set|reset)\b", "ANALYZE, CALL, SET and RESET"),
]
_PATTERNS = [(re.compile(pattern, re.IGNORECASE | re.DOTALL), what) for pattern, what in _REFUSED]


def refuse(text: str) -> None:
    """UnsupportedError for a statement that this server does not do, by the statement's first words."""
    for pattern, what in _PATTERNS:
        if pattern.match(text):
            raise UnsupportedError(f"{what} ({' '.join(text[:60].split())})")
