"""Our own checks of the synthesised templates, for what cfn-lint and cdk-nag do not look at."""

from infra.stacks.checks.every import CHECKS, acknowledged_id, findings_of
from infra.stacks.checks.finding import Check, Finding
from infra.stacks.checks.synthesised import Synthesised, Template, read_assembly

__all__ = [
    "CHECKS",
    "Check",
    "Finding",
    "Synthesised",
    "Template",
    "acknowledged_id",
    "findings_of",
    "read_assembly",
]
