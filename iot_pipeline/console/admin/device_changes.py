"""Devices: let in, moved, ended. The registry and AWS IoT change together, as the registry's command line has it."""

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel

from iot_pipeline.console.admin.means import explained
from iot_pipeline.console.changes import Reason, Recorded
from iot_pipeline.console.devices.sections import Version, version_of
from iot_pipeline.console.parts import parts_of
from iot_pipeline.registry import devices, things
from iot_pipeline.registry.decommission import decommission
from iot_pipeline.registry.errors import CompensationError
from iot_pipeline.registry.onboarding import onboard
from iot_pipeline.registry.registration import Request as Registration
from iot_pipeline.registry.versions import MayOverwrite, nothing

router = APIRouter(prefix="/api/admin/devices", tags=["admin"])


class Onboarding(BaseModel):
    """A device to let in. Without a `csr` (PEM) its key is made here. `installed_at` is now unless it is given."""

    device: str
    tenant: str
    site: str
    model: str
    name: str | None = None
    firmware: str | None = None
    csr: str | None = None
    installed_at: AwareDatetime | None = None
    reason: Reason


class Onboarded(BaseModel):
    """The device, and its certificate (PEM). The private key is shown this once, and is stored nowhere.

    Both are null where the device had been let in before, just so; the key as well where the request brought a CSR.
    """

    device: str
    version: Version
    certificate_id: str
    certificate: str | None
    private_key: str | None


class Move(BaseModel):
    """Where a device stands since `at`, or now. `overwrite` gives away changes on record that would be lost."""

    site: str
    at: AwareDatetime | None = None
    overwrite: bool = False
    reason: Reason


class End(BaseModel):
    """A device's end at `at`, or now. `overwrite` as in a move."""

    at: AwareDatetime | None = None
    overwrite: bool = False
    reason: Reason


@router.post("", status_code=201)
def let_in(request: Request, response: Response, record: Recorded, given: Onboarding) -> Onboarded:
    """Thing, certificate and the registry's row, or none of them."""
    admin = parts_of(request).admin
    # What is answered may hold a private key.
    response.headers["Cache-Control"] = "no-store"
    with explained(), admin.connect() as connection:
        wanted = Registration(
            given.device,
            given.tenant,
            given.site,
            given.model,
            name=given.name,
            firmware=given.firmware,
            csr=given.csr,
            installed_at=given.installed_at,
        )
        made = onboard(connection, admin.iot, wanted, kind=admin.kind)
        version = version_of(devices.history(connection, given.device)[-1])
    record("onboard a device", given.device, given.reason)
    held = made.certificate
    return Onboarded(
        device=given.device,
        version=version,
        certificate_id=made.certificate_id,
        certificate=held.pem if held else None,
        private_key=held.private_key if held else None,
    )


@router.post("/{device}/move")
def move(request: Request, record: Recorded, device: str, given: Move) -> Version:
    """Another site of its tenant. The version of that moment."""
    admin = parts_of(request).admin
    with explained(), admin.connect() as connection:
        version = devices.move_device(connection, device, given.site, given.at, _may(overwrite=given.overwrite))
        now = devices.history(connection, device)[-1]
    record("move a device", device, given.reason)
    with explained():
        if things.find(admin.iot, device) == "device":
            things.label_site(admin.iot, device, now.site_id)
    return version_of(version)


@router.post("/{device}/decommission")
def end(request: Request, record: Recorded, device: str, given: End) -> Version:
    """Its version is closed, its certificates are revoked. Once more changes nothing."""
    admin = parts_of(request).admin
    with explained(), admin.connect() as connection:
        try:
            ended = decommission(connection, admin.iot, device, given.at, _may(overwrite=given.overwrite))
        except CompensationError:
            # The registry has changed: AWS IoT follows when it is asked once more.
            record("decommission a device, half done", device, given.reason)
            raise
    record("decommission a device", device, given.reason)
    return version_of(ended)


def _may(*, overwrite: bool) -> MayOverwrite:
    return (lambda _what, _recorded: True) if overwrite else nothing
