"""Thin resources over AWS. None of them touches the network before it is used."""

from iot_pipeline.resources.alerts import Alerts
from iot_pipeline.resources.crawlers import Crawlers
from iot_pipeline.resources.lake import LakeResource
from iot_pipeline.resources.raw_events import RawEvents

RESOURCES = {"lake": LakeResource(), "raw_events": RawEvents(), "crawlers": Crawlers(), "alerts": Alerts()}

__all__ = ["RESOURCES", "Alerts", "Crawlers", "LakeResource", "RawEvents"]
