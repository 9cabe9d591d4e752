"""What the commands share: errors in one line, the client of AWS IoT, a progress bar, a report."""

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import boto3
import psycopg
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from iot_pipeline import settings
from iot_pipeline.command_line import err, fail, out
from iot_pipeline.connections.credentials import SecretError
from iot_pipeline.registry.bulk import Outcome
from iot_pipeline.registry.errors import CompensationError, OnboardingError, OverwriteError, RegistryError
from iot_pipeline.registry.things import DeviceKind
from iot_pipeline.registry.versions import MayOverwrite

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

_SHOWN = 10
_T = TypeVar("_T")


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors a person can act on into one line and exit code 2."""
    try:
        yield
    except ValidationError as error:
        fail(f"in the environment: {settings.wrong(error)}", error)
    except psycopg.errors.InsufficientPrivilege as error:
        fail(f"{error}; `migrate` and `password` are for the administrator, and come first".replace("\n", " "), error)
    except psycopg.errors.UndefinedTable as error:
        fail("the registry has no tables yet; run: python -m iot_pipeline.registry migrate", error)
    except (
        ValueError,
        OSError,
        ClientError,
        BotoCoreError,
        psycopg.Error,
        SecretError,
        OnboardingError,
        CompensationError,
    ) as error:
        fail(" ".join(str(error).split()), error)


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def confirmed(overwrite: bool, change: Callable[[MayOverwrite], _T]) -> _T:
    """What `change` returns, once it may overwrite what it has to.

    Without `overwrite` a person is asked, if there is one, about each loss that is found. Raises RegistryError if
    nobody can be asked or the answer is no; nothing was changed then.
    """
    if overwrite:
        return change(lambda _what, _recorded: True)
    agreed: set[tuple[str, object]] = set()
    while True:
        try:
            return change(lambda what, recorded: (what, recorded) in agreed)
        except OverwriteError as error:
            if not is_interactive():
                raise RegistryError(f"{error}; give --overwrite if that is what you want, or another --at") from error
            if not typer.confirm(f"{error}. Overwrite it?", err=True):
                raise RegistryError("nothing was changed") from error
            agreed.update(error.losses)


def device_kind() -> DeviceKind:
    """What this environment's stacks call the things' type and the certificates' policy."""
    names = settings.devices()
    return DeviceKind(names.thing_type, names.device_policy)


def iot_client(workers: int = 1) -> "IoTClient":
    """An AWS IoT client from the ordinary AWS environment; adaptive retries keep below the account's limits."""
    return boto3.client("iot", config=Config(max_pool_connections=workers, retries={"mode": "adaptive"}))


def progress() -> Progress:
    """A progress bar on stderr; its tasks have a field `note`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.fields[note]}"), console=err)


def conclude(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Write `outcomes.csv`, print the counts and the first failures, exit with 1 if any failed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    report = folder / "outcomes.csv"
    with report.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("device_id", "result", "reason"))
        writer.writerows((outcome.device_id, outcome.result, outcome.reason) for outcome in outcomes)
    counts = Counter(outcome.result for outcome in outcomes)
    out.print(
        f"{len(outcomes)} devices: {counts['created']} created, {counts['kept']} kept, {counts['failed']} failed; "
        f"each in {report}",
        soft_wrap=True,
    )
    failed = [outcome for outcome in outcomes if outcome.result == "failed"]
    for outcome in failed[:_SHOWN]:
        err.print(f"[red]{outcome.device_id}: {escape(outcome.reason)}[/]", soft_wrap=True)
    if failed:
        err.print("correct what is wrong and run it again: what is onboarded is kept", soft_wrap=True)
        raise typer.Exit(1)
