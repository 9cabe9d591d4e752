"""What has been accepted, by whom it is found and for which reason: from the assembly's own metadata."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.stacks.checks import Finding, acknowledged_id

_ENTRY = "aws:cdk:acknowledged-rules"
_OWN = acknowledged_id("")
# A reason is a sentence; shorter than this it is none.
_SENTENCE = 12


@dataclass(frozen=True)
class Acknowledgement:
    """A rule that was accepted for a construct and what is below it."""

    stack: str
    path: str
    rule: str
    reason: str

    @property
    def family(self) -> str:
        """The rule without the finding that is accepted of it."""
        return self.rule.partition("[")[0]


def acknowledgements(folder: Path) -> list[Acknowledgement]:
    """Every acknowledgement of an assembly."""
    return [
        Acknowledgement(stack, path, rule.removeprefix("Annotation::"), reason)
        for stack, path, kind, data in _entries(folder)
        if kind == _ENTRY
        for rule, reason in data.items()
    ]


def unexplained(accepted: list[Acknowledgement]) -> list[Finding]:
    """Those whose reason is no sentence."""
    return [
        Finding("acknowledgements_have_reasons", a.stack, a.path, f"{a.rule} is accepted because {a.reason!r}")
        for a in accepted
        if len(a.reason) < _SENTENCE
    ]


def without_accepted(
    found: list[Finding], accepted: list[Acknowledgement], folder: Path
) -> tuple[list[Finding], list[Finding]]:
    """(findings of our own checks that nobody has accepted, acknowledgements of them that nothing needs).

    An acknowledgement is of a check, or of one problem that the check tells of: `Platform::<check>[<problem>]`.
    """
    paths = {(stack, data): path for stack, path, kind, data in _entries(folder) if kind == "aws:cdk:logicalId"}
    own = [a for a in accepted if a.rule.startswith(_OWN)]
    used, left = set(), []
    for finding in found:
        path = paths.get((finding.stack, finding.resource), "")
        rule = acknowledged_id(finding.check)
        # The CDK writes blanks as hyphens.
        rules = (rule, f"{rule}[{finding.problem.replace(' ', '-')}]")
        covering = [a for a in own if a.rule in rules and _covers(a.path, path)]
        used.update(covering)
        if not covering:
            left.append(finding)
    idle = [
        Finding("acknowledgements_are_needed", a.stack, a.path, f"{a.rule} is accepted, and finds nothing here")
        for a in own
        if a not in used
    ]
    return left, idle


def _covers(accepted: str, path: str) -> bool:
    return path == accepted or path.startswith(f"{accepted}/")


def _entries(folder: Path) -> Iterator[tuple[str, str, str, Any]]:
    for file in sorted(folder.glob("*.metadata.json")):
        for path, entries in json.loads(file.read_text()).items():
            for entry in entries:
                yield file.name.partition(".")[0], path, entry["type"], entry.get("data")
