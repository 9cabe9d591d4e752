"""The steps of the runbooks: blocks of `console`, each with what is to come of it, or why it is for AWS alone."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT

FOLDER = CHECKOUT / "docs" / "runbooks"
# In the order in which the tests run them, on one platform.
NAMES = (
    "device-compromised",
    "dead-letters",
    "partition-missing",
    "replay-a-day",
    "bad-deploy",
    "restore-registry",
    "restore-warehouse",
    "rotate-certificates",
    "rotate-secrets",
    "region-loss",
)
_BLOCK = re.compile(r"((?:<!--[^>]*-->\n)*)```console\n(.*?)```", re.DOTALL)
_MARK = re.compile(r"<!-- (expect|exit|AWS only): (.*?) -->")
_PYTHON = re.compile(r"(?<![\w./])\.venv/bin/python(?!\S)")
_DAGSTER = re.compile(r"(?<![\w./])\.venv/bin/dagster(?!\S)")
STEP_SECONDS = 400


@dataclass(frozen=True)
class Step:
    """A block: its commands; what their output must match; their exit code; or why it is for AWS alone."""

    runbook: str
    number: int
    commands: str
    expected: tuple[str, ...]
    exit_code: int
    aws_only: str | None


def steps(name: str) -> list[Step]:
    """The blocks of a runbook in order. Raises ValueError for one that does not say what is to come of it."""
    found = []
    for number, (marks, commands) in enumerate(_BLOCK.findall((FOLDER / f"{name}.md").read_text()), 1):
        said = _MARK.findall(marks)
        expected = tuple(text for kind, text in said if kind == "expect")
        codes = [int(text) for kind, text in said if kind == "exit"]
        reasons = [text for kind, text in said if kind == "AWS only"]
        if bool(expected) == bool(reasons):
            raise ValueError(f"{name}, block {number}: say either what to `expect` or why it is `AWS only`")
        found.append(Step(name, number, commands, expected, (codes or [0])[0], (reasons or [None])[0]))
    if not found:
        raise ValueError(f"{name} has no block of `console`")
    return found


@dataclass
class Shell:
    """Runs steps one after the other; what one exports the next has."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, step: Step) -> subprocess.CompletedProcess[str]:
        """Run a step's commands as bash does, `aws` and `.venv/bin/...` being those of the tests."""
        kept = self.folder / "exported"
        commands = _PYTHON.sub(sys.executable, step.commands)
        commands = _DAGSTER.sub(str(Path(sys.executable).with_name("dagster")), commands)
        aws = f'aws() {{ {sys.executable} -m iot_pipeline_tests.support.aws_command "$@"; }}'
        before = f". {kept}" if kept.exists() else ":"
        script = f"set -euo pipefail\n{before}\n{aws}\nset -a\n{commands}\nset +a\nunset -f aws\nexport -p > {kept}\n"
        return subprocess.run(
            ["bash", "-c", script],
            cwd=CHECKOUT,
            env={**self.environment, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
