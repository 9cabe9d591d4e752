"""What a device registry is given to onboard a fleet: a signing request of each device, a list, a catalog."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from iot_pipeline.contract import CONTRACT
from simulator.fleet import PLACES, Fleet, Kind
from simulator.keys import credentials, signing_request

LIST_FILE, CATALOG_FILE = "onboarding.csv", "catalog.json"

# Where the simulator's places are: ISO 3166 country, IANA time zone.
_WHERE = {
    "berlin": ("DE", "Europe/Berlin"),
    "denver": ("US", "America/Denver"),
    "osaka": ("JP", "Asia/Tokyo"),
    "lisbon": ("PT", "Europe/Lisbon"),
    "nairobi": ("KE", "Africa/Nairobi"),
    "oslo": ("NO", "Europe/Oslo"),
    "lima": ("PE", "America/Lima"),
    "perth": ("AU", "Australia/Perth"),
}
_NAMES = {Kind.CLIMATE: "Climate sensor", Kind.WATER_METER: "Water meter", Kind.TRACKER: "Tracker"}
# The fleet is older than any reading it may still send.
_AGE = CONTRACT.lateness_bound + timedelta(days=10)


def enrol(fleet: Fleet, folder: Path, expected_interval_s: float) -> None:
    """Write fleet.json, a key and a signing request (`devices/ID.csr`) of each device, and two files beside them.

    `onboarding.csv` lists the devices, `catalog.json` their tenants, customers, sites and models, of which each device
    is expected to send a reading every so many seconds. Keys that exist are kept.
    """
    (folder / "devices").mkdir(parents=True, exist_ok=True, mode=0o700)
    fleet.save(folder)
    since = (datetime.now(UTC) - _AGE).isoformat(timespec="seconds")
    with (folder / LIST_FILE).open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("device_id", "tenant", "site", "model", "firmware", "installed_at", "csr"))
        for device in fleet.devices:
            request = Path("devices") / f"{device.device_id}.csr"
            pem = signing_request(device.device_id, credentials(folder, device.device_id).key)
            (folder / request).write_text(pem)
            rows.writerow((device.device_id, device.tenant, device.site, device.kind, device.fw, since, request))
    catalog = _catalog(fleet, since, expected_interval_s)
    (folder / CATALOG_FILE).write_bytes(orjson.dumps(catalog, option=orjson.OPT_INDENT_2))


def _catalog(fleet: Fleet, since: str, expected_interval_s: float) -> dict[str, list[dict[str, object]]]:
    tenants = sorted({device.tenant for device in fleet.devices})
    positions = {name: (lat, lon) for name, lat, lon, _ in PLACES}
    sites = sorted({(device.tenant, device.site) for device in fleet.devices})
    return {
        "tenants": [{"tenant_id": tenant, "name": tenant.title()} for tenant in tenants],
        "customers": [
            {"customer_id": f"{tenant}-facilities", "tenant_id": tenant, "name": f"{tenant.title()} Facilities"}
            for tenant in tenants
        ],
        "sites": [
            {
                "tenant_id": tenant,
                "site_id": site,
                "customer_id": f"{tenant}-facilities",
                "name": site.title(),
                "country": _WHERE[site][0],
                "timezone": _WHERE[site][1],
                "lat": positions[site][0],
                "lon": positions[site][1],
                "since": since,
            }
            for tenant, site in sites
        ],
        "models": [
            {
                "model_id": str(kind),
                "manufacturer": "Simulated Instruments",
                "name": _NAMES[kind],
                "metrics": list(kind.metrics),
                "expected_interval_s": expected_interval_s,
            }
            for kind in Kind
        ],
    }
