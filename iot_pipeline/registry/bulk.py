"""Many devices in one call: from a CSV file, several at a time, as often as it takes."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from psycopg import Connection
from psycopg import Error as DatabaseError

from iot_pipeline.registry.csv_rows import cells, read_rows
from iot_pipeline.registry.errors import CompensationError, OnboardingError, RegistryError
from iot_pipeline.registry.onboarding import Onboarded
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.things import Certificate

REQUIRED = ("device_id", "tenant", "site", "model")
OPTIONAL = ("name", "firmware", "csr", "installed_at")
_SHOWN = 10


@dataclass(frozen=True)
class Outcome:
    """What became of one device; `reason` says why it failed."""

    device_id: str
    result: Literal["created", "kept", "failed"]
    reason: str = ""


def read_devices(path: Path) -> list[Request]:
    """The devices of a CSV file with the columns REQUIRED and any of OPTIONAL.

    `csr` is the path of a PEM file relative to the CSV file, and in its folder or below; `installed_at` is ISO 8601
    with a zone. Raises RegistryError naming the lines and columns that are wrong (the first ten), before anything is
    onboarded.
    """
    requests: dict[str, Request] = {}
    wrong: list[str] = []
    header, rows = read_rows(path, REQUIRED, OPTIONAL)
    for line, fields in rows:
        try:
            request = _request(cells(header, fields), path.parent)
            if request.device_id in requests:
                raise RegistryError(f"device {request.device_id} is in the file twice; keep one of them")
            requests[request.device_id] = request
        except (ValueError, OSError) as error:
            wrong.append(f"line {line}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise RegistryError(f"{path}: {'; '.join(wrong[:_SHOWN])}{more}")
    if not requests:
        raise RegistryError(f"{path}: no device below the first line; expected a line for each")
    return list(requests.values())


def onboard_all(
    connect: Callable[[], Connection[Any]],
    requests: Sequence[Request],
    operation: Callable[[Connection[Any], Request], Onboarded],
    on_outcome: Callable[[Outcome], None] = lambda _: None,
    workers: int = 8,
) -> list[Outcome]:
    """Onboard devices, `workers` at a time, each with a connection of its own; outcomes in the order of `requests`.

    `operation` is `onboard` or `adopt` with its client bound. A device that fails costs only itself. Calling it again
    does what is missing: what is onboarded already is kept. `on_outcome` is called in the calling thread. An interrupt
    lets the devices that are begun end, and begins no other.
    """
    outcomes: dict[str, Outcome] = {}
    with _connections(workers) as connections, ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_one, connections, connect, request, operation) for request in requests]
        try:
            for future in as_completed(futures):
                outcome = future.result()
                outcomes[outcome.device_id] = outcome
                on_outcome(outcome)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [outcomes[request.device_id] for request in requests]


def save(folder: Path, device_id: str, certificate: Certificate) -> None:
    """Write `<device_id>.crt`, and `<device_id>.key` (mode 0600) if AWS made the key, whole and onto the disk."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if certificate.private_key is not None:
        _write(folder / f"{device_id}.key", certificate.private_key, 0o600)
    _write(folder / f"{device_id}.crt", certificate.pem, 0o644)


def _write(path: Path, text: str, mode: int) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _request(row: dict[str, str], folder: Path) -> Request:
    if empty := [column for column in REQUIRED if not row[column]]:
        raise RegistryError(f"{', '.join(empty)} is empty")
    csr, installed_at = row.get("csr"), row.get("installed_at")
    return Request(
        device_id=row["device_id"],
        tenant_id=row["tenant"],
        site_id=row["site"],
        model_id=row["model"],
        name=row.get("name") or None,
        firmware=row.get("firmware") or None,
        csr=_signing_request(folder, csr) if csr else None,
        installed_at=_time(installed_at) if installed_at else None,
    )


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RegistryError(
            f"installed_at {text!r}, expected a time in ISO 8601 with a zone, such as 2026-11-20T12:00:00Z"
        ) from None


def _signing_request(folder: Path, name: str) -> str:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise RegistryError(f"{name} is not in the folder of the CSV file; move it there")
    try:
        return path.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise RegistryError(f"csr {name} is no PEM file; expected -----BEGIN CERTIFICATE REQUEST-----") from None


def _one(
    connections: "SimpleQueue[Connection[Any] | None]",
    connect: Callable[[], Connection[Any]],
    request: Request,
    operation: Callable[[Connection[Any], Request], Onboarded],
) -> Outcome:
    connection = connections.get()
    try:
        if connection is None or connection.closed:
            connection = connect()
        onboarded = operation(connection, request)
    except (
        *(RegistryError, OnboardingError, CompensationError),
        *(ClientError, BotoCoreError, DatabaseError, OSError),
    ) as error:
        return Outcome(request.device_id, "failed", " ".join(str(error).split()))
    finally:
        connections.put(connection)
    return Outcome(request.device_id, "created" if onboarded.created else "kept")


@contextmanager
def _connections(count: int) -> Iterator["SimpleQueue[Connection[Any] | None]"]:
    """A queue of `count` connections, each opened when it is first needed."""
    queue: SimpleQueue[Connection[Any] | None] = SimpleQueue()
    for _ in range(count):
        queue.put(None)
    try:
        yield queue
    finally:
        for _ in range(count):
            if connection := queue.get():
                connection.close()
