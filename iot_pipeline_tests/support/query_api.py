"""The console's application on the guard's two databases, with a viewer that the test sets."""

import uuid
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient

from iot_pipeline.console.app import create_app
from iot_pipeline.console.audit import Audit
from iot_pipeline.console.query.estimate import Estimator
from iot_pipeline.console.query.executions import Executions
from iot_pipeline.console.query.history import History
from iot_pipeline.console.query.sizes import Catalogued
from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline_tests.support.athena import BUCKET, LocalAthena
from iot_pipeline_tests.support.console_parts import Signed, unopened
from iot_pipeline_tests.support.guarded import BOTH, OWN

ANALYST, TENANT = Viewer("ada", Role.ANALYST), Viewer("bob", Role.TENANT, OWN)
MIB = 1024**2


@dataclass
class QueryApi:
    """The application, asked as a viewer."""

    engine: Executions
    audit: Audit
    identity: Signed
    client: TestClient

    def ask(self, viewer: Viewer | None, method: str, path: str, **more: Any) -> Any:
        """The answer to a viewer."""
        self.identity.known = viewer
        return self.client.request(method, path, **more)

    def run(self, viewer: Viewer, sql: str) -> dict[str, Any]:
        """Submit a query and wait for its end; its state."""
        started = self.ask(viewer, "POST", "/api/queries", json={"sql": sql})
        assert started.status_code == 202, started.json()
        while True:
            state: dict[str, Any] = self.ask(viewer, "GET", started.headers["Location"]).json()
            if state["state"] not in {"QUEUED", "RUNNING"}:
                return state


def open_api(athena: LocalAthena) -> QueryApi:
    """The application with a table of its own, and workgroups of both classes."""
    name = f"console-{uuid.uuid4().hex[:8]}"
    dynamodb = athena.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("key", "sort")],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}, {"AttributeName": "sort", "KeyType": "RANGE"}],
    )
    for group in (f"{name}-people", f"{name}-tenants"):
        athena.client("athena").create_work_group(
            Name=group,
            Configuration={
                "EnforceWorkGroupConfiguration": True,
                "BytesScannedCutoffPerQuery": 100 * MIB,
                "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/{group}/"},
            },
        )
    store = Store(dynamodb, name)
    engine = Executions(
        athena=athena.client("athena"),
        s3=athena.client("s3"),
        database=BOTH,
        people_workgroup=f"{name}-people",
        tenants_workgroup=f"{name}-tenants",
        estimator=Estimator.on(Catalogued(athena.client("glue"), athena.client("s3"), BOTH)),
        history=History(store),
    )
    identity, audit = Signed(), Audit(store)
    parts = unopened(identity, store=store, audit=audit, queries=engine)
    return QueryApi(engine, audit, identity, TestClient(create_app(parts)))
