"""Deploys the platform's own CDK templates to the local AWS, and says what the local AWS made of them."""

from infra.local.deploy.deployment import DeployResult, deploy
from infra.local.deploy.stacks import DeployError

__all__ = ["DeployError", "DeployResult", "deploy"]
