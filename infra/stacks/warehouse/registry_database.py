"""The registry's database."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds

from infra.stacks.aurora import Aurora, add_aurora
from infra.stacks.base import PlatformStack
from infra.stacks.warehouse.published_network import Network

DATABASE = "registry"
ADMIN = "registry_admin"


def add_registry(stack: PlatformStack, network: Network, key: kms.IKey) -> rds.DatabaseCluster:
    """One writer, no reader: a failed writer is replaced within minutes, in which nothing but onboarding waits."""
    config = stack.config
    registry = Aurora(
        "Registry",
        name=f"{config.name}-registry",
        database=DATABASE,
        administrator=ADMIN,
        admits="clients",
        capacity=(config.registry_min_acu, config.registry_max_acu),
    )
    return add_aurora(stack, registry, network.vpc, network.registry, key)
