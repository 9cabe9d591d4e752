"""The verdict over one environment."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.stacks.checks import Finding, Synthesised, findings_of
from infra.verdict.acknowledged import Acknowledgement, acknowledgements, unexplained, without_accepted
from infra.verdict.linting import lint_findings

# The CDK's own linter reports what cfn-lint does; its report and cdk-nag's are one file.
_REPORT = "validation-report.json"
# Written beside an assembly that cdk-nag has looked at.
NAG_NOTE = "cdk-nag.json"


@dataclass(frozen=True)
class Verdict:
    """What an environment consists of, what is wrong with it, and what was accepted."""

    environment: Synthesised
    findings: list[Finding]
    acknowledgements: list[Acknowledgement]


def judge(environment: Synthesised, state_dir: Path) -> Verdict:
    """Lint, cdk-nag as the assembly's report has it, our own checks; less what was accepted with a reason.

    Raises ValueError without the assembly's folder.
    """
    if environment.folder is None:
        raise ValueError("a verdict is over a cloud assembly: the environment has no folder")
    accepted = acknowledgements(environment.folder)
    own, idle = without_accepted(findings_of(environment), accepted, environment.folder)
    reported = list(_reported(environment.folder))
    return Verdict(
        environment,
        [*lint_findings(environment, state_dir), *reported, *own, *idle, *unexplained(accepted)],
        accepted,
    )


def _reported(folder: Path) -> Iterator[Finding]:
    """What the plugins of the synth have found; that cdk-nag has not looked is a finding itself."""
    if not (folder / NAG_NOTE).is_file():
        yield Finding("cdk-nag", "", folder.name, "has not looked: write the assembly with infra.verdict.judged_app")
    report = folder / _REPORT
    plugins = json.loads(report.read_text())["pluginReports"] if report.is_file() else []
    for plugin in plugins:
        for violation in plugin["violations"]:
            for place in violation["violatingConstructs"]:
                at = place.get("constructPath", "")
                yield Finding(violation["ruleName"], at.partition("/")[0], at, violation["description"])
