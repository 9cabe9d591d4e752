"""Taking a device into the registry that AWS IoT Core knows already: provisioned in the factory, by claim."""

from typing import TYPE_CHECKING, Any

from psycopg import Connection

from iot_pipeline.registry import intents, registration, things
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.onboarding import Onboarded, kept
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.things import DeviceKind

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient


def adopt(connection: Connection[Any], iot: "IoTClient", request: Request, kind: DeviceKind | None = None) -> Onboarded:
    """Register a device whose thing exists, with one active certificate that has the devices' policy.

    The thing gets the type and the attributes of onboarded ones; its certificate stays as it is.
    `kind` and what it raises as of `onboard`, for the registry's part, and RegistryError saying what the thing lacks.
    """
    intents.require_idle(connection)
    kind = kind or DeviceKind()
    registration.check_references(connection, request)
    with intents.device_lock(connection, request.device_id):
        held = intents.find(connection, request.device_id)
        if held and held.state == "active":
            return kept(connection, request, held)
        if held:
            raise RegistryError(f"{request.device_id} is {held.state}, and was interrupted; recover first")
        registration.check_free(connection, request)
        arn = things.active_certificate(iot, request.device_id, kind)
        certificate_id = arn.rpartition("/")[2]
        things.label(iot, request, kind)
        with connection.transaction():
            device = registration.add_device(connection, request)
            onboarding_id = intents.begin(connection, request.device_id, "active")
            intents.note(connection, onboarding_id, step="done", certificate_id=certificate_id, certificate_arn=arn)
    return Onboarded(device, True, certificate_id, arn)
