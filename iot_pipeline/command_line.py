"""What command lines share: where they print, tables of which nothing is cut, and an error in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from iot_pipeline import settings

# An id or an ARN may hold `:key:`, which would be printed as a picture. Not the terminal's width, which wraps by itself
# what is longer: other programs read it too, and an id must be whole.
out = Console(highlight=False, emoji=False, width=200)
err = Console(stderr=True, highlight=False, emoji=False)


def table_of(*columns: str, show_header: bool = True) -> Table:
    """A table whose longest cells are wrapped, never cut."""
    return Table(*(Column(name, overflow="fold") for name in columns), box=None, show_header=show_header)


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
