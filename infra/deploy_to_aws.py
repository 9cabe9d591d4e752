"""`python -m infra.deploy_to_aws ENVIRONMENT`: the verdict, what changes, and then the CDK's command line.

    --base REVISION   what was deployed last; what differs from it is printed first
    --part data       only the stacks that hold data, with what they need (all: everything)
    --places          print where the databases are, for the migrations, and deploy nothing

DAGSTER_DIGEST and CONSOLE_DIGEST in the environment are the images that the services run. Exit code: 0 when it is
deployed, 1 if the verdict has findings, 2 if it or AWS could not be asked, 3 without the CDK's command line.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.changes import __main__ as changes
from infra.local.deploy.stacks import DeployError
from infra.stacks.checks import Synthesised
from infra.stacks.config import NAME_VARIABLE, PlatformConfig
from infra.stacks.environments import environment, environments
from infra.verdict.assemblies import synthesised
from infra.verdict.judging import judge
from infra.verdict.verdict_lines import verdict_lines

# 3.0.0 cannot read the assemblies of this aws-cdk-lib.
CDK = "aws-cdk@2.1148.1"
_ROOT = Path(__file__).resolve().parents[1]
_STATE = _ROOT / ".local" / "verdict"
# The stack whose parameter ImageDigest says what runs: the variable that holds the digest.
_DIGESTS = {"Orchestration": "DAGSTER_DIGEST", "Console": "CONSOLE_DIGEST"}
_OUTPUTS = ("RegistryHost", "RegistrySecretArn", "WarehouseHost", "WarehouseSecretArn")


def main(arguments: list[str]) -> int:
    """Deploy what was asked for, and answer with the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy_to_aws", description=__doc__.splitlines()[0])
    parser.add_argument("environment", help="of infra/environments.toml")
    parser.add_argument("--base", help="a revision of git, or the folder of a cloud assembly")
    parser.add_argument("--part", choices=("all", "data"), default="all")
    parser.add_argument("--places", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        if asked.environment not in environments():
            known = ", ".join(environments())
            print(f"{asked.environment} is no environment: expected one of {known}", file=sys.stderr)
            return 2
        if asked.places:
            print("\n".join(places(environment(asked.environment))))
            return 0
        made = synthesised(_STATE)[asked.environment]
    except (ValueError, DeployError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    verdict = judge(made, _STATE)
    print("\n".join(verdict_lines({asked.environment: verdict})), flush=True)
    if verdict.findings:
        print("nothing is deployed: mend the findings, or accept them where they are", file=sys.stderr)
        return 1
    if asked.base and changes.main([asked.base, "--environment", asked.environment]) == 2:
        return 2
    command = shutil.which("cdk")
    if command is None:
        print(f"the CDK's command line is not installed: npm install --global {CDK}", file=sys.stderr)
        return 3
    stacks = data_stacks(made) if asked.part == "data" else ["--all"]
    app = f"{sys.executable} -m infra.app"
    deploy = [command, "deploy", *stacks, "--app", app, "--require-approval", "never", *digests(made)]
    variables = {**os.environ, NAME_VARIABLE: asked.environment}
    return subprocess.run(deploy, cwd=_ROOT, env=variables, check=False).returncode


def data_stacks(made: Synthesised) -> list[str]:
    """The stacks that hold data; the CDK's command line adds those that they depend on."""
    return sorted(stack for stack, tags in (made.tags or {}).items() if tags.get("data") == "held")


def digests(made: Synthesised) -> list[str]:
    """The options that tell the services' stacks which image to run; a digest that is not set stays what it was."""
    found = []
    for part, variable in _DIGESTS.items():
        stack = made.config.stack(part)
        parameters = made.templates.get(stack, {}).get("Parameters", {})
        if "ImageDigest" in parameters and os.environ.get(variable):
            found += ["--parameters", f"{stack}:ImageDigest={os.environ[variable]}"]
    return found


def places(config: PlatformConfig) -> list[str]:
    """Lines for a shell that export where the databases are, from the deployed stack's outputs.

    Raises DeployError where it has not all of them.
    """
    stack = config.stack("Warehouse")
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if missing := [name for name in _OUTPUTS if name not in outputs]:
        raise DeployError(f"the stack {stack} has no output {', '.join(missing)}: deploy it from this checkout first")
    return [f"export {re.sub('(?<!^)(?=[A-Z])', '_', name).upper()}={outputs[name]}" for name in _OUTPUTS]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
