"""cfn-lint over templates, each content once."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from cfnlint.api import lint

from infra.stacks.checks import Finding, Synthesised


def lint_findings(environment: Synthesised, state_dir: Path) -> Iterator[Finding]:
    """What cfn-lint finds in each template for the environment's region; kept in `state_dir` by content."""
    for stack, template in environment.templates.items():
        for rule, message in _linted(template, environment.config.region, state_dir):
            yield Finding(f"cfn-lint {rule}", stack, "", message)


def _linted(template: Mapping[str, object], region: str, state_dir: Path) -> list[list[str]]:
    text = json.dumps(template, sort_keys=True)
    digest = hashlib.sha256(f"{version('cfn-lint')}\0{region}\0{text}".encode()).hexdigest()
    kept = state_dir / "lint" / f"{digest}.json"
    if kept.is_file():
        found: list[list[str]] = json.loads(kept.read_text())
        return found
    found = [[match.rule.id, match.message] for match in lint(text, regions=[region])]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found))
    return found
