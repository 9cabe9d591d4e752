"""Two environments in one account and region: devices, messages and lakes of each are its own."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infra.iam.callers import Named
from infra.iam.patterns import context_of
from infra.iam.policy import Principal, Statement, named
from infra.local.athena.process import start_athena
from infra.local.deploy.deployment import deploy_assembly
from infra.local.emulator.process import start_emulator
from iot_pipeline import settings
from iot_pipeline.connections.lake import open_lake
from iot_pipeline.contract import topic
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.emulator import ACCOUNT, REGION, LocalAws, Session, eventually
from iot_pipeline_tests.support.environment_walk import Environment, walked
from iot_pipeline_tests.support.messages import curated, message, reading
from iot_pipeline_tests.support.onboarded import onboarded
from iot_pipeline_tests.support.templates import assembly

pytestmark = pytest.mark.integration
NAMES = ("telemetry", "blue")
Environments = tuple[LocalAws, dict[str, dict[str, str]]]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    """One local AWS with both environments, and the outputs of each by its name."""
    folder = tmp_path_factory.mktemp("environments")
    emulator = start_emulator(folder / "state", firehose_interval_scale=0.01)
    try:
        with pointing_to(emulator.environment):
            quiet = Console(file=io.StringIO())
            outputs = {name: deploy_assembly(assembly(name=name), quiet).outputs for name in NAMES}
        yield LocalAws(emulator, folder), outputs
    finally:
        emulator.stop()


def admitted(running: LocalAws, outputs: dict[str, str], name: str) -> Session:
    """A device of tenant acme in oslo, as onboarding makes it in AWS IoT with the environment's settings, connected."""
    return running.connect_device(onboarded(running, outputs, name, "acme", "oslo"))


@pytest.fixture(scope="module")
def both(environments: Environments) -> tuple[Environment, Environment]:
    """What the stacks of either have made."""
    first, second = (walked(environments[0], name) for name in NAMES)
    return first, second


def test_no_resource_is_in_both(both: tuple[Environment, Environment]) -> None:
    counts = [Counter(kind for kind, _ in environment.identities) for environment in both]
    assert counts[0] == counts[1]
    assert len(both[0].resources) == len(both[0].identities) == counts[0].total() > 100
    print("\n", *(f"{count:4d} {kind}\n" for kind, count in sorted(counts[0].items())))
    assert both[0].identities & both[1].identities == set()
    assert set(both[0].arns()) & set(both[1].arns()) == set()


# X-Ray's actions know no resource (Service authorization reference); a usage limit is no ARN that can be known before.
_LIMITS = {f"redshift-serverless:{verb}UsageLimit" for verb in ("Create", "Update", "Delete")}
_WITHOUT_RESOURCE = {"xray:PutTelemetryRecords", "xray:PutTraceSegments", *_LIMITS}


@pytest.mark.parametrize("turned", [False, True], ids=NAMES)
def test_no_role_s_policy_reaches_a_resource_of_the_other(both: tuple[Environment, Environment], turned: bool) -> None:
    """Whatever the action: no statement's resource matches an ARN of the other's. What has no resource, stands here."""
    own, other = both[::-1] if turned else both
    # A denial reaches nothing, however wide it is.
    statements = [s for attached in own.identity_policies() for s in attached.policy.statements if s.allow]
    everywhere = {action for s in statements if "*" in s.resources for action in s.actions}
    assert everywhere <= _WITHOUT_RESOURCE
    bound = [s for s in statements if "*" not in s.resources]
    assert len(bound) > 30
    assert [(s.sid, arn) for s in bound for arn in other.arns() if s.covers_resource(arn, {})] == []
    # Of those that are left the resources are no stack's: things, named queries, the warehouse that is not here.
    assert sum(any(s.covers_resource(arn, {}) for arn in own.arns()) for s in bound) > 20
    thing = f"arn:aws:iot:{REGION}:{ACCOUNT}:thing/sensor-of-{other.name}"
    # Things of all environments have one space of names: who asks whether a name is taken looks at all.
    assert {action for s in bound if s.covers_resource(thing, {}) for action in s.actions} == {"iot:DescribeThing"}


# What any alarm and any rule of the account may do, whichever environment's it is: AWS names them itself, after their
# stack, and no pattern tells `Telemetry...` from a longer name.
_ACCOUNT_WIDE = {
    ("sns", "sns:Publish"),
    ("key", "kms:Decrypt"),
    ("key", "kms:GenerateDataKey*"),
    # The account's load balancers, below a prefix of their own in the bucket of logs: the service sends no source.
    ("s3", "s3:PutObject"),
}
# Through Secrets Manager a key is everybody's of the account who may read the secret: that none of the other's roles
# may, is the test above.
_WHOSE_IS_THE_SECRET = {("key", "kms:Decrypt"), ("key", "kms:GenerateDataKey")}
_THROUGH_SECRETS = f"secretsmanager.{REGION}.amazonaws.com"


@pytest.mark.parametrize("turned", [False, True], ids=NAMES)
def test_no_resource_s_policy_lets_the_other_in(both: tuple[Environment, Environment], turned: bool) -> None:
    """Neither the other's roles by name, nor a service on behalf of one of the other's resources."""
    own, other = both[::-1] if turned else both
    roles = [Principal.of_role(arn) for arn in other.arns() if ":role/" in arn]
    let, everybody, services = set(), set(), 0
    for attached in own.resource_policies():
        for statement in (s for s in attached.policy.statements if s.allow):
            assert statement.principals is not None
            if ("AWS", "*") in statement.principals.entries:
                everybody |= {(attached.owner, action) for action in statement.actions}
                assert _lets(statement, {"kms:CallerAccount": ACCOUNT, "kms:ViaService": _THROUGH_SECRETS})
                assert not _lets(statement, {"kms:CallerAccount": ACCOUNT})
                assert not _lets(statement, {"kms:CallerAccount": "999999999999", "kms:ViaService": _THROUGH_SECRETS})
                assert not _lets(
                    statement, {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"s3.{REGION}.amazonaws.com"}
                )
                continue
            assert not [role for role in roles if named(statement, role) in {Named.BY_NAME, Named.BEYOND_BOUNDARY}]
            for kind, _service in statement.principals.entries:
                if kind != "Service":
                    continue
                services += 1
                behalf = [{"aws:SourceArn": arn, "aws:SourceAccount": ACCOUNT} for arn in other.arns()]
                if any(_lets(statement, values) for values in behalf):
                    let |= {(attached.owner, action) for action in statement.actions}
    assert services > 8
    assert let == _ACCOUNT_WIDE
    assert everybody == _WHOSE_IS_THE_SECRET


def _lets(statement: Statement, context: dict[str, str]) -> bool:
    return all(condition.holds(context_of(context)) for condition in statement.conditions)


def test_a_message_reaches_the_lake_of_its_own_environment_alone(environments: Environments) -> None:
    running, outputs = environments
    sessions = {name: admitted(running, outputs[name], f"sensor-{name}") for name in NAMES}
    for name, session in sessions.items():
        roots = {other: outputs[other]["TopicRoot"] for other in NAMES}
        own = topic("acme", "oslo", f"sensor-{name}", roots[name])
        (foreign,) = (topic("acme", "oslo", f"sensor-{name}", root) for other, root in roots.items() if other != name)
        assert session.publish(foreign, b"{}") == "Not authorized"
        assert session.publish(own, json.dumps({"v": 1, "readings": [], "of": name}).encode()) == "Success"

    def lines(name: str) -> list[Any]:
        return [json.loads(line) for line in running.lines(outputs[name]["LakeBucket"], "raw/telemetry/")]

    for name in NAMES:
        (line,) = eventually(partial(lines, name))
        assert (line["of"], line["iot_tenant"], line["iot_device"]) == (name, "acme", f"sensor-{name}")
        announced = running.messages(outputs[name]["RawQueueUrl"])
        buckets = {record["s3"]["bucket"]["name"] for message in announced for record in message.get("Records", [])}
        assert buckets == {outputs[name]["LakeBucket"]}
        assert running.messages(outputs[name]["RuleErrorQueueUrl"], 0) == []
    for session in sessions.values():
        session.close()


@pytest.fixture
def lakes(environments: Environments, tmp_path: Path) -> Iterator[dict[str, Lake]]:
    """The lake of each environment, as the product opens it, on one local Athena."""
    running, outputs = environments
    aws, s3 = running.emulator.environment, running.folder / "state" / "s3"
    athena = start_athena(tmp_path / "athena", port=None, s3_data_dir=s3, environment=aws)
    try:
        with pointing_to({**aws, "AWS_ENDPOINT_URL_ATHENA": athena.endpoint_url}):
            yield {name: opened(outputs[name]) for name in NAMES}
    finally:
        athena.stop()


def opened(outputs: dict[str, str]) -> Lake:
    """The lake that these outputs of the stacks name."""
    values = {"LAKE_BUCKET": "LakeBucket", "RAW_QUEUE_URL": "RawQueueUrl"}
    values |= {"GLUE_DATABASE": "GlueDatabase", "ATHENA_WORKGROUP": "AthenaBuildWorkgroup"}
    values |= {"RAW_CRAWLER": "RawCrawler", "CURATED_CRAWLER": "CuratedCrawler"}
    with pytest.MonkeyPatch.context() as patch:
        for variable, output in values.items():
            patch.setenv(f"IOT_{variable}", outputs[output])
        settings.forget()
        lake = open_lake()
    settings.forget()
    return lake


def test_two_environments_build_side_by_side(environments: Environments, lakes: dict[str, Lake]) -> None:
    running, outputs = environments
    now = datetime.now(UTC)
    arrivals = [Hour.of(now), Hour.of(now) + 1]
    for number, name in enumerate(NAMES):
        session = admitted(running, outputs[name], f"builder-{name}")
        sent = message(reading(now, number, temperature=20 + number))
        own = topic("acme", "oslo", f"builder-{name}", outputs[name]["TopicRoot"])
        assert session.publish(own, sent) == "Success"
        session.close()

    def arrived(name: str) -> bool:
        return any(f"builder-{name}" in line for line in running.lines(outputs[name]["LakeBucket"], "raw/telemetry/"))

    for name in NAMES:
        assert eventually(partial(arrived, name))
        lakes[name].judge(arrivals)
    for number, name in enumerate(NAMES):
        lake = lakes[name]
        lake.quarantine(arrivals)
        event_hours = lake.touched(arrivals)
        lake.curate(event_hours)
        rows = [(row["device_id"], row["seq"], row["temperature"]) for row in curated(lake, event_hours)]
        assert rows == [(f"builder-{name}", number, 20 + number)]
        assert all(balance.balances for balance in lake.event_balances(event_hours))


def test_a_claim_of_one_environment_is_no_use_in_the_other(environments: Environments, tmp_path: Path) -> None:
    running, outputs = environments
    iot = running.client("iot")
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=outputs["blue"]["ClaimPolicy"], target=made["certificateArn"])
    certificate, key = tmp_path / "claim.pem", tmp_path / "claim.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    assert running.connect("claim-1", certificate, key).wait("connack") == ["Not authorized"]
    session = running.connect("blue-claim-1", certificate, key)
    for name, answer in (("blue", "Success"), ("telemetry", "Not authorized")):
        template = outputs[name]["ProvisioningTemplate"]
        assert session.publish(f"$aws/provisioning-templates/{template}/provision/json", b"{}") == answer
    session.close()
