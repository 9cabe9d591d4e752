"""The edge's services: the functions, what calls them, and the alarms on them."""

from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.edge.alarms import add_alarms
from infra.stacks.edge.functions import add_functions
from infra.stacks.edge.places import places
from infra.stacks.edge.triggers import add_mapping, add_schedules
from infra.stacks.parameters import publish


class EdgeStack(PlatformStack):
    """From the stream to alerts; it holds nothing and can be made again at any time."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Edge", config, holds_data=False)
        where = places(self)
        functions = add_functions(self, where)
        mapping = add_mapping(self, where, functions)
        add_schedules(self, where, functions)
        add_alarms(self, mapping.attr_id)
        if config.parts.services:
            publish(self, config, {"edge-mapping": mapping.attr_id})
        self.outputs(
            EdgeFunction=functions.handler.function_name,
            EdgeMapping=mapping.attr_id,
            SweepFunction=functions.sweep.function_name,
            NotifyFunction=functions.notify.function_name,
            DeliverFunction=functions.deliver.function_name,
            EdgeMetrics=where.environment["IOT_METRIC_NAMESPACE"],
        )
