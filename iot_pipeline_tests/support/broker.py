"""A plain ministack with policies enforced, with device policy and thing type, and a rule from every message to SQS."""

import base64
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from iot_pipeline.registry import things
from iot_pipeline.registry.bulk import read_devices, save
from iot_pipeline.registry.keys import for_device
from simulator.enrolment import LIST_FILE

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient
    from mypy_boto3_sqs import SQSClient

REGION, ACCOUNT = "eu-west-1", "000000000000"
_THING = "${iot:Connection.Thing.ThingName}"
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": f"arn:aws:iot:{REGION}:{ACCOUNT}:client/{_THING}",
        },
        {
            "Effect": "Allow",
            "Action": "iot:Publish",
            "Resource": f"arn:aws:iot:{REGION}:{ACCOUNT}:topic/dt/*/*/{_THING}/telemetry",
        },
    ],
}


@dataclass(frozen=True)
class Broker:
    """Where the broker is, its CA, and the environment that reaches it."""

    mqtt_port: int
    ca: Path
    environment: dict[str, str]
    queue_url: str
    pid: int

    @property
    def sqs(self) -> "SQSClient":
        return boto3.client(
            "sqs",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @property
    def iot(self) -> "IoTClient":
        return boto3.client(
            "iot",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def onboard(self, folder: Path, devices: int, *options: str, policy: str = things.POLICY) -> None:
        """Make a fleet and let it in, as the registry does but without a database; `options` are those of `enrol`."""
        self.simulate("enrol", str(folder), "--devices", str(devices), *options)
        for request in read_devices(folder / LIST_FILE):
            # Another test may have had a device of that name.
            known = things.find(self.iot, request.device_id) == "device"
            (things.label if known else things.create_thing)(self.iot, request, things.DeviceKind())
            assert request.csr
            certificate = things.create_certificate(self.iot, for_device(request.device_id, request.csr))
            self.iot.update_certificate(certificateId=certificate.certificate_id, newStatus="ACTIVE")
            self.iot.attach_policy(policyName=policy, target=certificate.arn)
            self.iot.attach_thing_principal(thingName=request.device_id, principal=certificate.arn)
            save(folder / "devices", request.device_id, certificate)

    def waiting(self) -> int:
        """How many messages have arrived and were not yet received."""
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def received(self) -> Counter[tuple[str, bytes]]:
        """Empty the queue: every (topic, payload) the rule passed on, and how often."""
        payloads: Counter[tuple[str, bytes]] = Counter()
        sqs = self.sqs
        empty = 0
        while empty < 2:
            messages = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
            empty = 0 if messages else empty + 1
            for message in messages:
                body = json.loads(message["Body"])
                payloads[body["topic"], base64.b64decode(body["payload"])] += 1
            if messages:
                entries: list[Any] = [
                    {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)
                ]
                sqs.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)
        return payloads

    def simulator(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start `python -m simulator` against this broker."""
        return subprocess.Popen(
            [sys.executable, "-m", "simulator", *arguments],
            env={**self.environment, "SIMULATOR_ENDPOINT": f"localhost:{self.mqtt_port}", "SIMULATOR_CA": str(self.ca)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def simulate(self, *arguments: str) -> str:
        """Run `python -m simulator` to its end; its output. Fails the test unless it exits with 0."""
        process = self.simulator(*arguments)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return output


LISTENING_SECONDS = 60.0


def wait_until_listening(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    """Whether it listens for devices; if its port was taken it never does, though it answers."""
    deadline = time.monotonic() + LISTENING_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/_ministack/ready", timeout=2) as response:
                if json.load(response).get("iot_mtls") == "listening":
                    return True
        except (urllib.error.URLError, ConnectionError):
            pass  # not yet
        time.sleep(0.05)
    return False


def platform_of(environment: dict[str, str]) -> str:
    """Policy, thing type and rule; returns the queue's URL."""
    session = boto3.Session("test", "test", region_name=REGION)
    url = environment["AWS_ENDPOINT_URL"]
    iot = session.client("iot", endpoint_url=url)
    iot.create_policy(policyName="telemetry-device", policyDocument=json.dumps(_POLICY))
    iot.create_thing_type(thingTypeName="telemetry-sensor")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = session.client("iam", endpoint_url=url).create_role(
        RoleName="rule", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    queue_url = session.client("sqs", endpoint_url=url).create_queue(QueueName="received")["QueueUrl"]
    iot.create_topic_rule(
        ruleName="received",
        topicRulePayload={
            # An envelope, so that payloads of every kind arrive as exact bytes.
            "sql": "SELECT encode(*, 'base64') AS payload, topic() AS topic FROM 'dt/+/+/+/telemetry'",
            "awsIotSqlVersion": "2016-03-23",
            "actions": [{"sqs": {"queueUrl": queue_url, "roleArn": role, "useBase64": False}}],
        },
    )
    return queue_url
