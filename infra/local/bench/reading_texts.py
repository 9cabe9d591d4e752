"""What it costs to read a megabyte of each kind (`make bench-reading-texts`), CPU time of one process.

The local Redshift reads the whole megabyte, or refuses it. Athena takes no statement of more than 262,144 bytes, so
that its megabyte is refused by its length; what the largest statement costs is beside it. Exit code 1 if a megabyte
takes more than 50 ms. The least of some turns is shown: what else the machine does adds to the others.
"""

import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table
from sqlglot.errors import SqlglotError

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.bounds import MAX_QUERY_BYTES
from infra.local.athena.sql.dialect import parse_query
from infra.local.bench.hostile_statements import MEGABYTE, long_texts
from infra.local.redshift.dialect import translate
from infra.local.redshift.unsupported import UnsupportedError

MOST_MILLISECONDS = 50.0


def measure(turns: Annotated[int, typer.Option(min=1, help="How often each is read.")] = 5) -> None:
    """Read each text some times; print the least CPU milliseconds, and what came of it."""
    columns = ("", "Redshift, 1 MB", "", "Athena, 1 MB", f"Athena, {MAX_QUERY_BYTES:,} bytes", "")
    table, worst = Table(*columns), 0.0
    largest = long_texts(MAX_QUERY_BYTES)
    translate("select 1")
    parse_query("select 1")
    for name, text in long_texts(MEGABYTE).items():
        redshift, said = _read(translate, text, turns)
        athena, _ = _read(parse_query, text, turns)
        most, said_of_most = _read(parse_query, largest[name], turns)
        worst = max(worst, redshift, athena)
        table.add_row(name, f"{redshift:.1f}", said, f"{athena:.1f}", f"{most:.1f}", said_of_most)
    console = Console(width=160)
    console.print(table)
    machine = f"{psutil.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    console.print(f"at most {worst:.1f} ms for a megabyte, {MOST_MILLISECONDS:g} are allowed ({machine})")
    raise typer.Exit(int(worst > MOST_MILLISECONDS))


def _read(read: Callable[[str], object], text: str, turns: int) -> tuple[float, str]:
    took, said = [], "read"
    for _ in range(turns):
        began = time.process_time()
        try:
            read(text)
        except (QueryError, UnsupportedError, SqlglotError) as error:
            said = f"refused: {str(error).partition(': ')[2] or error}"[:45].replace("\n", " ")
        took.append((time.process_time() - began) * 1000)
    return min(took), said


if __name__ == "__main__":
    typer.run(measure)
