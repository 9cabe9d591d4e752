"""Starting a Trino over the local AWS's Glue catalog and S3, and stopping it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.local.athena.engines.trino_client import CATALOG, TrinoClient, TrinoError
from infra.local.servers.local_server import LocalError, LocalServer, launch
from infra.local.servers.loopback import HOST, free_port
from infra.local.servers.private_files import private_folder, write_private
from infra.local.trino.distribution import java, trino_home

CHOICE = "IOT_LOCAL_ATHENA"
"""The variable that says what runs the local Athena's statements: `duckdb`, or `trino`."""
_HEAP = "2G"
# Trino docs, "Deploying Trino", "JVM config", as far as one process of two cores needs it.
_JVM = (
    f"-Xmx{_HEAP}",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:ReservedCodeCacheSize=256M",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dfile.encoding=UTF-8",
    "-Duser.timezone=UTC",
    "--add-modules=jdk.incubator.vector",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)


@dataclass
class LocalTrino(LocalServer):
    """A running Trino."""

    port: int

    @property
    def url(self) -> str:
        """Of its client API."""
        return f"http://{HOST}:{self.port}"


def is_chosen() -> bool:
    """Whether the environment asks for Trino; LocalError for an engine that there is none of."""
    engine = os.environ.get(CHOICE, "duckdb")
    if engine not in {"duckdb", "trino"}:
        raise LocalError(f"{CHOICE} is {engine!r}: duckdb or trino was expected")
    return engine == "trino"


def start_trino(state_dir: Path, environment: Mapping[str, str]) -> LocalTrino:
    """Start it with its state below `state_dir`, on a free port, and wait until it runs a statement.

    `environment` gives the emulator's endpoint, region and credentials. Raises LocalError if Trino or a Java for it is
    missing, or with the end of its log.
    """
    home, state_dir = trino_home(), private_folder(state_dir)
    port, log_file = free_port(), state_dir / "trino.log"
    _configure(state_dir, home, port, environment)
    command = [str(java()), *_JVM, f"-Dconfig={state_dir / 'config.properties'}"]
    command += [f"-Dlog.levels-file={state_dir / 'log.properties'}", "-cp", f"{home / 'lib'}/*"]
    process = launch([*command, "io.trino.server.TrinoServer"], log_file, state_dir, os.environ)
    trino = LocalTrino("Trino", process, log_file, port)
    trino.start(lambda: _runs_a_statement(trino.url))
    return trino


def _configure(state_dir: Path, home: Path, port: int, environment: Mapping[str, str]) -> None:
    endpoint, region = environment["AWS_ENDPOINT_URL"], environment["AWS_DEFAULT_REGION"]
    key, secret = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    (state_dir / "catalogs").mkdir(exist_ok=True)
    _write(
        state_dir / "config.properties",
        {
            "node.environment": "local",
            "node.bind-ip": HOST,
            "node.internal-address": HOST,
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "http-server.http.port": str(port),
            "discovery.uri": f"http://{HOST}:{port}",
            "plugin.dir": str(home / "plugin"),
            "catalog.config-dir": str(state_dir / "catalogs"),
            "query.max-memory": "1200MB",
            "query.max-memory-per-node": "1200MB",
            "memory.heap-headroom-per-node": "400MB",
            # One writer a statement, so that the limit of open partitions is the statement's, as Athena's is.
            "task.min-writer-count": "1",
            "task.max-writer-count": "1",
        },
    )
    _write(
        state_dir / "catalogs" / f"{CATALOG}.properties",
        {
            "connector.name": "hive",
            "hive.metastore": "glue",
            "hive.metastore.glue.region": region,
            "hive.metastore.glue.endpoint-url": endpoint,
            "hive.metastore.glue.aws-access-key": key,
            "hive.metastore.glue.aws-secret-key": secret,
            "hive.metastore.glue.skip-archive": "true",
            "fs.native-s3.enabled": "true",
            "s3.endpoint": endpoint,
            "s3.region": region,
            "s3.path-style-access": "true",
            "s3.aws-access-key": key,
            "s3.aws-secret-key": secret,
            # What Athena does: it writes external tables, projects partitions, opens at most 100 of them in a
            # statement, and reads the folders below a location.
            "hive.non-managed-table-writes-enabled": "true",
            "hive.partition-projection-enabled": "true",
            "hive.max-partitions-per-writers": "100",
            "hive.recursive-directories": "true",
            # Small files are not read whole, so that the bytes scanned are those of the columns.
            "parquet.small-file-threshold": "0B",
        },
    )
    _write(state_dir / "log.properties", {"": "WARN", "io.trino": "WARN", "io.airlift": "WARN"})


def _write(path: Path, properties: Mapping[str, str]) -> None:
    write_private(path, "".join(f"{name}={value}\n" for name, value in properties.items()))


def _runs_a_statement(url: str) -> bool:
    """A server says that it has started before it can run anything."""
    try:
        TrinoClient(url).whole("SHOW SCHEMAS", "default", lambda _: None)
    except (httpx.HTTPError, TrinoError):
        return False
    return True
