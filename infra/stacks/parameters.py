"""How one stack tells another what AWS has made: by SSM parameters.

A CloudFormation export cannot change, nor go, while another stack imports it; a parameter can. The reading stack takes
the value at its next deployment (CloudFormation guide, "Specify existing resources at runtime with
CloudFormation-supplied parameter types"). What has a name of our own
choosing needs neither: it is in the configuration.
"""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm

from infra.stacks.config import PlatformConfig


def publish(stack: Stack, config: PlatformConfig, values: Mapping[str, str]) -> None:
    """Write values for the stacks that depend on this one, each under its name."""
    for name, value in values.items():
        construct_id = "Published" + "".join(part.capitalize() for part in name.split("-"))
        ssm.StringParameter(stack, construct_id, parameter_name=config.parameter(name), string_value=value)


def read(stack: Stack, config: PlatformConfig, name: str) -> str:
    """A value that a stack this one depends on has published."""
    return ssm.StringParameter.value_for_string_parameter(stack, config.parameter(name))
