"""`python -m infra.local.demo.pulled_vendor`: a vendor's API on this machine, pulled into the running local AWS.

It serves the simulator's vendor, deploys the stack Pull for it, has its function read the last day by the command
`backfill`, and says how many readings the raw zone then holds of it. The local AWS (`make up`) has to run, and its
environment to be read (`set -a; . ./.env`).
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
from rich.console import Console

from infra.local.deploy.deployment import DeployResult, deploy_assembly
from infra.stacks.environments import from_process
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.node import use_packaged_node
from infra.stacks.pull.stack import PullStack
from simulator.vendor_api import CLIENT, CLIENT_PASSWORD, Observation, serving

_NAME = "local-weather"
_MINUTES_APART = 5
_FORM = """
name = "{name}"
base_url = "{url}/v1"
tenant = "acme"
every_minutes = 1440
requests_per_minute = 6000
[auth]
kind = "oauth2"
token_url = "{url}/token"
[devices]
"ST-1" = {{ device = "{name}-1", site = "north" }}
"ST-2" = {{ device = "{name}-2", site = "south" }}
[resources.observations]
path = "/observations"
[resources.observations.window]
from_parameter = "from"
to_parameter = "to"
format = "iso8601"
minutes = 60
settle_minutes = 0
start = {start}
[resources.observations.paging]
kind = "cursor"
parameter = "cursor"
next = "/meta/next_cursor"
size_parameter = "limit"
size = 10
total = "/meta/total"
[resources.observations.mapping]
items = "/data"
device = "/station/id"
ts = "/observed_at"
ts_format = "iso8601"
[resources.observations.mapping.metrics]
temperature = {{ at = "/values/temp_f", unit = "F" }}
"""


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
    """The exit code of the back-fill."""
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(days=1)
    steps = range(24 * 60 // _MINUTES_APART)
    start_ms = round(first.timestamp() * 1000)
    sent = [
        Observation(f"ST-{1 + n % 2}", start_ms + n * _MINUTES_APART * 60_000, n, {"temp_f": 50 + n % 20})
        for n in steps
    ]
    with TemporaryDirectory(prefix="vendor-") as folder, serving(sent) as api:
        text = _FORM.format(name=_NAME, url=api.url, start=last.isoformat())
        Path(folder, f"{_NAME}.toml").write_text(text)
        secret = {"client_id": CLIENT, "client_secret": CLIENT_PASSWORD}
        deployed = deploy_vendor(_NAME, Path(folder), secret, Console())
        command = [sys.executable, "-m", "iot_pipeline.pull", "backfill", _NAME, first.isoformat(), last.isoformat()]
        prefix = {"IOT_PULL_FUNCTION_PREFIX": deployed.outputs["PullFunctionPrefix"]}
        ended = subprocess.run(command, env={**os.environ, **prefix}, check=False).returncode
    print(f"the vendor had {len(sent)} readings; their objects are in the raw zone of this hour: pull-{_NAME}-...")
    return ended


if __name__ == "__main__":
    sys.exit(main())
