"""Findings of cdk-nag that we accept, each with its reason."""

import aws_cdk as cdk
from constructs import IConstruct


def accept(scope: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding (`Rule` or `Rule[Finding]`) for a construct and what is below it."""
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))
