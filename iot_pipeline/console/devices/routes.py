"""The routes of devices. A device of which the viewer may see nothing is answered as one that there is not."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.coalesced import BusyError
from iot_pipeline.console.dependencies import DownError, asking
from iot_pipeline.console.devices.quality import Quality
from iot_pipeline.console.devices.questions import Devices, QualityQuestion, SeriesQuestion
from iot_pipeline.console.devices.sections import Alert, Section, State, Version, state_of, version_of
from iot_pipeline.console.devices.series import MAX_HOURS, MAX_POINTS, Series, Window
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.viewer import Viewer
from iot_pipeline.contract import METRICS
from iot_pipeline.lake.hours import Hour
from iot_pipeline.registry import present

router = APIRouter(prefix="/api/devices", tags=["devices"])
_METRICS = [metric.name for metric in METRICS]
MAX_PAGE = 200
Hours = Annotated[int, Query(ge=1, le=MAX_HOURS)]


class DeviceRow(BaseModel):
    """A device of the registry as it is now, and what the edge last had of it; `state` is null if that is nothing."""

    device: str
    version: Version
    state: State | None


class Page(BaseModel):
    """Devices by name. `next` is the `after` of the next page, null on the last. `down`: why states are missing."""

    devices: list[DeviceRow]
    next: str | None
    down: str | None


class DeviceView(BaseModel):
    """What is known of a device, each part on its own. The newest versions and alerts come first."""

    device: str
    now: datetime
    history: Section[list[Version]]
    state: Section[State]
    alerts: Section[list[Alert]]


def _devices(request: Request) -> Devices:
    return parts_of(request).devices


@router.get("")
def fleet(
    request: Request,
    viewer: SignedIn,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    tenant: str | None = None,
    site: str | None = None,
) -> Page:
    """The devices of the registry that the viewer sees, by name, a page at a time."""
    if tenant is not None and not viewer.sees(tenant):
        return Page(devices=[], next=None, down=None)
    sources = _devices(request).sources
    try:
        with asking("the registry"), sources.connect() as connection:
            found = present.devices(connection, tenant=viewer.tenant or tenant, site=site, after=after, limit=limit + 1)
    except DownError as error:
        raise _down(error) from error
    shown, more = found[:limit], len(found) > limit
    try:
        with asking("DynamoDB"):
            states, down = sources.states.look([device.device_id for device in shown]), None
    except DownError as error:
        states, down = {}, str(error)
    rows = []
    for device in shown:
        state = states.get(device.device_id)
        # Its last message may be of the time before it became this tenant's.
        is_seen = state is not None and state.version and viewer.sees(state.tenant)
        rows.append(
            DeviceRow(
                device=device.device_id,
                version=version_of(device),
                state=state_of(state) if state is not None and is_seen else None,
            )
        )
    return Page(devices=rows, next=shown[-1].device_id if more else None, down=down)


@router.get("/{device}")
def page(request: Request, viewer: SignedIn, device: str) -> DeviceView:
    """Registry history, state and alerts of a device. A part that cannot be read is said to be down in its place."""
    sources = _devices(request).sources
    history, state = _seen(_devices(request), device, viewer)
    return DeviceView(
        device=device, now=datetime.now(UTC), history=history, state=state, alerts=sources.episodes(device, viewer)
    )


@router.get("/{device}/quality")
def quality(request: Request, viewer: SignedIn, device: str, hours: Hours = 24) -> Quality:
    """What the contract made of a device's readings in the last hours, counted by Athena."""
    devices = _devices(request)
    _seen(devices, device, viewer)
    last = Hour.of(datetime.now(UTC))
    try:
        return devices.quality.get(QualityQuestion(device, last + (1 - hours), last, viewer.tenant))
    except DownError as error:
        raise _down(error) from error
    except BusyError as error:
        raise ProblemError(503, "busy", str(error)) from error


@router.get("/{device}/series")
async def series(
    request: Request,
    viewer: SignedIn,
    device: str,
    metric: Annotated[list[str] | None, Query(max_length=len(_METRICS))] = None,
    hours: Hours = 24,
    points: Annotated[int, Query(ge=10, le=MAX_POINTS)] = 720,
) -> Series:
    """A device's values of the last hours: from curated, joined to the live ones. Each bucket has min, max and mean.

    Without a `metric` those of all.
    """
    metrics = tuple(dict.fromkeys(metric or _METRICS))
    if unknown := [name for name in metrics if name not in _METRICS]:
        raise ProblemError(422, "invalid_request", f"metric: {unknown[0]!r} is none; there are {', '.join(_METRICS)}")
    devices = _devices(request)
    await run_in_threadpool(_seen, devices, device, viewer)
    # The hub belongs to this event loop.
    live = tuple(parts_of(request).live.hub.recent(device, viewer))
    window = Window.until(datetime.now(UTC), hours, points)
    try:
        question = SeriesQuestion(device, metrics, window, live, viewer.tenant)
        return await run_in_threadpool(devices.series.get, question)
    except DownError as error:
        raise _down(error) from error
    except BusyError as error:
        raise ProblemError(503, "busy", str(error)) from error


def _seen(devices: Devices, device: str, viewer: Viewer) -> tuple[Section[list[Version]], Section[State]]:
    """The registry's history and the edge's state. Raises ProblemError where the viewer sees nothing of the device."""
    history, state = devices.sources.history(device, viewer), devices.sources.state(device, viewer)
    if history.data is None and state.data is None:
        down = history.down or state.down
        if down is not None:
            raise ProblemError(503, "dependency_down", f"{down}: whether there is such a device is not known")
        raise ProblemError(404, "not_found", f"there is no device {device!r}")
    return history, state


def _down(error: DownError) -> ProblemError:
    return ProblemError(503, "dependency_down", str(error), dependency=error.dependency)
