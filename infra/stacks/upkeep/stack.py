"""Upkeep: workflows of Glue, and snapshots of the warehouse. Only AWS has these."""

from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.upkeep.snapshots import add_snapshots
from infra.stacks.upkeep.workflows import add_workflows


class UpkeepStack(PlatformStack):
    """What looks after the data of other stacks, and holds none."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Upkeep", config, holds_data=False)
        add_workflows(self)
        add_snapshots(self)
