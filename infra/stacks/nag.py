"""Findings of cdk-nag and cfn-lint that we accept, each with its reason."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def accept(scope: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding (`Rule` or `Rule[Finding]`) for a construct and what is below it."""
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def accept_wildcards(role: iam.Role, resources: list[str], reason: str) -> None:
    """Accept that a role's policy ends these resources with `*`; wildcards elsewhere stay findings."""
    for resource in resources:
        accept(role, f"AwsSolutions-IAM5[Resource::{resource}]", reason)


def accept_role_dependency(function: IConstruct) -> None:
    """Accept W3005 for a Lambda function: the construct lets it depend on its role, to which it refers anyway."""
    accept_lint(function.node.default_child, "W3005", "The construct's own dependency")


def accept_lint(resource: IConstruct | None, rule: str, reason: str) -> None:
    """Accept one rule of cfn-lint for a CloudFormation resource, also where the CDK itself applies it."""
    if not isinstance(resource, cdk.CfnResource):
        raise TypeError(f"expected a CfnResource, not {type(resource).__name__}")
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": [rule]}})
    accept(resource, f"CloudFormation-Validate::{rule}", reason)
