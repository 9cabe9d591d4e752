"""Analytics: QuickSight over the lake, for environments that name who owns it there."""

from constructs import Construct

from infra.stacks.analytics.data_sets import add_data_sets
from infra.stacks.analytics.reader import add_reader
from infra.stacks.analytics.sheet import add_dashboard
from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from iot_pipeline.contract import Contract


class AnalyticsStack(PlatformStack):
    """A data source, data sets of which each tenant sees its own rows, and a dashboard; it holds nothing.

    The account's subscription to QuickSight is made by hand before: CloudFormation has no resource for it.
    """

    def __init__(self, scope: Construct, config: PlatformConfig, contract: Contract) -> None:
        super().__init__(scope, "Analytics", config, holds_data=False)
        add_dashboard(self, contract, add_data_sets(self, contract, add_reader(self, contract)))
