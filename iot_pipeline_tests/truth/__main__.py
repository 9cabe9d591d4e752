"""`make truth`: the local Athena's default engine held against a real Trino.

    python -m iot_pipeline_tests.truth [--expressions 10000] [--seed 1]

Three comparisons: the documented statements, expressions generated from all forms that are claimed to work, and all
tables that the product's own statements make of the benchmark's readings and of hostile payloads, value by value.
Exit code 1 if anything is silently different, or refused and not by name.
"""

import argparse
import sys
import time

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from infra.local.servers.local_server import LocalError
from infra.local.trino.distribution import VERSION
from iot_pipeline_tests import table_hashes
from iot_pipeline_tests.truth import documented, generated
from iot_pipeline_tests.truth.comparison import Tally, Verdict
from iot_pipeline_tests.truth.engines import DuckDBAnswers, TrinoAnswers


def main() -> int:
    """Compare, print, and say whether all is right."""
    options = _options()
    console, began = Console(soft_wrap=True), time.monotonic()
    tallies, trino_tables = _on_trino(options, console)
    right = _print(console, tallies)
    right = _print_tables(console, table_hashes.hashes_on("duckdb", console), trino_tables) and right
    console.print(f"Trino {VERSION}; {time.monotonic() - began:.0f} s; {'right' if right else 'NOT RIGHT'}")
    return 0 if right else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The local Athena held against a real Trino.")
    parser.add_argument("--expressions", type=int, default=10_000, help="how many are generated")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _on_trino(options: argparse.Namespace, console: Console) -> tuple[dict[str, Tally], table_hashes.Hashes]:
    with table_hashes.local_aws_on("trino", console) as platform, Progress(console=console) as progress:
        if platform.trino is None:
            raise RuntimeError("the local AWS was to run Trino")
        duckdb, trino = DuckDBAnswers(), TrinoAnswers(platform.trino.url)
        task = progress.add_task("generated expressions", total=options.expressions)
        tallies = {
            "documented statements": documented.compared(duckdb, trino),
            "generated expressions": generated.compared(
                duckdb, trino, options.seed, options.expressions, lambda done: progress.update(task, completed=done)
            ),
        }
        return tallies, table_hashes.hashes()


def _print(console: Console, tallies: dict[str, Tally]) -> bool:
    printed = Table("", *tallies, title="The default engine's answers against Trino's")
    for verdict in Verdict:
        printed.add_row(verdict, *(f"{tally.counts[verdict]:,}" for tally in tallies.values()))
    console.print(printed)
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    for fault in faults:
        console.print(fault, markup=False, highlight=False)
    return not faults


def _print_tables(console: Console, ours: table_hashes.Hashes, trinos: table_hashes.Hashes) -> bool:
    printed = Table("table", "rows here", "rows by Trino", "", title="What the product's statements make")
    for name in ours | trinos:
        here, there = ours.get(name, ("0", "")), trinos.get(name, ("0", ""))
        printed.add_row(name, here[0], there[0], "same" if here == there else "DIFFERENT")
    console.print(printed)
    return ours == trinos


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalError as error:  # no Java, no Maven, a server that does not start
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
