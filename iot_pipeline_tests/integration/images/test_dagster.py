"""Dagster from the image's files, commands, user and dagster.yaml, on a PostgreSQL and on the local AWS."""

import json
import os
import re
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import yaml

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalServer, answers, launch
from infra.local.servers.loopback import HOST, free_port
from infra.local.session.dagster_processes import Webserver
from infra.local.session.platform import Platform
from infra.stacks.orchestration.serving import CANNOT_LOAD
from infra.stacks.services.ports import CODE_PORT, WEBSERVER_PORT
from infra.stacks.services.processes import CODE, DAEMON, WATCHER, WEBSERVER, Process
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.connections.warehouse import open_warehouse
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.registry.sites import apply
from iot_pipeline_tests.conftest import started
from iot_pipeline_tests.support.image.building import Builder
from iot_pipeline_tests.support.image.root import Image
from iot_pipeline_tests.support.image.tasks import Tasks, tasks_of
from iot_pipeline_tests.support.messages import METER, RawZone, line, message, reading
from iot_pipeline_tests.support.registry import catalog

pytestmark = pytest.mark.timeout(1800)
_LAUNCH = """mutation($selector: JobOrPipelineSelector!, $config: RunConfigData, $tags: [ExecutionTag!]) {
    launchRun(executionParams: { selector: $selector, runConfigData: $config, executionMetadata: { tags: $tags } }) {
        __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_LOG = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename
    ... on MessageEvent { message } ... on ExecutionStepFailureEvent { error { message causes { message } } } } } } }"""
_LOCATION = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename
    ... on PythonError { message } } } } } }"""
_SENSOR = """mutation($selector: SensorSelector!) { startSensor(sensorSelector: $selector) { __typename
    ... on PythonError { message } } }"""
_ARRIVED = """query($assets: [AssetKeyInput!]) { assetNodes(assetKeys: $assets) {
    assetMaterializations(limit: 1) { partition metadataEntries { label } } } }"""
_CODE = {"repositoryName": "__repository__", "repositoryLocationName": "iot_pipeline"}


class Deployment:
    """The image's processes, each started as its task definition says, with its own role's credentials."""

    def __init__(self, image: Image, tasks: Tasks, ports: Mapping[int, int], home: Path) -> None:
        self.image, self.tasks, self.ports, self.home = image, tasks, ports, home
        self.webserver = Webserver(f"http://{HOST}:{ports[WEBSERVER_PORT]}", 0)

    def command(self, process: Process, command: tuple[str, ...] | None = None) -> list[str]:
        """That of the task definition; ports differ, since all processes share this machine's."""

        def moved(port: re.Match[str]) -> str:
            return str(self.ports[int(port[0])])

        own = "|".join(map(str, self.ports))
        words = [re.sub(rf"\b({own})\b", moved, word) for word in command or process.command]
        return self.image.process(words, self.tasks.environment(process))

    def start(self, process: Process, stack: ExitStack) -> LocalServer:
        log = self.home / f"{process.name}.log"
        server = LocalServer(process.name, launch(self.command(process), log, self.home, dict(os.environ)), log)
        stack.callback(server.stop)
        return server

    def ran(self, process: Process, command: tuple[str, ...] | None = None) -> subprocess.CompletedProcess[str]:
        """What a process of the image, or a command in its container, did."""
        return subprocess.run(self.command(process, command), capture_output=True, text=True, check=False)

    def is_healthy(self, process: Process) -> bool:
        """Whether the task definition's check would say so."""
        return self.ran(process, process.healthy).returncode == 0


@pytest.fixture(scope="module")
def deployment(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A local AWS and the image's processes, once for this module; no sensor and no schedule is on."""
    home = tmp_path_factory.mktemp("image-dagster")
    with started(home / "platform") as platform, _deployed(platform, builder.target("dagster"), home) as made:
        yield made


@contextmanager
def _deployed(platform: Platform, image: Image, home: Path) -> Iterator[Deployment]:
    name = f"dagster_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(platform.postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    ports = {WEBSERVER_PORT: free_port(), CODE_PORT: free_port()}
    for file, changed in (("dagster.yaml", _instance(platform)), ("workspace.yaml", _workspace(ports))):
        path = image.path(f"/opt/dagster/{file}")
        # The repository's file, which the image's is a copy of until a test before this one has changed it.
        document = yaml.safe_load((CHECKOUT / "infra" / "images" / file).read_text())
        path.unlink()
        path.write_text(yaml.safe_dump(changed(document)))
    storage = {
        "DAGSTER_POSTGRES_HOST": HOST,
        "DAGSTER_POSTGRES_USER": "postgres",
        "DAGSTER_POSTGRES_PASSWORD": platform.postgres.password,
        "DAGSTER_POSTGRES_DB": name,
        "DAGSTER_CODE_HOST": HOST,
    }
    with ExitStack() as stack:
        tasks = stack.enter_context(tasks_of(platform, image, storage, home))
        made = Deployment(image, tasks, ports, home)
        code = made.start(CODE, stack)
        code.wait_until(lambda: made.is_healthy(CODE))
        server = made.start(WEBSERVER, stack)
        server.wait_until(lambda: answers(f"{made.webserver.url}/server_info"))
        daemon = made.start(DAEMON, stack)
        daemon.wait_until(lambda: made.is_healthy(DAEMON))
        (entry,) = made.webserver.graphql(_LOCATION)["workspaceOrError"]["locationEntries"]
        assert entry["locationOrLoadError"]["__typename"] == "RepositoryLocation", entry
        assert made.webserver.stop_automation() > 10
        yield made


def _instance(platform: Platform) -> Any:
    """What the machine of a test cannot have: Aurora's certificate and its IAM."""

    def changed(document: dict[str, Any]) -> dict[str, Any]:
        postgres = document["storage"]["postgres"]
        del postgres["auth_provider"]
        password = {"password": {"env": "DAGSTER_POSTGRES_PASSWORD"}}
        postgres["postgres_db"] |= {"port": platform.postgres.port, "params": {}, **password}
        return document

    return changed


def _workspace(ports: Mapping[int, int]) -> Any:
    def changed(document: dict[str, Any]) -> dict[str, Any]:
        (location,) = document["load_from"]
        assert location["grpc_server"].pop("port") == CODE_PORT
        return {"load_from": [{"grpc_server": {**location["grpc_server"], "port": ports[CODE_PORT]}}]}

    return changed


def ended(
    webserver: Webserver,
    selector: dict[str, Any],
    ops: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> tuple[str, str]:
    """Start a run by the webserver's API, as its page does; its status at its end, and its log.

    All steps are in the run's process.
    """
    listed = [{"key": key, "value": value} for key, value in (tags or {}).items()]
    config = {"execution": {"config": {"in_process": {}}}, "ops": ops or {}}
    answer = webserver.graphql(_LAUNCH, selector={**_CODE, **selector}, config=config, tags=listed)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id, deadline = answer["run"]["runId"], time.monotonic() + 900
    while (status := webserver.graphql(_STATUS, id=run_id)["runOrError"]["status"]) not in ("SUCCESS", "FAILURE"):
        assert time.monotonic() < deadline, status
        time.sleep(1)
    return str(status), json.dumps(webserver.graphql(_LOG, id=run_id), indent=1)


def done(
    webserver: Webserver,
    selector: dict[str, Any],
    ops: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """The same for a run that succeeds."""
    status, log = ended(webserver, selector, ops, tags)
    assert status == "SUCCESS", log[-6000:]


def assets(*names: str) -> dict[str, Any]:
    """A selection of assets, with their checks, in the job of all assets."""
    return {"jobName": "__ASSET_JOB", "assetSelection": [{"path": [name]} for name in names]}


JUDGED = assets("judged_telemetry", "ledger", "quarantined_telemetry")


@pytest.fixture(scope="module")
def key(deployment: Deployment) -> str:
    """The partition of an hour with 60 readings of a registered device, which nobody has told Dagster of."""
    hour, sender = Hour(datetime(2026, 3, 1, 12, tzinfo=UTC)), METER
    with open_registry() as registry:
        apply(registry, catalog(sender.tenant))
        add_device(registry, Request(sender.device, sender.tenant, "a", f"{sender.tenant}-model"))
        registry.commit()
    readings = [reading(hour.start + timedelta(minutes=minute), minute) for minute in range(60)]
    bucket = deployment.tasks.platform.deployed.outputs["LakeBucket"]
    RawZone(bucket).put(hour, [line(message(*readings), hour.start, sender)])
    return partition_key(hour)


def of_hour(key: str) -> dict[str, str]:
    """The tags of a run over one partition."""
    return {"dagster/asset_partition_range_start": key, "dagster/asset_partition_range_end": key}


def test_the_graph_is_materialized_from_raw_to_facts_by_the_tasks_own_roles(deployment: Deployment, key: str) -> None:
    webserver, before = deployment.webserver, len(deployment.tasks.denials())
    # The daemon has the code location drain the queue, which tells of the object.
    on = webserver.graphql(_SENSOR, selector={**_CODE, "sensorName": "raw_objects"})["startSensor"]
    assert on["__typename"] == "Sensor", on
    assert arrived(webserver) == key

    done(webserver, JUDGED, tags=of_hour(key))
    done(webserver, assets("curated_telemetry"), tags=of_hour(key))
    done(webserver, assets("registry_snapshot"))
    done(webserver, {"jobName": "load_event_hours"}, {"load_hours": {"config": {"hours": [key]}}})
    done(webserver, {"jobName": "build_models"})
    with open_warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(readings) FROM marts.fact_hours")
        assert [int(number) for number in cursor.fetchone() or ()] == [1, 60]
        # Without a device the copy of the registry writes nothing to S3, and shows no permission.
        cursor.execute("SELECT count(*) FROM registry.device_versions")
        assert cursor.fetchone() == [1]

    done(webserver, assets("registry_history", "alert_rules"))

    looked = deployment.ran(WATCHER)
    assert looked.returncode == 0, looked.stderr
    # The sensor of alerts was turned off with the others; on a busy machine that is long enough ago to be told of.
    assert "alerts opened, 0 resolved" in looked.stderr
    done(webserver, assets("alert_history"))
    printed = boto3.client("s3").list_objects_v2(Bucket=deployment.tasks.common["DAGSTER_LOGS_BUCKET"])
    assert any(each["Key"].startswith("dagster/compute-logs/") for each in printed.get("Contents", []))

    assert deployment.tasks.denials()[before:] == []
    ran_as = {task.role_arn for task in deployment.tasks.runs.tasks.values()}
    orchestration = deployment.tasks.orchestration
    assert ran_as == {orchestration.role_arn("RunRole")}
    acted = {orchestration.role_arn(f"{name}Role") for name in ("Code", "Daemon", "Run", "Watcher")}
    assert acted <= deployment.tasks.credentials.served.keys()


# A statement of the role of runs, an asset that is built by it, and the step of the run that fails without it.
NEEDED = [
    ("Ask", JUDGED, "judge"),
    ("Catalog", JUDGED, "judge"),
    ("Build", JUDGED, "judge"),
    ("BuildTables", JUDGED, "judge"),
    ("Publish", JUDGED, "judge"),
    ("Snapshot", assets("registry_snapshot"), "registry_snapshot"),
    ("SignIn", assets("registry_snapshot"), "registry_snapshot"),
    ("Alerts", assets("alert_history"), "alert_history"),
]


@pytest.mark.parametrize(
    ("name", "selected", "step"), NEEDED, ids=[f"{step} without {name}" for name, _, step in NEEDED]
)
def test_without_a_statement_of_the_runs_role_an_asset_fails(
    deployment: Deployment, key: str, name: str, selected: dict[str, Any], step: str
) -> None:
    orchestration = deployment.tasks.orchestration
    policy, document = orchestration.statements("RunRole")
    (removed,) = (statement for statement in document["Statement"] if statement["Sid"] == name)
    kept = [statement for statement in document["Statement"] if statement["Sid"] != name]
    orchestration.put_statements("RunRole", policy, {**document, "Statement": kept})
    try:
        status, log = ended(deployment.webserver, selected, tags=of_hour(key) if selected is JUDGED else None)
    finally:
        orchestration.put_statements("RunRole", policy, document)
    assert status == "FAILURE"
    assert f'Execution of step \\"{step}\\" failed' in log
    actions = [removed["Action"]] if isinstance(removed["Action"], str) else removed["Action"]
    assert any(f"is not authorized to perform: {action} on resource: arn:aws:" in log for action in actions), log[
        -6000:
    ]


def test_a_code_location_whose_code_cannot_be_loaded_says_so_and_ends(deployment: Deployment) -> None:
    broken = tuple(word.replace("iot_pipeline.definitions", "iot_pipeline.no_such") for word in CODE.command)
    ended = deployment.ran(CODE, broken)
    assert ended.returncode != 0
    assert any(each in ended.stdout + ended.stderr for each in CANNOT_LOAD)


def arrived(webserver: Webserver) -> str:
    """The first hour of raw that is reported, once there is one."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        (raw,) = webserver.graphql(_ARRIVED, assets=[{"path": ["raw_telemetry"]}])["assetNodes"]
        if raw["assetMaterializations"]:
            return str(raw["assetMaterializations"][0]["partition"])
        time.sleep(1)
    raise AssertionError("the daemon has evaluated no sensor within five minutes")
