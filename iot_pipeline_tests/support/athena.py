"""An emulator and the local Athena: once a session, on free ports, with state in a temporary folder."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from pyathena.connection import Connection

from infra.local.emulator.credentials import Credentials
from infra.local.emulator.process import Emulator
from infra.local.emulator.process import start_emulator as emulator_of
from infra.local.servers.private_files import private_folder, write_private
from infra.local.trino.process import is_chosen, start_trino

REGION = "eu-west-1"
BUCKET = "athena-test"
# The folder of the emulator's state.
EMULATOR = "aws"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}


def client_of(url: str, service: str) -> Any:
    """boto3 at one endpoint."""
    return boto3.client(service, endpoint_url=url, **KEYS)  # type: ignore[call-overload]  # options in a dict


@dataclass
class LocalAthena:
    """Endpoints of the two servers and clients for them."""

    emulator_url: str
    athena_url: str
    process: "subprocess.Popen[bytes]"

    def client(self, service: str) -> Any:
        """boto3, at Athena for athena and at the emulator for the rest."""
        url = self.athena_url if service == "athena" else self.emulator_url
        return client_of(url, service)

    def connect(self, schema: str = "default", **options: Any) -> Connection[Any]:
        """PyAthena, with results under s3://<bucket>/results/."""
        return Connection(
            s3_staging_dir=f"s3://{BUCKET}/results/",
            schema_name=schema,
            endpoint_url=self.athena_url,
            poll_interval=0.02,
            **(KEYS | options),
        )

    def rows(self, sql: str, schema: str = "default") -> list[tuple[Any, ...]]:
        """Rows of one statement."""
        cursor = self.connect(schema).cursor()
        return list(cursor.execute(sql).fetchall())

    def start(self, sql: str, schema: str = "default", **options: Any) -> str:
        """StartQueryExecution; the execution's id."""
        answer = self.client("athena").start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": schema},
            ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
            **options,
        )
        return str(answer["QueryExecutionId"])

    def finish(self, execution_id: str) -> dict[str, Any]:
        """Wait for an execution; its QueryExecution."""
        athena = self.client("athena")
        while True:
            found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            if found["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                return found
            time.sleep(0.02)

    def run(self, sql: str, schema: str = "default", **options: Any) -> dict[str, Any]:
        """Start and finish."""
        return self.finish(self.start(sql, schema, **options))

    def put(self, key: str, data: bytes) -> None:
        """An object in the test bucket (not emulated: the emulator's real S3)."""
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=data)


def start_athena(
    state: Path, emulator_url: str, name: str = "athena", *options: str
) -> "tuple[subprocess.Popen[bytes], str]":
    """A local Athena of its own, with further options of its command line; (process, endpoint)."""
    ready = state / f"{name}.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "infra.local.athena", "--state-dir", str(state / name), "--ready-file", str(ready)]
    command += ["--s3-data-dir", str(state / EMULATOR / "s3"), "--memory-limit", "2GB", "--endpoint-url", emulator_url]
    command += options
    keys = {name.upper(): KEYS[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    process = subprocess.Popen(command, env=os.environ | keys)
    _wait(ready.exists, process)
    return process, f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"


@contextmanager
def engine_options(state: Path, emulator_url: str) -> Iterator[list[str]]:
    """Options of a local Athena for the engine that the environment asks for, which runs meanwhile."""
    if not is_chosen():
        yield []
        return
    keys = {name.upper(): KEYS[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    trino = start_trino(state / "trino", {"AWS_ENDPOINT_URL": emulator_url, "AWS_DEFAULT_REGION": REGION, **keys})
    try:
        yield ["--trino-url", trino.url]
    finally:
        trino.stop()


def start_emulator(state: Path) -> Emulator:
    """The local AWS, whose root's key is `KEYS`."""
    folder = private_folder(state / EMULATOR)
    root = Credentials(KEYS["aws_access_key_id"], KEYS["aws_secret_access_key"])
    write_private(folder / "credentials.json", json.dumps(asdict(root)))
    return emulator_of(folder)


def _wait(condition: Any, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{process.args!r} is not ready"
        time.sleep(0.02)
