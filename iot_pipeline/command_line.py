"""What command lines share: where they print, tables of which nothing is cut, and an error in one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from iot_pipeline import settings

# What a terminal would take for a command: a device chooses its firmware's name, and what it sends that is no message.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Terminal(Console):
    """Prints text; of control characters it shows their codes."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(_CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text), **options)


class _PlainTable(Table):
    """A table whose cells say what they say, brackets included."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*(escape(cell) if isinstance(cell, str) else cell for cell in cells), **options)


# An id or an ARN may hold `:key:`, which would be printed as a picture. Not the terminal's width, which wraps by itself
# what is longer: other programs read it too, and an id must be whole.
out = _Terminal(highlight=False, emoji=False, width=200)
err = _Terminal(stderr=True, highlight=False, emoji=False)


def table_of(*columns: str, show_header: bool = True) -> Table:
    """A table whose longest cells are wrapped, never cut."""
    return _PlainTable(*(Column(name, overflow="fold") for name in columns), box=None, show_header=show_header)


def fail(message: str, error: Exception) -> NoReturn:
    """Say in one line what is wrong, and end with exit code 2."""
    err.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(2) from error


@contextmanager
def explained(*errors: type[Exception]) -> Iterator[None]:
    """Turn a wrong environment, and these errors, which a person can act on, into one line and exit code 2."""
    try:
        yield
    except ValidationError as error:
        fail(f"in the environment: {settings.wrong(error)}", error)
    except errors as error:
        fail(" ".join(str(error).split()), error)
