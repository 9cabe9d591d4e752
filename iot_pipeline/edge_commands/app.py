"""The application that the commands belong to, and what several of them share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from pydantic import ValidationError

from iot_pipeline import settings
from iot_pipeline.command_line import fail
from iot_pipeline.connections.credentials import SecretError
from iot_pipeline.edge.state_store import StatesUnreadError
from iot_pipeline.lake.hours import Hour, hours_between

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help="""The edge: what devices say now, the alerts they raise, the rules behind those, and what failed on the way.

Everything is found by the IOT_ variables of the environment (docs/operations.md) and the ordinary ones of AWS; those of
a file are read with `set -a; . ./.env`.

A first round:

`python -m iot_pipeline.edge alerts`

`python -m iot_pipeline.edge state sensor-1`

`python -m iot_pipeline.edge rules kinds`

`python -m iot_pipeline.edge dead-letters`
""",
)


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors a person can act on into one line and exit code 2."""
    try:
        yield
    except ValidationError as error:
        fail(f"in the environment: {settings.wrong(error)}", error)
    except psycopg.errors.UndefinedTable as error:
        fail("the registry has no tables of this release; run: python -m iot_pipeline.registry migrate", error)
    except (NoRegionError, NoCredentialsError) as error:
        fail(f"{error} AWS credentials and a region come from the environment: set -a; . ./.env", error)
    except (ValueError, OSError, ClientError, BotoCoreError, psycopg.Error, SecretError, StatesUnreadError) as error:
        fail(" ".join(str(error).split()), error)


def now_ms() -> int:
    """Epoch milliseconds UTC."""
    return int(datetime.now(UTC).timestamp() * 1000)


def arrival_hours(first: str, last: str) -> list[Hour]:
    """The hours from one moment to another, ISO 8601 with a zone. Raises ValueError if that is none."""
    begin, end = (Hour.of(datetime.fromisoformat(text)) for text in (first, last))
    if end < begin:
        raise ValueError(f"the last hour, {last}, is before the first, {first}; expected the earlier one first")
    return hours_between(begin, end)


def duration(text: str) -> timedelta:
    """A time such as 30m, 2h or 7d. Raises ValueError for anything else."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    try:
        if text[-1:] in units and float(text[:-1]) > 0:
            return timedelta(**{units[text[-1]]: float(text[:-1])})
    except ValueError:
        pass
    raise ValueError(f"{text!r} is no duration; expected a number and a unit, such as 30m, 2h or 7d")
