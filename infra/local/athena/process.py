"""Starting the local Athena as a process of its own, and stopping it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.freed_memory import GIVING_BACK
from infra.local.servers.local_server import LocalServer, launch
from infra.local.servers.loopback import HOST, free_port
from infra.local.servers.private_files import private_folder


@dataclass
class LocalAthena(LocalServer):
    """A running local Athena."""

    port: int

    @property
    def endpoint_url(self) -> str:
        """For `AWS_ENDPOINT_URL_ATHENA`."""
        return f"http://{HOST}:{self.port}"


def start_athena(
    state_dir: Path,
    *,
    port: int | None,
    s3_data_dir: Path,
    environment: Mapping[str, str],
    trino_url: str | None = None,
) -> LocalAthena:
    """Start it with its state below `state_dir`, on a free port unless one is given, and wait until it answers.

    `s3_data_dir` is where the emulator keeps objects; `environment` gives the emulator's endpoint and credentials;
    statements are run by the Trino at `trino_url`, or by DuckDB.
    Raises LocalError with the end of its log.
    """
    state_dir = private_folder(state_dir)
    ready, log_file = state_dir / "ready", state_dir / "athena.log"
    ready.unlink(missing_ok=True)
    port = port or free_port()
    command = [sys.executable, "-m", "infra.local.athena", "--port", str(port)]
    command += ["--state-dir", str(state_dir), "--ready-file", str(ready), "--s3-data-dir", str(s3_data_dir)]
    if trino_url:
        command += ["--trino-url", trino_url]
    process = launch(command, log_file, CHECKOUT, {**os.environ, **GIVING_BACK, **environment})
    athena = LocalAthena("the local Athena", process, log_file, port)
    athena.start(ready.exists)
    return athena
