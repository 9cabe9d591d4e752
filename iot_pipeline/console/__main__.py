"""`python -m iot_pipeline.console`: the console, until SIGTERM or Ctrl-C."""

import sys

import boto3
import httpx
from botocore.config import Config
from pydantic import ValidationError

from iot_pipeline import settings
from iot_pipeline.connections.edge import open_alerts
from iot_pipeline.console.admin.means import open_admin
from iot_pipeline.console.app import STATIC, create_app
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.devices.questions import open_devices
from iot_pipeline.console.health.tiles import open_health
from iot_pipeline.console.identity.service import IdentityService
from iot_pipeline.console.live.sources import Live
from iot_pipeline.console.parts import Parts
from iot_pipeline.console.query.opening import open_queries
from iot_pipeline.console.registry_pool import RegistryPool
from iot_pipeline.console.safe_answers import BodyLimit, SafetyHeaders
from iot_pipeline.console.server import serve
from iot_pipeline.console.site_list import Sites
from iot_pipeline.console.store import Store
from iot_pipeline.edge.state_store import StateStore

# As many connections as FastAPI's pool has threads; a person waits for the answer.
_PATIENCE = Config(max_pool_connections=40, connect_timeout=3, read_timeout=10, retries={"mode": "standard"})


def open_parts(console: settings.Console, http: httpx.Client, registry: RegistryPool) -> Parts:
    """The parts of a service on this deployment. Raises pydantic.ValidationError naming what is missing or wrong."""
    edge, dynamodb = settings.edge(), boto3.client("dynamodb", config=_PATIENCE)
    store = Store(dynamodb, console.table)
    states = StateStore(dynamodb, edge.device_state_table, edge.alerts_table)
    health = open_health(store)
    return Parts(
        identity=IdentityService(console, store, http),
        store=store,
        audit=Audit(store),
        live=Live(boto3.client("kinesis"), edge.stream, states, open_alerts(), settings.policy().contract),
        sites=Sites(registry.connect),
        queries=open_queries(store),
        health=health,
        devices=open_devices(registry.connect, health.meter),
        admin=open_admin(registry.connect, console.user_pool, health.meter),
    )


def main() -> None:
    """Serve on the address of the settings. Exits with a message that names each setting that is missing or wrong."""
    try:
        console = settings.console()
    except ValidationError as error:
        sys.exit(settings.wrong(error))
    with httpx.Client() as http, RegistryPool() as registry:
        app = BodyLimit(create_app(open_parts(console, http, registry)))
        serve(SafetyHeaders(app, https=console.url.startswith("https:"), static=STATIC), console)


if __name__ == "__main__":
    main()
