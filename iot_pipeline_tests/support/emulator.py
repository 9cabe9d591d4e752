"""One local AWS for all contract tests of the emulator, and the small things they all need."""

import gzip
import json
import re
import signal
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import boto3
import paho.mqtt.client as mqtt
import psutil
from botocore.config import Config
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from infra.local.emulator.process import Emulator, start_emulator

REGION = "eu-west-1"
ACCOUNT = "000000000000"
INTERVAL_SCALE = 0.005  # a 60 s Firehose buffer lasts 0.3 s
POLL_SECONDS = 0.05  # once a second on AWS
RETRY_SECONDS = 0.2  # a minute on AWS
_ARN = f"arn:aws:iot:{REGION}:{ACCOUNT}"
_NAME = "${iot:Connection.Thing.ThingName}"

DEVICE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{_ARN}:client/{_NAME}"},
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{_ARN}:topic/*/{_NAME}/telemetry"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{_ARN}:topicfilter/cmd/{_NAME}/*"},
    ],
}
Result = TypeVar("Result")


def unique(prefix: str) -> str:
    """A name no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def eventually(probe: Callable[[], Result], timeout: float = 20.0) -> Result:
    """Call `probe` until its result is true or the time is up; the last result, whichever."""
    deadline = time.monotonic() + timeout
    while not (result := probe()) and time.monotonic() < deadline:
        time.sleep(0.03)
    return result


def processes_of(emulator: int, function: str) -> list[psutil.Process]:
    """The processes, below the emulator's, of a function: they wait for a call, or are in one."""
    found = []
    for process in psutil.Process(emulator).children(recursive=True):
        try:
            if process.environ().get("AWS_LAMBDA_FUNCTION_NAME") == function:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@dataclass
class Device:
    """A thing with its certificate and the files of both."""

    name: str
    certificate_id: str
    certificate_arn: str
    certificate: Path
    key: Path


@dataclass
class Session:
    """An MQTT connection and everything the broker said on it, in order."""

    client: mqtt.Client
    events: list[tuple[str, str]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def wait(self, kind: str, count: int = 1) -> list[str]:
        """The reasons of the events of a kind, once there are `count` (or the connection is over)."""
        eventually(lambda: len(self.of(kind)) >= count or self.closed.is_set(), 10)
        return self.of(kind)

    def of(self, kind: str) -> list[str]:
        """The reasons of the events of a kind so far."""
        return [reason for event, reason in self.events if event == kind]

    def publish(self, topic: str, payload: bytes) -> str:
        """Publish with QoS 1 and wait for the answer's reason."""
        answered = len(self.of("puback"))
        self.client.publish(topic, payload, qos=1)
        return (self.wait("puback", answered + 1) or ["none"])[-1]

    def close(self) -> None:
        """Disconnect and stop the client's thread."""
        self.client.disconnect()
        self.client.loop_stop()


def check_saved(emulator: Emulator) -> None:
    """No service's state could not be saved, which costs a person nothing until the process is killed."""
    lines = emulator.log_file.read_text(errors="replace").splitlines()
    assert [line for line in lines if _UNSAVED.search(line)] == []


_UNSAVED = re.compile("is not saved; tried again|failed to save|error getting state")


@dataclass(eq=False)
class LocalAws:
    """The local AWS under test."""

    emulator: Emulator
    folder: Path

    def stop(self) -> None:
        """Stop it. What it changed has been saved."""
        self.emulator.stop()
        check_saved(self.emulator)

    @cache  # noqa: B019  one instance a test session
    def client(self, service: str) -> Any:
        """A boto3 client, as the product makes them: endpoint, region, the root's credentials."""
        return boto3.client(  # type: ignore[call-overload]  # the service is a variable
            service,
            **self.emulator.client_options,
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    @cache  # noqa: B019  one instance a test session
    def role(self) -> str:
        """A role every service may assume, and that may do anything with what the tests use."""
        services = [f"{name}.amazonaws.com" for name in ("iot", "firehose", "lambda", "glue")]
        trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        name = unique("role")
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
        used = ("s3", "kinesis", "firehose", "sqs", "sns", "dynamodb", "iot", "glue", "logs", "lambda")
        actions = [f"{name}:*" for name in used]
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.client("iam").put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=policy)
        return str(role["Role"]["Arn"])

    def bucket(self) -> str:
        """A new bucket."""
        name = unique("lake")
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def queue(self, **attributes: str) -> tuple[str, str]:
        """A new queue: URL and ARN."""
        name = unique("queue")
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def messages(self, url: str, count: int = 1) -> list[Any]:
        """At least `count` messages' JSON bodies, deleted from the queue as they come."""
        found: list[Any] = []

        def drain() -> bool:
            for message in self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count

        eventually(drain)
        return found

    def stream(self, shards: int = 1) -> tuple[str, str]:
        """A new, active Kinesis stream: name and ARN."""
        kinesis, name = self.client("kinesis"), unique("stream")
        kinesis.create_stream(StreamName=name, ShardCount=shards)

        def active() -> bool:
            summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
            return bool(summary["StreamStatus"] == "ACTIVE")

        eventually(active)
        return name, f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"

    def delivery_stream(self, bucket: str, source: str | None = None, **destination: Any) -> str:
        """A new delivery stream to `bucket`, from a Kinesis stream's ARN or by direct put; gzip lines by default."""
        name = unique("delivery")
        delimiter = {"ParameterName": "Delimiter", "ParameterValue": "\\n"}
        append = {"Type": "AppendDelimiterToRecord", "Parameters": [delimiter]}
        defaults = {
            "RoleARN": self.role(),
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "Prefix": "raw/hour=!{timestamp:HH}/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "CompressionFormat": "GZIP",
            "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60},
            "ProcessingConfiguration": {"Enabled": True, "Processors": [append]},
        }
        request: dict[str, Any] = {"ExtendedS3DestinationConfiguration": defaults | destination}
        if source:
            request["DeliveryStreamType"] = "KinesisStreamAsSource"
            request["KinesisStreamSourceConfiguration"] = {"KinesisStreamARN": source, "RoleARN": self.role()}
        self.client("firehose").create_delivery_stream(DeliveryStreamName=name, **request)
        return name

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys below a prefix."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def body(self, bucket: str, key: str) -> bytes:
        """An object's bytes, unzipped when its key ends in .gz."""
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return gzip.decompress(body) if key.endswith(".gz") else body

    def lines(self, bucket: str, prefix: str = "") -> list[str]:
        """All lines of all objects below a prefix."""
        return [line for key in self.keys(bucket, prefix) for line in self.body(bucket, key).decode().splitlines()]

    def device(self, *, policy: dict[str, Any] | None = None) -> Device:
        """A thing with an active certificate and a policy of its own."""
        iot, name = self.client("iot"), unique("device")
        iot.create_policy(policyName=name, policyDocument=json.dumps(policy or DEVICE_POLICY))
        iot.create_thing(thingName=name)
        made = iot.create_keys_and_certificate(setAsActive=True)
        iot.attach_policy(policyName=name, target=made["certificateArn"])
        iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_text(made["certificatePem"])
        key.write_text(made["keyPair"]["PrivateKey"])
        return Device(name, made["certificateId"], made["certificateArn"], certificate, key)

    def connect(
        self,
        client_id: str,
        certificate: Path | None = None,
        key: Path | None = None,
        *,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
    ) -> Session:
        """Connect over TLS; the session's first event is the CONNACK's reason, or how the attempt ended."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=protocol, reconnect_on_failure=False)
        client.tls_set(str(self.emulator.ca_pem), str(certificate) if certificate else None, str(key) if key else None)
        session = Session(client)

        def ended(*arguments: Any) -> None:
            session.events.append(("disconnect", str(arguments[3])))
            session.closed.set()

        client.on_connect = lambda *arguments: session.events.append(("connack", str(arguments[3])))
        client.on_publish = lambda *arguments: session.events.append(("puback", str(arguments[3])))
        client.on_subscribe = lambda *arguments: session.events.append(("suback", str(arguments[3][0])))
        client.on_disconnect = ended
        try:
            client.connect("127.0.0.1", self.emulator.mqtt_port, keepalive=30)
        except (ssl.SSLError, OSError) as error:
            session.events.append(("disconnect", type(error).__name__))
            session.closed.set()
            return session
        client.loop_start()
        eventually(lambda: bool(session.events), 10)
        return session

    def connect_device(self, device: Device) -> Session:
        """Connect a device as itself."""
        return self.connect(device.name, device.certificate, device.key)


def notify(aws: LocalAws, bucket: str, prefix: str = "", suffix: str = "") -> str:
    """Send the bucket's new objects to a new queue; its URL."""
    url, arn = aws.queue()
    rules = [{"Name": "prefix", "Value": prefix}, {"Name": "suffix", "Value": suffix}]
    configuration = {
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [rule for rule in rules if rule["Value"]]}},
    }
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [statement | {"Resource": arn}]}
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    return url


def restart(aws: LocalAws, how: signal.Signals) -> None:
    """End the process and start it again on the same state and ports."""
    aws.emulator.process.send_signal(how)
    aws.emulator.process.wait(30)
    aws.emulator = start_emulator(
        aws.emulator.state_dir,
        port=aws.emulator.port,
        mqtt_port=aws.emulator.mqtt_port,
        firehose_interval_scale=INTERVAL_SCALE,
        kinesis_poll_seconds=POLL_SECONDS,
        async_retry_seconds=RETRY_SECONDS,
    )
