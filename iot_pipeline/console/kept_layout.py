"""What a viewer looks at first: the devices and metrics chosen on the live page; a tenant's people share theirs."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, field_validator

from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.changes import Recorded
from iot_pipeline.console.live.subscriber import MAX_CHOSEN
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.viewer import Viewer
from iot_pipeline.contract import METRICS

_METRICS = {metric.name for metric in METRICS}
router = APIRouter(prefix="/api", tags=["live"])


class Layout(BaseModel):
    """Devices whose readings are drawn, and the metrics, the first ones first."""

    devices: list[str] = Field(default_factory=list, max_length=MAX_CHOSEN)
    metrics: list[str] = Field(default_factory=list, max_length=len(METRICS))

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: list[str]) -> list[str]:
        for name in metrics:
            if name not in _METRICS:
                raise ValueError(f"{name!r} is no metric; there are {', '.join(sorted(_METRICS))}")
        return metrics


@router.get("/layout")
def layout(request: Request, viewer: SignedIn) -> Layout:
    """What was kept last; empty if nothing was."""
    held = parts_of(request).store.get(_key(viewer))
    return Layout() if held is None else Layout(devices=held["devices"], metrics=held["metrics"])


@router.put("/layout")
def keep(request: Request, viewer: SignedIn, given: Layout, record: Recorded) -> Layout:
    """Keep a layout in place of the one before."""
    parts_of(request).store.put(_key(viewer), "-", given.model_dump())
    record("layout", _key(viewer))
    return given


def _key(viewer: Viewer) -> str:
    return f"layout#tenant#{viewer.tenant}" if viewer.tenant else f"layout#person#{viewer.name}"
