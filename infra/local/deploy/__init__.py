"""Deploys the platform's own CDK templates to the local AWS, and says what the local AWS made of them.

The templates are those of AWS, Firehose's 60 s included: the emulator shortens every interval by an option of its own
(`python -m infra.local.emulator --firehose-interval-scale`), so that nothing here differs between the two.
"""

from infra.local.deploy.deployment import DeployResult, deploy
from infra.local.deploy.stacks import DeployError

__all__ = ["DeployError", "DeployResult", "deploy"]
