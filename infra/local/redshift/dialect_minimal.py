"""Stands in for dialect.py until that is there."""

import re
from dataclasses import dataclass

from infra.local.redshift.commands import Command, parse_command

_CLAUSES = [
    (r"\bdiststyle\s+(all|even|key|auto)\b", ""),
    (r"\bdistkey\s*\([^)]*\)", ""),
    (r"\b(compound|interleaved)?\s*sortkey\s*\([^)]*\)", ""),
    (r"\bbackup\s+(no|yes)\b", ""),
    (r"\s+encode\s+\w+", ""),
    (r"\bsuper\b", "jsonb"),
    (r"\bgetdate\s*\(\s*\)", "(now() at time zone 'utc')"),
]


@dataclass(frozen=True)
class Translation:
    """PostgreSQL's text, or the command."""

    sql: str
    command: Command | None = None


def translate(sql: str) -> Translation:
    """As dialect.translate."""
    command = parse_command(sql)
    if command:
        return Translation("", command)
    for pattern, replacement in _CLAUSES:
        sql = re.sub(pattern, replacement, sql, flags=re.IGNORECASE)
    return Translation(sql)
