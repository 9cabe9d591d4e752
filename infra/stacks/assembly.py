"""The app: which stacks there are and which needs which."""

from pathlib import Path

import aws_cdk as cdk

from infra.stacks.config import PlatformConfig
from infra.stacks.console.data_stack import ConsoleDataStack
from infra.stacks.edge.data_stack import EdgeDataStack
from infra.stacks.edge.stack import EdgeStack
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.ingest.stack import IngestStack
from infra.stacks.lake.stack import LakeStack
from infra.stacks.network.stack import NetworkStack
from infra.stacks.queries.stack import QueriesStack
from infra.stacks.warehouse.stack import WarehouseStack
from iot_pipeline.contract import CONTRACT, Contract


def build(outdir: Path | None, config: PlatformConfig, contract: Contract = CONTRACT) -> cdk.App:
    """The app with all stacks of one environment, not yet synthesised. `outdir` is where `synth()` will write.

    Network; data (lake, warehouse, the edge's, the console's), which outlives everything; services (ingest, queries,
    edge), which can be removed and made again without a loss.
    """
    app = cdk.App(
        outdir=None if outdir is None else str(outdir),
        analytics_reporting=False,
        context=dict(RECOMMENDED),
    )
    lake = LakeStack(app, config, contract)
    IngestStack(app, config).add_stack_dependency(lake)
    QueriesStack(app, config, contract).add_stack_dependency(lake)
    if config.parts.stream:
        edge_data = EdgeDataStack(app, config)
        edge_data.add_stack_dependency(lake)
        EdgeStack(app, config).add_stack_dependency(edge_data)
    if config.parts.databases:
        network = NetworkStack(app, config)
        warehouse = WarehouseStack(app, config, contract)
        for needed in (network, lake):
            warehouse.add_stack_dependency(needed)
    if config.parts.services:
        ConsoleDataStack(app, config)
    return app
