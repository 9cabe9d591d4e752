"""Pre-provisioning hook: a claim certificate makes new things; it never gets a second certificate for an existing one.

Whoever takes a claim certificate out of one device could otherwise register as any other whose name he knows. A device
that the registry has decommissioned leaves a thing of its name behind, so that its name stays taken too (AWS IoT
developer guide, "Pre-provisioning hooks"). This file is all of the function's package.
"""

from typing import Any

import boto3

iot = boto3.client("iot")


def handler(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Whether to go on with RegisterThing; the event's `parameters` are what the device sent."""
    sent = event["parameters"]
    if not {"DeviceModel", "SerialNumber"} <= sent.keys():
        # The template says which one is missing.
        return {"allowProvisioning": True}
    # The device's policy puts both into its topic, and an attribute may hold a slash (API reference, AttributePayload).
    if any(set(sent.get(parameter, "")) & set("/+#") for parameter in ("Tenant", "Site")):
        print(f"refused: tenant or site is no level of a topic; claim certificate {event.get('claimCertificateId')}")
        return {"allowProvisioning": False}
    name = f"{sent['DeviceModel']}-{sent['SerialNumber']}"
    try:
        iot.describe_thing(thingName=name)
    except iot.exceptions.ResourceNotFoundException:
        return {"allowProvisioning": True}
    print(f"refused: {name} exists; claim certificate {event.get('claimCertificateId')}")
    return {"allowProvisioning": False}
