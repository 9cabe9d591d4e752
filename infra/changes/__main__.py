"""`python -m infra.changes BASE`: what the working tree's stacks would change of those of another version.

BASE is a revision of git (`main~5`) or the folder of a cloud assembly. Exit code: 0 if nothing that holds data is
replaced or removed, 1 if something is, 2 if the comparison could not be made.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from infra.changes.change_lines import report_lines
from infra.changes.comparing import Change, compare
from infra.changes.cost_change import cost_lines
from infra.changes.revisions import assembly_of
from infra.local.deploy.stacks import DeployError
from infra.local.deploy.synth import synthesise
from infra.stacks.checks import read_assembly
from infra.stacks.config import DEFAULT_NAME
from infra.stacks.environments import environment

_STATE = Path(__file__).resolve().parents[2] / ".local" / "changes"


def changes_since(base: str, name: str, state_dir: Path) -> tuple[list[Change], list[str]]:
    """What differs of an environment between `base` and the working tree, and lines of what that costs.

    Raises ValueError and DeployError.
    """
    config = environment(name)
    with assembly_of(base, name) as folder:
        before, after = folder, synthesise(state_dir, name)
        changes = compare(read_assembly(before, config), read_assembly(after, config))
        return changes, cost_lines(before, after, config)


def main(arguments: list[str]) -> int:
    """Print the changes, and answer with the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.changes", description=__doc__.splitlines()[0])
    parser.add_argument("base", help="a revision of git, or the folder of a cloud assembly")
    parser.add_argument("--environment", default=DEFAULT_NAME, help="whose stacks; of environments.toml")
    parser.add_argument("--state", type=Path, default=_STATE, help="folder of what is kept from one time to the next")
    asked = parser.parse_args(arguments)
    try:
        changes, cost = changes_since(asked.base, asked.environment, asked.state)
    except (ValueError, DeployError) as error:
        print(error, file=sys.stderr)
        return 2
    console = Console(highlight=False, soft_wrap=True)
    for line in (*report_lines(changes), *cost):
        console.print(line)
    return 1 if any(change.loses_data for change in changes) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
