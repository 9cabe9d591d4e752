"""The registry and the warehouse: a private network, Aurora PostgreSQL and Redshift Serverless."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.stacks.config import PlatformConfig
from infra.stacks.lake.stack import LakeStack
from infra.stacks.warehouse.aurora import add_registry
from infra.stacks.warehouse.network import WAREHOUSE_PORT, ZONES, add_network
from infra.stacks.warehouse.redshift import add_copy_role, add_warehouse
from iot_pipeline.contract import Contract, tables


class WarehouseStack(cdk.Stack):
    """What is asked by SQL and holds state: devices and their history, and the facts about them."""

    @property
    def availability_zones(self) -> list[str]:
        """Asked of AWS at deployment; the CDK would otherwise ask at synthesis, which needs credentials."""
        return [cdk.Fn.select(zone, cdk.Fn.get_azs()) for zone in range(ZONES)]

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PlatformConfig,
        contract: Contract,
        lake: LakeStack,
        env: cdk.Environment,
        synthesizer: cdk.IStackSynthesizer,
    ) -> None:
        super().__init__(scope, construct_id, env=env, synthesizer=synthesizer)
        key = kms.Key(
            self,
            "Key",
            description=f"Registry and warehouse of {config.name}: storage, backups, administrators' passwords",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        network = add_network(self)
        registry = add_registry(self, config, network, key)
        copy_role = add_copy_role(self, config, lake.bucket, lake.key, tables(contract))
        warehouse = add_warehouse(self, config, network, key, copy_role)
        host = warehouse.workgroup.attr_workgroup_endpoint_address
        if registry.secret is None:
            raise TypeError("the registry's cluster has no secret: manage_master_user_password must be set")
        outputs = {
            "RegistryHost": registry.cluster_endpoint.hostname,
            "RegistryPort": cdk.Token.as_string(registry.cluster_endpoint.port),
            "RegistrySecretArn": registry.secret.secret_arn,
            "WarehouseHost": host,
            # The attribute is a number, and an output must be text.
            "WarehousePort": cdk.Fn.select(1, cdk.Fn.split(":", f"{host}:{WAREHOUSE_PORT}")),
            "WarehouseSecretArn": warehouse.secret_arn,
            "WarehouseCopyRoleArn": copy_role.role_arn,
            "ClientSecurityGroup": network.client.security_group_id,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
