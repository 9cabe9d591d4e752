"""The runbooks carried out on the local AWS, step by step, in order, on one platform; each after what it is there for.

Steps that AWS alone can run are skipped by name and reason, and listed in docs/runbooks/README.md by number.
"""

import base64
import json
import re
from collections.abc import Callable

import boto3
import psycopg
import pytest

from infra.local.session.platform import WAREHOUSE_DATABASE
from iot_pipeline import settings
from iot_pipeline_tests.integration.runbooks.conftest import Scene, key
from iot_pipeline_tests.support.runbooks import NAMES, Shell, Step, steps
from simulator.fleet import load_fleet

pytestmark = pytest.mark.integration
STEPS = [step for name in NAMES for step in steps(name)]
_failed: set[str] = set()


def give_up_a_message(scene: Scene) -> None:
    """A dead letter: what an IoT rule writes when its action fails (AWS IoT developer guide, "Error handling")."""
    device = load_fleet(scene.fleet).devices[1]
    payload = json.dumps({"v": 1, "device_id": device.device_id, "readings": [{"ts": 1, "seq": 1}]}).encode()
    error = {
        "ruleName": "telemetry",
        "topic": f"dt/{device.tenant}/{device.site}/{device.device_id}/telemetry",
        "clientId": device.device_id,
        "base64OriginalPayload": base64.b64encode(payload).decode(),
        "failures": [{"failedAction": "KinesisAction", "errorMessage": "throughput exceeded"}],
    }
    boto3.client("sqs").send_message(QueueUrl=settings.edge().rule_errors_url, MessageBody=json.dumps(error))


def delete_a_partition(scene: Scene) -> None:
    database, values = settings.deployment().glue_database, list(key(scene.event_hours[-1]))
    boto3.client("glue").delete_partition(DatabaseName=database, TableName="curated_telemetry", PartitionValues=values)


def empty_the_warehouse(scene: Scene) -> None:
    with psycopg.connect(scene.platform.postgres.dsn(WAREHOUSE_DATABASE)) as connection:
        for table in ("lake.readings", "lake.loads"):
            connection.execute(f"TRUNCATE {table}")


PREPARED: dict[str, Callable[[Scene], None]] = {
    "dead-letters": give_up_a_message,
    "partition-missing": delete_a_partition,
    "restore-warehouse": empty_the_warehouse,
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.runbook}-{step.number}")
def test_step(step: Step, scene: Scene, shell: Shell) -> None:
    if step.number == 1:
        if step.runbook in PREPARED:
            PREPARED[step.runbook](scene)
        if step.runbook == "rotate-certificates":
            # The first device is decommissioned by then.
            shell.environment = {**shell.environment, "DEVICE": load_fleet(scene.fleet).devices[1].device_id}
            (shell.folder / "exported").unlink(missing_ok=True)
    if step.aws_only:
        pytest.skip(f"AWS only: {step.aws_only}")
    if step.runbook in _failed:
        pytest.fail("a step before it failed")
    done = shell.run(step)
    said = done.stdout + done.stderr
    try:
        assert done.returncode == step.exit_code, said
        for expected in step.expected:
            assert re.search(expected, said, re.MULTILINE), f"{expected!r} is not in:\n{said}"
    except AssertionError:
        _failed.add(step.runbook)
        raise


def test_the_warehouse_is_what_it_was(scene: Scene) -> None:
    """After all of the above: as many readings as the curated hours have, and a fact of each."""
    with psycopg.connect(scene.platform.postgres.dsn(WAREHOUSE_DATABASE)) as connection:
        loaded = connection.execute("SELECT count(*), sum(readings) FROM lake.loads").fetchone()
        readings = connection.execute("SELECT count(*) FROM lake.readings").fetchone()
    assert loaded is not None
    assert readings is not None
    assert loaded[0] == len(scene.event_hours)
    assert int(loaded[1]) == readings[0] > 0
