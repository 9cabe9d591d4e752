"""Starting the local Athena as a process of its own, and stopping it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.emulator.process import free_port
from infra.local.emulator.settings import HOST

CHECKOUT = Path(__file__).resolve().parents[3]
READY_SECONDS = 30.0
STOP_SECONDS = 60.0


class AthenaStartError(RuntimeError):
    """The local Athena did not start; the text says why."""


@dataclass
class LocalAthena:
    """A running local Athena."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint_url(self) -> str:
        """For `AWS_ENDPOINT_URL_ATHENA`."""
        return f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        """SIGTERM, and after a minute SIGKILL."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_athena(
    state_dir: Path, *, port: int | None, s3_data_dir: Path, environment: Mapping[str, str]
) -> LocalAthena:
    """Start it with its state below `state_dir`, on a free port unless one is given, and wait until it answers.

    `s3_data_dir` is where the emulator keeps objects; `environment` gives the emulator's endpoint and credentials.
    Raises AthenaStartError with the end of its log.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    ready = state_dir / "ready"
    ready.unlink(missing_ok=True)
    log = state_dir / "athena.log"
    command = [sys.executable, "-m", "infra.local.athena", "--port", str(port or free_port())]
    command += ["--state-dir", str(state_dir), "--ready-file", str(ready), "--s3-data-dir", str(s3_data_dir)]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=out, stderr=out, start_new_session=True, cwd=CHECKOUT
        )
    deadline = time.monotonic() + READY_SECONDS
    while not (ready.exists() and ready.read_text().strip()):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise AthenaStartError(f"the local Athena did not start; {log} ends with:\n{tail}")
        time.sleep(0.05)
    return LocalAthena(json.loads(ready.read_text())["port"], process)
