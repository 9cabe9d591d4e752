"""Tables for people."""

from typing import TYPE_CHECKING

from rich.table import Table

from simulator.manifest_writer import Summary

if TYPE_CHECKING:
    from simulator.manifest import ExpectedLedger


def outcome_table(summary: Summary) -> Table:
    """Acknowledged readings by expected outcome."""
    table = Table("expected outcome", "readings")
    table.columns[1].justify = "right"
    for outcome, count in summary.by_outcome.items():
        table.add_row(outcome, f"{count:,}")
    return table


def ledger_table(ledger: "ExpectedLedger") -> Table:
    """The ledger that a manifest implies."""
    table = Table("expected", "count")
    table.columns[1].justify = "right"
    quarantined = sum(ledger.quarantined.values())
    for name, count in (
        ("messages", ledger.messages),
        ("readings", ledger.readings),
        ("  valid", ledger.valid),
        ("    curated (unique keys)", ledger.curated),
        ("    duplicates", ledger.duplicates),
        ("    conflicts", ledger.conflicts),
        ("  quarantined", quarantined),
        *((f"    {reason}", count) for reason, count in ledger.quarantined.items()),
        ("messages that may have arrived twice", ledger.resent_messages),
        ("  their readings", ledger.resent_readings),
    ):
        table.add_row(name, f"{count:,}")
    return table
