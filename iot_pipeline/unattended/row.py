"""A row of the table of what runs by itself, and the table."""

from collections.abc import Iterable
from dataclasses import dataclass

_HEAD = ("What", "When (UTC)", "What it does", "What it costs", "Who is woken")


@dataclass(frozen=True)
class Row:
    """One thing that runs by itself: its name in Markdown, when, what it does, what that costs, and who is woken by it
    or by its end.
    """

    name: str
    when: str
    does: str
    cost: str
    woken: str


def markdown(title: str, introduction: str, rows: Iterable[Row]) -> str:
    """A section with a table of these rows."""
    lines = [_HEAD, ("---",) * len(_HEAD)]
    lines += [(each.name, each.when, each.does, each.cost, each.woken) for each in rows]
    table = "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)
    return f"### {title}\n\n{introduction}\n\n{table}\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
