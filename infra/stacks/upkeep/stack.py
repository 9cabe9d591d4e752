"""Upkeep: the crawls as a workflow, and snapshots of the warehouse. Only AWS has these."""

from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.upkeep.crawls import add_crawl_workflow
from infra.stacks.upkeep.snapshots import add_snapshots


class UpkeepStack(PlatformStack):
    """What looks after the data of other stacks, and holds none."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Upkeep", config, holds_data=False)
        add_crawl_workflow(self)
        add_snapshots(self)
