"""The app: which stacks there are and which needs which."""

from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk

from infra.stacks.analytics.stack import AnalyticsStack
from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.console.data_stack import ConsoleDataStack
from infra.stacks.console.service_stack import ConsoleStack
from infra.stacks.delivery.stack import DeliveryStack
from infra.stacks.edge.data_stack import EdgeDataStack
from infra.stacks.edge.stack import EdgeStack
from infra.stacks.entrance.stack import EntranceStack
from infra.stacks.environments import environment
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.ingest.stack import IngestStack
from infra.stacks.lake.stack import LakeStack
from infra.stacks.network.service_stack import ServiceNetworkStack
from infra.stacks.network.stack import NetworkStack
from infra.stacks.observability.stack import ObservabilityStack
from infra.stacks.orchestration.data_stack import OrchestrationDataStack
from infra.stacks.orchestration.stack import OrchestrationStack
from infra.stacks.producers.stack import IntakeStack
from infra.stacks.pull.stack import PullStack
from infra.stacks.queries.stack import QueriesStack
from infra.stacks.security.stack import SecurityStack
from infra.stacks.services.images_stack import ImagesStack
from infra.stacks.spark.stack import SparkStack
from infra.stacks.streaming.stack import StreamingStack
from infra.stacks.upkeep.stack import UpkeepStack
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
    ingest, queries = IngestStack(app, config), QueriesStack(app, config, contract)
    needed: list[PlatformStack] = [lake]
    for reader in (ingest, queries):
        reader.add_stack_dependency(lake)
    if config.parts.stream:
        needed += _add_stream(app, config, lake)
    if config.vendors:
        pull = PullStack(app, config)
        pull.add_stack_dependency(lake)
        needed.append(pull)
    if config.parts.databases:
        needed += _add_databases(app, config, contract, lake)
        spark = SparkStack(app, config, contract)
        spark.add_stack_dependency(lake)
        upkeep = UpkeepStack(app, config)
        for other in (*needed, queries, spark):
            upkeep.add_stack_dependency(other)
    if config.parts.services:
        needed.append(ConsoleDataStack(app, config))
        _add_services(app, config, contract, needed)
    if config.parts.guards:
        _add_guards(app, config, [*needed, ingest])
    if config.quicksight_owner:
        AnalyticsStack(app, config, contract).add_stack_dependency(queries)
    if config.parts.delivery and config.repository:
        before = replace(environment(config.promotes_from), account=config.account, region=config.region)
        DeliveryStack(app, config, before).add_stack_dependency(lake)
    return app


def _add_stream(app: cdk.App, config: PlatformConfig, lake: LakeStack) -> list[PlatformStack]:
    """What puts to the stream beside the rules, and what reads it; those that later stacks need."""
    added: list[PlatformStack] = [edge := _add_edge(app, config, lake)]
    if config.producers:
        intake = IntakeStack(app, config)
        intake.add_stack_dependency(edge)
        added.append(intake)
    if config.streaming_window_seconds:
        streaming = StreamingStack(app, config)
        for other in (lake, edge):
            streaming.add_stack_dependency(other)
    return added


def _add_edge(app: cdk.App, config: PlatformConfig, lake: LakeStack) -> EdgeStack:
    data = EdgeDataStack(app, config)
    data.add_stack_dependency(lake)
    edge = EdgeStack(app, config)
    edge.add_stack_dependency(data)
    return edge


def _add_databases(
    app: cdk.App, config: PlatformConfig, contract: Contract, lake: LakeStack
) -> tuple[NetworkStack, WarehouseStack]:
    network = NetworkStack(app, config)
    warehouse = WarehouseStack(app, config, contract)
    for other in (network, lake):
        warehouse.add_stack_dependency(other)
    return network, warehouse


def _add_guards(app: cdk.App, config: PlatformConfig, watched: list[PlatformStack]) -> None:
    for guard in (SecurityStack(app, config), ObservabilityStack(app, config)):
        for other in watched:
            guard.add_stack_dependency(other)


def _add_services(app: cdk.App, config: PlatformConfig, contract: Contract, needed: list[PlatformStack]) -> None:
    """Dagster and the console on ECS. With a domain people come to both; without one, there is no console."""
    images = ImagesStack(app, config)
    network = ServiceNetworkStack(app, config)
    for other in needed:
        network.add_stack_dependency(other)
    data = OrchestrationDataStack(app, config)
    data.add_stack_dependency(network)
    orchestration = OrchestrationStack(app, config, contract)
    services: list[PlatformStack] = [orchestration]
    if config.domain:
        entrance = EntranceStack(app, config)
        entrance.add_stack_dependency(network)
        services.append(ConsoleStack(app, config))
        needed = [*needed, entrance]
    for service in services:
        for other in (*needed, images, network):
            service.add_stack_dependency(other)
    orchestration.add_stack_dependency(data)
