"""`python -m infra.local.demo.produced`: a backend's messages, by the producer's command, into the running local AWS.

It registers two devices, writes a file of their messages, sends it with `python -m iot_pipeline.producer send`, and
waits until the readings are on the books. The local AWS (`make up`) has to run, and its environment to be read
(`set -a; . ./.env`).
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from infra.local.demo.lake_figures import arrival_hours
from infra.local.demo.way_books import on_local_aws, run_module, wait_for_books
from infra.stacks.environments import from_process

_READINGS, _A_MESSAGE = 600, 25
_MODEL = "gateway-sensor"


def main() -> int:
    """0 if every reading is on the books once, 1 if not, 2 where the local AWS does not run."""
    console = Console(highlight=False)
    with on_local_aws(), TemporaryDirectory(prefix="produced-") as folder:
        return 0 if _produce(Path(folder), console) else 1


def _produce(folder: Path, console: Console) -> bool:
    producer, began = from_process().producers[0], datetime.now(UTC)
    # Devices of this run alone, so that its books are.
    devices = [f"{producer.name}-{began:%m%d%H%M%S}-{number}" for number in (1, 2)]
    (folder / "catalog.json").write_text(json.dumps(_catalog(producer.tenant, producer.sites[0])))
    run_module("iot_pipeline.registry", "apply", str(folder / "catalog.json"))
    for device in devices:
        where = ["--tenant", producer.tenant, "--site", producer.sites[0], "--model", _MODEL]
        run_module("iot_pipeline.registry", "onboard", device, *where, "--out", str(folder))
    file = folder / "messages.jsonl"
    lines = [json.dumps(message) for device in devices for message in _messages(device, began)]
    file.write_text("".join(f"{line}\n" for line in lines))
    console.print(
        f"{len(lines)} messages of {_A_MESSAGE} readings each; the first begins: {lines[0][:150]} ...", soft_wrap=True
    )
    send = ["send", str(file), "--producer", producer.name, "--spool", str(folder / "spool")]
    console.print(f"python -m iot_pipeline.producer {' '.join(send)}", soft_wrap=True)
    run_module("iot_pipeline.producer", *send)
    return wait_for_books(devices, 2 * _READINGS, lambda: arrival_hours(began), began - timedelta(hours=1), console)


def _messages(device: str, until: datetime) -> list[dict[str, Any]]:
    """Of the last fifty minutes, a reading every five seconds; the last of them is out of its range."""
    readings = [
        {
            "ts": (until - timedelta(seconds=5 * (_READINGS - number))).isoformat(timespec="milliseconds"),
            "seq": number,
            "temperature": 68.0 + number % 20 / 10 if number < _READINGS - 1 else 9999.0,
            "humidity": 41.5,
            "unit": {"temperature": "F"},
        }
        for number in range(_READINGS)
    ]
    return [
        {"v": 1, "device_id": device, "readings": readings[begin : begin + _A_MESSAGE]}
        for begin in range(0, _READINGS, _A_MESSAGE)
    ]


def _catalog(tenant: str, site: str) -> dict[str, Any]:
    """What the registry has to know before a device of the producer's can be let in."""
    customer = f"{tenant}-facilities"
    return {
        "tenants": [{"tenant_id": tenant, "name": tenant.title()}],
        "customers": [{"customer_id": customer, "tenant_id": tenant, "name": f"{tenant.title()} Facilities"}],
        "sites": [
            {
                "tenant_id": tenant,
                "site_id": site,
                "customer_id": customer,
                "name": site.title(),
                "country": "DE",
                "timezone": "Europe/Berlin",
                "lat": 53.55,
                "lon": 9.99,
            }
        ],
        "models": [
            {
                "model_id": _MODEL,
                "manufacturer": "Simulated Instruments",
                "name": "Sensor behind a gateway",
                "metrics": ["temperature", "humidity"],
                "expected_interval_s": 60,
            }
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
