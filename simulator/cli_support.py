"""What the commands share: errors in one line, a progress bar, a run and how it ended."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from simulator.connection import Endpoint
from simulator.report import outcome_table
from simulator.run import Outcome, Run, Source
from simulator.run import Progress as RunProgress

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors a person can act on into one line and exit code 2."""
    try:
        yield
    except (ValueError, OSError, ClientError, BotoCoreError) as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(2) from error


def progress() -> Progress:
    """A progress bar on stderr; its tasks have a field `note`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.fields[note]}"), console=err)


def endpoint(text: str, ca: Path, topic_root: str) -> Endpoint:
    """The endpoint of `host:port`, a CA file and the topics' root.

    Raises ValueError or FileNotFoundError saying what was expected.
    """
    host, _, port = text.partition(":")
    if not host or (port and not port.isdigit()):
        raise ValueError(f"--endpoint {text!r}: expected host:port, such as localhost:8883")
    if not ca.is_file():
        raise FileNotFoundError(f"--ca {ca}: no such file; it must hold the CA of the broker's certificate (PEM)")
    return Endpoint(host, int(port or 8883), str(ca), topic_root)


def publish(target: Run, make_source: Callable[[], Source | None]) -> None:
    """Drive a run with a progress bar, print how it ended, exit with 1 unless everything was acknowledged."""
    with progress() as bar:
        task = bar.add_task("messages", total=None, note="connecting")

        def show(now: RunProgress) -> None:
            note = f"{now.connected} connected, {now.unanswered} waiting, {now.counts.rejected} rejected"
            bar.update(task, completed=now.answered, total=now.total, note=f"{note} {escape(now.error)}")

        target.on_progress = show
        try:
            outcome = asyncio.run(target.publish(make_source))
        finally:
            target.close()
    _conclude(outcome)


def _conclude(outcome: Outcome) -> None:
    summary, counts = outcome.summary, outcome.counts
    out.print(
        f"{counts.acknowledged:,} messages acknowledged in this run ({counts.again:,} of all sent once more), "
        f"{counts.rejected:,} rejected; the manifest has {summary.messages:,} messages, {summary.readings:,} readings",
        soft_wrap=True,
    )
    out.print(outcome_table(summary))
    for reason, messages in summary.rejected_messages.items():
        err.print(f"[red]{messages} messages rejected by the broker, MQTT reason {reason}[/]", soft_wrap=True)
    for device_id, error in list(outcome.errors.items())[:5]:
        err.print(f"[red]{device_id}: {escape(error)}[/]", soft_wrap=True)
    if summary.unacknowledged_messages:
        err.print(
            f"[bold red]{summary.unacknowledged_messages} messages are unacknowledged; they stay in the outbox and are "
            "sent first by the next run[/]",
            soft_wrap=True,
        )
    if summary.unacknowledged_messages or counts.rejected:
        raise typer.Exit(1)
