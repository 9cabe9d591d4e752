"""The changes as a reviewer reads them: security, what is replaced, what goes, the rest."""

from collections import Counter
from collections.abc import Iterator

from rich.markup import escape

from infra.changes.comparing import Change, Kind


def report_lines(changes: list[Change]) -> Iterator[str]:
    """Lines with rich's markup. A resource that holds data and is replaced or removed is red."""
    if not changes:
        yield "no template differs"
        return
    yield from _section("Security", _security(changes))
    yield from _section("Replaced", (_whole(change) for change in changes if change.kind.replaces))
    yield from _section("Removed", (_whole(change) for change in changes if change.kind is Kind.REMOVED))
    yield from _section("Changed", (_whole(change) for change in changes if change.kind is Kind.CHANGED))
    yield from _section("Added", (_head(change) for change in changes if change.kind is Kind.ADDED))
    counted = Counter(change.kind for change in changes)
    yield ", ".join(f"{number} {kind}" for kind, number in counted.items())
    endangered = [change for change in changes if change.loses_data]
    if endangered:
        yield f"[red]{len(endangered)} with data: replaced or removed[/red]"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    first = next(lines, None)
    if first is not None:
        yield f"[bold]{title}[/bold]"
        yield first
        yield from lines
        yield ""


def _security(changes: list[Change]) -> Iterator[str]:
    for change in changes:
        if change.security:
            yield "\n".join([f"  {_name(change)}", *(f"    {escape(line)}" for line in change.security)])


def _whole(change: Change) -> str:
    return "\n".join([_head(change), *(f"    {escape(line)}" for line in change.properties)])


def _head(change: Change) -> str:
    if not change.loses_data:
        return f"  {_name(change)}"
    fate = "the old one stays in the account, and no stack holds it" if change.stays_behind else "its data goes with it"
    return f"  [red]{_name(change)}: {change.kind}, and holds data; {fate}[/red]"


def _name(change: Change) -> str:
    return f"{change.resource.stack} {change.resource.name} ({change.resource.type})"
