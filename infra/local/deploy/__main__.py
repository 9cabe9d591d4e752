"""`python -m infra.local.deploy STATE_DIR`: deploy to the AWS of the environment and print the outputs."""

import sys
from pathlib import Path

from rich.console import Console

from infra.local.deploy.deployment import deploy
from infra.local.deploy.stacks import DeployError


def main() -> int:
    """Deploy; 1 with the error's text when it fails."""
    if len(sys.argv) != 2:
        print("usage: python -m infra.local.deploy STATE_DIR", file=sys.stderr)
        return 2
    console = Console()
    try:
        result = deploy(Path(sys.argv[1]), console)
    except DeployError as error:
        console.print(f"deployment failed: {error}", markup=False, highlight=False, soft_wrap=True)
        return 1
    for key, value in result.outputs.items():
        console.print(f"{key} = {value}", markup=False, highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
