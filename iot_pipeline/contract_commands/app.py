"""The command line of the contract."""

import difflib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pyathena
import typer
from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.command_line import explained, out, table_of
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.contract import metrics
from iot_pipeline.contract_commands.compatibility import compared, verdict
from iot_pipeline.contract_commands.description import Description, described, text_of
from iot_pipeline.contract_commands.evidence import Evidence, gathered
from iot_pipeline.contract_commands.proposal import Proposal, Said, edited
from iot_pipeline.lake.hours import Hour

# What a person can act on.
_ACTED_ON = (ValueError, OSError, ClientError, BotoCoreError, pyathena.Error)
RELEASED = Path(__file__).with_name("released.json")
_PACKAGE = "iot_pipeline/contract"
_DESCRIBING = "iot_pipeline/contract_commands/description.py"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""The telemetry contract.

`python -m iot_pipeline.contract propose` shows what devices send that the contract does not know, and the edit of its
source that would take it up.

`python -m iot_pipeline.contract compatibility` says what the contract breaks of the one that was released, for whom.
""",
)


@app.command()
def propose(
    days: Annotated[float, typer.Option(help="Look at so many days of arrivals, up to the last hour.")] = 7.0,
    until: Annotated[str | None, typer.Option(help="The last arrival hour, UTC: 2026-11-27T23.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="NAME=SYMBOL: the unit of a field.")] = None,
    meaning: Annotated[list[str] | None, typer.Option(help="NAME=TEXT: what a field means.")] = None,
    convert: Annotated[
        list[str] | None, typer.Option(help="NAME:SYMBOL=FACTOR,OFFSET: a unit more of a metric.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Propose this field alone; may be given several times.")
    ] = None,
    source: Annotated[Path, typer.Option(help="The file to edit.")] = Path(metrics.__file__),
    write: Annotated[bool, typer.Option("--write", help="Edit it.")] = False,
) -> None:
    """What drift asks of the contract: its evidence, and the edit as a diff. Nothing is edited without `--write`."""
    with explained(*_ACTED_ON):
        last = Hour.of(_moment(until) if until else datetime.now(UTC))
        first = Hour.of(last.start - timedelta(days=days)) + 1
        said = Said(_pairs(unit), _pairs(meaning), dict(map(_conversion, convert or [])))
        lake = open_lake()
        evidence = gathered(lake, min(first, last), last)
        proposals = [each for each in evidence.proposals(lake.contract, said) if not only or each.name in only]
        before = source.read_text(encoding="utf-8")
        after = edited(before, proposals, datetime.now(UTC))
    _show(evidence, proposals)
    out.print(f"asked of Athena: {lake.athena.scanned_bytes:,} bytes, {lake.athena.dollars:.5f} USD")
    if after == before:
        out.print("nothing to edit")
        return
    out.print("".join(_diff(before, after, source)), markup=False, soft_wrap=True)
    if write:
        source.write_text(after, encoding="utf-8")
        out.print(f"{source} is edited. Next: `make format`, and docs/contract.md, 'Adding a metric'", soft_wrap=True)


@app.command()
def compatibility(
    against: Annotated[
        str | None, typer.Option(help="A commit or branch to compare with; else the contract that was released.")
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Afterwards, if nothing forbids it, record the contract as released.")
    ] = False,
) -> None:
    """What breaks whom, and what does not. Exit code 1 if the version would have to be raised."""
    with explained(*_ACTED_ON):
        old = _of_commit(against) if against else json.loads(RELEASED.read_text(encoding="utf-8"))
        new = described()
        changes = compared(old, new)
    table = table_of("effect", "for", "what", "meaning")
    for change in changes:
        table.add_row(change.effect.value, change.who.value, change.what, change.meaning)
    if changes:
        out.print(table)
    forbidden = verdict(old, new, changes)
    if forbidden:
        out.print("[bold red]not compatible:[/]", end=" ")
        out.print(forbidden, markup=False, soft_wrap=True)
        raise typer.Exit(1)
    than = against or "the contract that was released"
    out.print(
        f"{len(changes)} changes against {than}; none needs another version than {new['version']}", soft_wrap=True
    )
    if release:
        RELEASED.write_text(text_of(new), encoding="utf-8")
        out.print(f"recorded as released: {RELEASED}", soft_wrap=True)


def _show(evidence: Evidence, proposals: Iterable[Proposal]) -> None:
    if evidence.drift:
        table = table_of("what", "firmware", "field", "readings", "devices", "first seen (UTC)")
        for each in evidence.drift:
            count, devices = f"{each.readings:,}", f"{each.devices:,}"
            table.add_row(
                each.kind.value, each.firmware, each.field, count, devices, f"{each.first_seen:%Y-%m-%d %H:%M}"
            )
        out.print(table)
    else:
        out.print("devices keep to the contract")
    for proposal in proposals:
        does = "a metric" if proposal.metric else "a unit more" if proposal.unit else "no edit"
        out.print(f"{proposal.name}: {does}", markup=False)
        for note in proposal.notes:
            out.print(f"  {note}", markup=False, soft_wrap=True)


def _diff(before: str, after: str, source: Path) -> Iterator[str]:
    names = (f"a/{source.name}", f"b/{source.name}")
    return difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), *names)


def _of_commit(commit: str) -> Description:
    """The contract of a commit, described by this release's words: its package is run beside them, in a process of its
    own. Raises ValueError with git's or its own words if that fails.
    """
    root = RELEASED.parents[2]
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        archive = _run(
            ["git", "-C", str(root), "archive", "--format=tar", commit, "iot_pipeline/__init__.py", _PACKAGE]
        )
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        words = Path(folder, _DESCRIBING)
        words.parent.mkdir(exist_ok=True)
        words.with_name("__init__.py").touch()
        words.write_bytes((root / _DESCRIBING).read_bytes())
        module = _DESCRIBING.removesuffix(".py").replace("/", ".")
        found: Description = json.loads(_run([sys.executable, "-m", module], folder))
        return found


def _run(command: list[str], folder: str | None = None) -> bytes:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    return done.stdout


def _pairs(texts: Iterable[str] | None) -> dict[str, str]:
    found = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ValueError(f"{text!r}: expected NAME=VALUE")
        found[name] = value
    return found


def _conversion(text: str) -> tuple[tuple[str, str], tuple[float, float]]:
    head, _, numbers = text.rpartition("=")
    name, _, symbol = head.partition(":")
    try:
        factor, offset = (float(number) for number in numbers.split(","))
    except ValueError:
        raise ValueError(f"{text!r}: expected NAME:SYMBOL=FACTOR,OFFSET") from None
    return (name, symbol), (factor, offset)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no hour; expected 2026-11-01T05, UTC") from None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
