"""`python -m infra.local.demo.pulled_vendor`: a vendor's API on this machine, pulled into the running local AWS.

It serves the simulator's vendor, deploys the stack Pull for it, has its function read a day by the command `backfill`,
and says how many readings the vendor had and where they are. The local AWS (`make up`) has to run, and its environment
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

import aws_cdk as cdk
import boto3
from botocore.exceptions import EndpointConnectionError
from rich.console import Console

from infra.local.deploy.deployment import DeployResult, deploy_assembly
from infra.local.deploy.stacks import DeployError
from infra.stacks.environments import from_process
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.node import use_packaged_node
from infra.stacks.pull.stack import PullStack
from simulator.vendor_api import CLIENT, CLIENT_PASSWORD, Observation, serving
from simulator.vendor_file import WEATHER

_NAME = "local-weather"
_MINUTES_APART = 5
# The simulator's vendor, whose schedule does not come round.
FORM = WEATHER.replace("every_minutes = 15", "every_minutes = 1440")


def deploy_vendor(name: str, folder: Path, secret: dict[str, str], console: Console) -> DeployResult:
    """Deploy the stack Pull for one vendor, whose file is in a folder, and fill its secret. Raises as `deploy`."""
    use_packaged_node()
    config = replace(from_process(), vendors=(name,))
    with TemporaryDirectory(prefix="pull-") as out:
        app = cdk.App(outdir=out, analytics_reporting=False, context=dict(RECOMMENDED))
        PullStack(app, config, folder)
        app.synth()
        deployed = deploy_assembly(Path(out), console, parts=("Pull",))
    boto3.client("secretsmanager").put_secret_value(SecretId=config.pull_secret(name), SecretString=json.dumps(secret))
    return deployed


def main() -> int:
    """The exit code of the back-fill; 2 where the local AWS does not run, or its environment was not read."""
    try:
        return _pull()
    except (DeployError, EndpointConnectionError) as error:
        how = "start the local AWS (`make up`), and read its environment: set -a; . ./.env"
        print(f"error: {error}; {how}", file=sys.stderr)
        return 2


def _pull() -> int:
    # An hour ago, since the vendor's data is settled some minutes after its hour.
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    first = last - timedelta(days=1)
    steps = range(24 * 60 // _MINUTES_APART)
    start_ms = round(first.timestamp() * 1000)
    sent = [
        Observation(f"ST-{1 + n % 2}", start_ms + n * _MINUTES_APART * 60_000, n, {"temp_f": 50 + n % 20, "rh": 40.5})
        for n in steps
    ]
    with TemporaryDirectory(prefix="vendor-") as folder, serving(sent) as api:
        text = FORM.format(name=_NAME, url=api.url, start=last.isoformat())
        Path(folder, f"{_NAME}.toml").write_text(text)
        secret = {"client_id": CLIENT, "client_secret": CLIENT_PASSWORD}
        deployed = deploy_vendor(_NAME, Path(folder), secret, Console())
        command = [sys.executable, "-m", "iot_pipeline.pull", "backfill", _NAME, first.isoformat(), last.isoformat()]
        prefix = {"IOT_PULL_FUNCTION_PREFIX": deployed.outputs["PullFunctionPrefix"]}
        ended = subprocess.run(command, env={**os.environ, **prefix}, check=False).returncode
    if not ended:
        print(f"the vendor had {len(sent)} readings; their objects are in the raw zone of this hour: pull-{_NAME}-...")
    return ended


if __name__ == "__main__":
    sys.exit(main())
