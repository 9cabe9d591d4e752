"""`python -m iot_pipeline.console`: the console, until SIGTERM or Ctrl-C."""

import sys

import boto3
import httpx
from botocore.config import Config
from pydantic import ValidationError

from iot_pipeline import settings
from iot_pipeline.console.app import STATIC, create_app
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.identity.service import IdentityService
from iot_pipeline.console.parts import Parts
from iot_pipeline.console.safety import BodyLimit, SafetyHeaders
from iot_pipeline.console.server import serve
from iot_pipeline.console.store import Store


def main() -> None:
    """Serve on the address of the settings. Exits with a message that names each setting that is missing or wrong."""
    try:
        console = settings.console()
    except ValidationError as error:
        sys.exit(settings.wrong(error))
    store = Store(boto3.client("dynamodb", config=_PATIENCE), console.table)
    with httpx.Client() as http:
        parts = Parts(IdentityService(console, store, http), store, Audit(store))
        app = BodyLimit(create_app(parts))
        serve(SafetyHeaders(app, https=console.url.startswith("https:"), static=STATIC), console)


# As many connections as FastAPI's pool has threads; a person waits for the answer.
_PATIENCE = Config(max_pool_connections=40, connect_timeout=3, read_timeout=10, retries={"mode": "standard"})


if __name__ == "__main__":
    main()
