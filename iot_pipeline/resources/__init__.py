"""Thin resources over AWS, the warehouse and the registry. None of them touches the network before it is used."""

from iot_pipeline.resources.backfill import BackfillResource
from iot_pipeline.resources.crawlers import Crawlers
from iot_pipeline.resources.dbt import DbtDocs, dbt_resource
from iot_pipeline.resources.edge import EdgeResource
from iot_pipeline.resources.erasure import ErasureResource
from iot_pipeline.resources.lake import LakeResource
from iot_pipeline.resources.raw_events import RawEvents
from iot_pipeline.resources.registry import RegistryResource
from iot_pipeline.resources.spark_job import SparkJob
from iot_pipeline.resources.spending import Spending
from iot_pipeline.resources.streaming import StreamingResource
from iot_pipeline.resources.warehouse import WarehouseResource
from iot_pipeline.resources.workflows import Workflows

RESOURCES = {
    "lake": LakeResource(),
    "raw_events": RawEvents(),
    "crawlers": Crawlers(),
    "warehouse": WarehouseResource(),
    "registry": RegistryResource(),
    "dbt": dbt_resource(),
    "docs": DbtDocs(),
    "edge": EdgeResource(),
    "backfill": BackfillResource(),
    "erasure": ErasureResource(),
    "spending": Spending(),
    "streaming": StreamingResource(),
    "spark_job": SparkJob(),
    "workflows": Workflows(),
}

__all__ = [
    "RESOURCES",
    "BackfillResource",
    "Crawlers",
    "DbtDocs",
    "EdgeResource",
    "ErasureResource",
    "LakeResource",
    "RawEvents",
    "RegistryResource",
    "SparkJob",
    "Spending",
    "StreamingResource",
    "WarehouseResource",
    "Workflows",
]
