"""The registry and the warehouse: Aurora PostgreSQL and Redshift Serverless in the private network."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.network.vpc import WAREHOUSE_PORT
from infra.stacks.parameters import publish, read
from infra.stacks.warehouse.published_network import find_network
from infra.stacks.warehouse.redshift import add_copy_role, add_warehouse
from infra.stacks.warehouse.registry_database import add_registry
from infra.stacks.warehouse.user_secrets import add_user_secrets
from iot_pipeline.contract import Contract, tables
from iot_pipeline.registry import users as registry_users
from iot_pipeline.warehouse import users as warehouse_users


class WarehouseStack(PlatformStack):
    """What is asked by SQL and holds state: devices and their history, and the facts about them."""

    def __init__(self, scope: Construct, config: PlatformConfig, contract: Contract) -> None:
        super().__init__(scope, "Warehouse", config, holds_data=True)
        network = find_network(self)
        held = "storage, backups, passwords"
        registry_key = self.key("Key", "registry", f"Registry of {config.name}: {held}")
        registry = add_registry(self, network, registry_key)
        add_user_secrets(self, registry_key, registry_users.USERS)
        lake_key = kms.Key.from_key_arn(self, "LakeKey", read(self, config, "lake-key"))
        copy_role = add_copy_role(self, config, lake_key, tables(contract))
        key = self.key("WarehouseKey", "warehouse", f"Warehouse of {config.name}: {held}")
        warehouse = add_warehouse(self, config, network, key, copy_role)
        add_user_secrets(self, key, warehouse_users.USERS)
        host = warehouse.workgroup.attr_workgroup_endpoint_address
        if registry.secret is None:
            raise TypeError("the registry's cluster has no secret: manage_master_user_password must be set")
        if config.parts.services:
            published = {
                "registry-host": registry.cluster_endpoint.hostname,
                "warehouse-host": host,
                "warehouse-copy-role": copy_role.role_arn,
                "registry-key": registry_key.key_arn,
                "warehouse-key": key.key_arn,
            }
            publish(self, config, published)
        self.outputs(
            RegistryHost=registry.cluster_endpoint.hostname,
            RegistryPort=cdk.Token.as_string(registry.cluster_endpoint.port),
            RegistrySecretArn=registry.secret.secret_arn,
            WarehouseHost=host,
            # The attribute is a number, and an output must be text.
            WarehousePort=cdk.Fn.select(1, cdk.Fn.split(":", f"{host}:{WAREHOUSE_PORT}")),
            WarehouseSecretArn=warehouse.secret_arn,
            WarehouseCopyRoleArn=copy_role.role_arn,
        )
