"""Dead letters: everything that failed on the way, counted, inspected and replayed."""

from typing import Annotated

import typer

from iot_pipeline.command_line import out, table_of
from iot_pipeline.connections.edge import open_dead_letters, open_replayer
from iot_pipeline.edge.dead_letters import SOURCES
from iot_pipeline.edge_commands.app import app, explained

SourceArgument = Annotated[str, typer.Argument(help=f"One of {', '.join(SOURCES)}.")]
_SHOWN_BYTES = 4_000


@app.command("dead-letters")
def dead_letters(
    source: Annotated[str | None, typer.Argument(help=f"One of {', '.join(SOURCES)}; all are counted.")] = None,
    show: Annotated[str | None, typer.Option(help="Print what is kept of the one with this id.")] = None,
) -> None:
    """What failed: messages no rule could hand on, records Firehose or the handler gave up, calls, notifications.

    What broke the contract is in the table `quarantined_telemetry` instead; judging its hours again replays it.
    """
    with explained():
        letters = open_dead_letters()
        if source is None:
            table = table_of("source", "dead letters")
            for name, count in letters.counts().items():
                table.add_row(name, str(count))
            out.print(table)
            return
        table = table_of("id", "at", "bytes", "reason")
        for letter in letters.list(source):
            if show == letter.id:
                out.print(letter.body[:_SHOWN_BYTES].decode("utf-8", "replace"), markup=False, soft_wrap=True)
                return
            table.add_row(letter.id, letter.at.isoformat(timespec="seconds"), str(len(letter.body)), letter.reason)
        if show is not None:
            raise ValueError(f"no dead letter of {source} has the id {show!r}; SQS hides what was just looked at: 30 s")
        out.print(table)


@app.command()
def replay(
    source: SourceArgument,
    only: Annotated[str | None, typer.Option("--id", help="Only the one with this id.  [default: all]")] = None,
) -> None:
    """Try dead letters again, after what made them fail is repaired; what succeeds is removed, the rest stays.

    Safe to repeat and to interrupt: a reading that comes twice is a duplicate, and the latest values only move forward.
    """
    with explained():
        replayer = open_replayer()
        replayed = failed = 0
        for letter, result in replayer.run(source, only):
            replayed += result == "replayed"
            failed += result != "replayed"
            out.print(f"{letter.id}: {result}", soft_wrap=True, markup=False)
    out.print(f"{replayed} replayed, {failed} stay")
    if failed:
        raise typer.Exit(1)
