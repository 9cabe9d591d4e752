"""What all stacks have in common."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.stacks.config import PlatformConfig
from infra.stacks.parameters import read


class PlatformStack(cdk.Stack):
    """A stack of one environment, named after it; `holds_data` protects it from being deleted."""

    def __init__(self, scope: Construct, part: str, config: PlatformConfig, *, holds_data: bool) -> None:
        super().__init__(
            scope,
            config.stack(part),
            env=cdk.Environment(account=config.account, region=config.region),
            # The rule reads an SSM parameter of the bootstrap stack, which the local AWS does not have.
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=holds_data and config.deletion_protection,
        )
        self.config = config

    @property
    def availability_zones(self) -> list[str]:
        """Those of the configuration; the CDK would otherwise ask AWS at synthesis, which needs credentials."""
        return self.config.availability_zones

    def outputs(self, **values: str) -> None:
        """Write the stack's outputs: what the platform and its operators read."""
        for name, value in values.items():
            cdk.CfnOutput(self, name, value=value)

    def lake_key(self, construct_id: str = "LakeKey") -> kms.IKey | None:
        """The lake's key, in a stack that works on the lake's data; None where S3's own encryption has to do."""
        if not self.config.parts.customer_keys:
            return None
        return kms.Key.from_key_arn(self, construct_id, read(self, self.config, "lake-key"))

    def key(self, construct_id: str, domain: str, description: str) -> kms.Key:
        """A customer key for one domain, by which all others can be refused its data."""
        return kms.Key(
            self,
            construct_id,
            alias=self.config.key_alias(domain),
            description=description,
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
