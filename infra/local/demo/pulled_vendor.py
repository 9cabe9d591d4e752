"""`python -m infra.local.demo.pulled_vendor`: a vendor's API on this machine, pulled into the running local AWS.

It serves the simulator's vendor, deploys the stack Pull for it, has its function read a day by the command `backfill`,
and waits until the vendor's readings are on the books. The local AWS (`make up`) has to run, and its environment
to be read (`set -a; . ./.env`).
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
from rich.console import Console

from infra.local.demo.lake_figures import arrival_hours
from infra.local.demo.way_books import on_local_aws, wait_for_books
from infra.local.deploy.deployment import DeployResult, deploy_assembly
from infra.stacks.environments import from_process
from infra.stacks.pull.alone import synthesise_pull
from simulator.vendor_api import CLIENT, CLIENT_PASSWORD, Observation, serving
from simulator.vendor_file import WEATHER

_MINUTES_APART = 5
# The simulator's vendor, whose schedule does not come round.
FORM = WEATHER.replace("every_minutes = 15", "every_minutes = 1440")


def deploy_vendor(name: str, folder: Path, secret: dict[str, str], console: Console) -> DeployResult:
    """Deploy the stack Pull for one vendor, whose file is in a folder, and fill its secret. Raises as `deploy`."""
    config = replace(from_process(), vendors=(name,))
    with TemporaryDirectory(prefix="pull-") as out:
        synthesise_pull(config, folder, Path(out))
        deployed = deploy_assembly(Path(out), console, parts=("Pull",))
    boto3.client("secretsmanager").put_secret_value(SecretId=config.pull_secret(name), SecretString=json.dumps(secret))
    return deployed


def main() -> int:
    """0 if every reading of the vendor's is on the books once, 1 if not, 2 where the local AWS does not run."""
    console = Console(highlight=False)
    with on_local_aws():
        return _pull(console)


def _pull(console: Console) -> int:
    began = datetime.now(UTC)
    # A vendor of this run alone, so that its books are.
    name = f"local-weather-{began:%m%d%H%M%S}"
    # An hour ago, since the vendor's data is settled some minutes after its hour.
    last = began.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    first = last - timedelta(days=1)
    steps = range(24 * 60 // _MINUTES_APART)
    start_ms = round(first.timestamp() * 1000)
    sent = [
        Observation(f"ST-{1 + n % 2}", start_ms + n * _MINUTES_APART * 60_000, n, {"temp_f": 50 + n % 20, "rh": 40.5})
        for n in steps
    ]
    with TemporaryDirectory(prefix="vendor-") as folder, serving(sent) as api:
        text = FORM.format(name=name, url=api.url, start=last.isoformat())
        Path(folder, f"{name}.toml").write_text(text)
        console.print(
            f"a vendor with {len(sent)} readings of two stations, of {first:%F %R} to {last:%F %R} UTC", soft_wrap=True
        )
        console.print("deploying the stack Pull for it")
        secret = {"client_id": CLIENT, "client_secret": CLIENT_PASSWORD}
        deployed = deploy_vendor(name, Path(folder), secret, Console(quiet=True))
        command = ["-m", "iot_pipeline.pull", "backfill", name, first.isoformat(), last.isoformat()]
        console.print(f"python {' '.join(command)}", soft_wrap=True)
        prefix = {"IOT_PULL_FUNCTION_PREFIX": deployed.outputs["PullFunctionPrefix"]}
        ended = subprocess.run([sys.executable, *command], env={**os.environ, **prefix}, check=False).returncode
    if ended:
        return ended
    devices = [f"{name}-{station}" for station in ("north", "south")]
    return 0 if wait_for_books(devices, len(sent), lambda: arrival_hours(began), first, console) else 1


if __name__ == "__main__":
    sys.exit(main())
