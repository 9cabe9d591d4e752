"""The live page's routes: its stream, and what people do about alerts."""

import time
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from iot_pipeline.alerting.table import AlertError
from iot_pipeline.alerting.table import silence as new_silence
from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.changes import Reason, Recorded
from iot_pipeline.console.dependencies import DownError, asking
from iot_pipeline.console.live.hub import alert_row
from iot_pipeline.console.live.stream import events
from iot_pipeline.console.live.subscriber import MAX_CHOSEN, Subscriber
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.viewer import Viewer
from iot_pipeline.registry.present import Place

_HOUR_MS = 3_600_000
MAX_SILENCE_HOURS = 24 * 14
router = APIRouter(prefix="/api", tags=["live"])


class Acknowledgement(BaseModel):
    """A person takes an alert on."""

    reason: Reason


class PlannedWork(BaseModel):
    """What is to be silent, from now on, for how long, and why. At least one of tenant, site, device and rule."""

    tenant: str | None = None
    site: str | None = None
    device: str | None = None
    rule: str | None = None
    hours: float = Field(gt=0, le=MAX_SILENCE_HOURS)
    reason: Reason


class Silence(BaseModel):
    """Planned work: alerts within its scope tell nobody. Times are epoch milliseconds UTC."""

    id: str
    scope: dict[Literal["tenant", "site", "device", "rule"], str]
    from_ms: int
    until_ms: int
    author: str
    reason: str


@router.get("/live/stream", response_class=StreamingResponse)
async def stream(request: Request, viewer: SignedIn, devices: str = "") -> StreamingResponse:
    """Server-sent events: `snapshot` first, then `devices`, `readings` of the chosen ones, `alerts` and `status`.

    `devices`: up to 12 devices, with commas between them, of which every reading is wanted.
    """
    chosen = frozenset(name for name in devices.split(",") if name)
    if len(chosen) > MAX_CHOSEN:
        raise ProblemError(422, "too_many_devices", f"devices: at most {MAX_CHOSEN} can be chosen, got {len(chosen)}")
    parts = parts_of(request)

    def is_signed_in() -> bool:
        try:
            return parts.identity.viewer(request) == viewer
        except ProblemError:
            return False

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        events(parts.live.hub, Subscriber(viewer, chosen), is_signed_in),
        media_type="text/event-stream",
        headers=headers,
    )


@router.post("/alerts/{episode:path}/acknowledge")
def acknowledge(
    request: Request, viewer: SignedIn, episode: str, given: Acknowledgement, record: Recorded
) -> dict[str, object]:
    """Take an alert on: nobody is reminded of it any more, and everybody sees who has it."""
    parts = parts_of(request)
    _visible(request, viewer, episode)
    try:
        changed = parts.live.alerts.acknowledge(episode, viewer.name, given.reason, _now_ms())
    except AlertError as error:
        raise ProblemError(409, "alert_over", str(error)) from error
    record("acknowledge", episode, given.reason)
    return alert_row(changed)


@router.get("/sites")
def sites(request: Request, viewer: SignedIn) -> list[Place]:
    """The sites that the viewer sees, as the registry has them now: their names, positions and time zones."""
    try:
        with asking("the registry"):
            found = parts_of(request).sites.all()
    except DownError as error:
        raise ProblemError(503, "dependency_down", str(error), dependency=error.dependency) from error
    return [site for site in found if viewer.sees(site.tenant)]


@router.get("/silences")
def silences(request: Request, viewer: SignedIn) -> list[Silence]:
    """Planned work that is not long over."""
    found = parts_of(request).live.alerts.silences()
    return [Silence.model_validate(vars(each)) for each in found if viewer.sees(each.scope.get("tenant", ""))]


@router.post("/silences", status_code=201)
def silence(request: Request, viewer: SignedIn, given: PlannedWork, record: Recorded) -> Silence:
    """Announce planned work: alerts within its scope open and resolve as ever, and tell nobody."""
    scope = given.model_dump(include={"tenant", "site", "device", "rule"}, exclude_none=True)
    if viewer.tenant is not None:
        if scope.get("tenant", viewer.tenant) != viewer.tenant:
            raise ProblemError(403, "tenant", f"tenant: {viewer.tenant} is yours, {scope['tenant']} is not")
        scope["tenant"] = viewer.tenant
    now_ms = _now_ms()
    try:
        made = new_silence(scope, now_ms, now_ms + round(given.hours * _HOUR_MS), viewer.name, given.reason)
    except AlertError as error:
        raise ProblemError(422, "scope", str(error)) from error
    parts_of(request).live.alerts.add_silence(made)
    record("silence", " ".join(f"{name}={value}" for name, value in scope.items()), given.reason)
    return Silence.model_validate(vars(made))


def _visible(request: Request, viewer: Viewer, episode: str) -> None:
    """Another tenant's alert does not exist."""
    missing = ProblemError(404, "no_alert", f"no alert has the id {episode!r}")
    try:
        standing = parts_of(request).live.alerts.get(episode)
    except AlertError as error:
        raise missing from error
    # Planned work is kept in the same table, and is no alert.
    if "rule" not in standing or not viewer.sees(str(standing["tenant"])):
        raise missing


def _now_ms() -> int:
    return int(time.time() * 1000)
