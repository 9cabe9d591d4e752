"""The edge's functions as processes of the local AWS: the package, called by a mapping with the stack's limits."""

import json
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from infra.stacks.bundles import EDGE, built, zipped
from infra.stacks.config import PlatformConfig
from iot_pipeline.edge.stream_lag import progress_key
from iot_pipeline_tests.support.edge import SHARD, Edge
from iot_pipeline_tests.support.emulator import eventually, processes_of

# Kinesis API, PutRecords: at most 500 records a call.
_PUT = 500


@dataclass
class EdgeFunctions:
    """Handler and notifier of an edge on the local AWS, and what disturbs them."""

    edge: Edge
    mapping: str

    def put(self, lines: Sequence[bytes]) -> list[str]:
        """Put lines onto the stream, in order; their sequence numbers."""
        kinesis, stream = self.edge.clients["kinesis"], self.edge.settings.stream
        numbers = []
        for begin in range(0, len(lines), _PUT):
            records = [{"Data": each, "PartitionKey": "one"} for each in lines[begin : begin + _PUT]]
            answer = kinesis.put_records(StreamName=stream, Records=records)
            assert answer["FailedRecordCount"] == 0
            numbers += [each["SequenceNumber"] for each in answer["Records"]]
        return numbers

    def taken(self) -> int:
        """The sequence number of the last record that the handler has done with; 0 before the first."""
        item = self.edge.clients["dynamodb"].get_item(
            TableName=self.edge.settings.alerts_table, Key=progress_key(SHARD), ConsistentRead=True
        )
        return int(item["Item"]["sequence"]["S"]) if "Item" in item else 0

    def wait_for(self, sequence: str, timeout: float = 60.0) -> None:
        """Until the handler has done with a record."""
        assert eventually(lambda: self.taken() >= int(sequence), timeout), f"record {sequence} is still not taken"

    def processes(self, function: str) -> list[psutil.Process]:
        """The processes of a function that wait for a call, or are in one."""
        return processes_of(self.edge.aws.emulator.pid, function)

    def kill_when_written(self, device: str, after: int, timeout: float = 10.0) -> None:
        """`kill -9` the handler as soon as a device's state holds a record behind `after`, and the notifier with it."""
        table, dynamodb = self.edge.settings.device_state_table, self.edge.clients["dynamodb"]
        running = self.processes(self.edge.settings.edge_function)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = dynamodb.get_item(
                TableName=table,
                Key={"device": {"S": device}},
                ProjectionExpression="#s",
                ExpressionAttributeNames={"#s": "sequence"},
            )
            if "Item" in found and int(found["Item"]["sequence"]["S"]) > after:
                break
        for process in (*running, *self.processes(self.edge.settings.notify_function)):
            os.kill(process.pid, signal.SIGKILL)

    def interrupted(self) -> int:
        """How many calls of the handler ended with its process."""
        log = self.edge.aws.emulator.log_file.read_text()
        return sum(self._is_an_end(line) for line in log.splitlines())

    def _is_an_end(self, line: str) -> bool:
        return self.mapping in line and "Runtime exited with error: signal: 9" in line

    def call(self, event: dict[str, Any]) -> Any:
        """Call the handler beside the mapping, as a batch that is delivered twice does."""
        answer = self.edge.clients["lambda"].invoke(
            FunctionName=self.edge.settings.edge_function, Payload=json.dumps(event).encode()
        )
        return json.loads(answer["Payload"].read())

    def notify(self) -> None:
        """Call the notifier as its clock does: again, while the one call that may run at a time is the handler's."""
        functions = self.edge.clients["lambda"]

        def called() -> bool:
            try:
                functions.invoke(FunctionName=self.edge.settings.notify_function, Payload=b"{}")
            except functions.exceptions.TooManyRequestsException:
                return False
            return True

        assert eventually(called), "the notifier is busy all the time"

    def switch(self, *, on: bool) -> None:
        """Enable or disable the mapping."""
        functions = self.edge.clients["lambda"]
        functions.update_event_source_mapping(UUID=self.mapping, Enabled=on)
        wanted = "Enabled" if on else "Disabled"
        assert eventually(lambda: functions.get_event_source_mapping(UUID=self.mapping)["State"] == wanted)


def deploy_functions(edge: Edge) -> EdgeFunctions:
    """Create handler and notifier from their package, and the mapping, with every limit as the stack has it."""
    config, settings, functions = PlatformConfig(), edge.settings, edge.clients["lambda"]
    create_functions(
        edge,
        (
            (settings.edge_function, "handler", config.edge_concurrency),
            (settings.notify_function, "notify", 1),
        ),
    )
    stream = edge.clients["kinesis"].describe_stream_summary(StreamName=settings.stream)["StreamDescriptionSummary"]
    mapping = functions.create_event_source_mapping(
        FunctionName=settings.edge_function,
        EventSourceArn=stream["StreamARN"],
        StartingPosition="LATEST",
        BatchSize=config.edge_batch_size,
        BisectBatchOnFunctionError=True,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=config.edge_retries,
        MaximumRecordAgeInSeconds=config.edge_record_age_hours * 3600,
    )
    return EdgeFunctions(edge, mapping["UUID"])


def create_functions(edge: Edge, wanted: Iterable[tuple[str, str, int]], more: Mapping[str, str] | None = None) -> None:
    """Create functions from the package: name, module and concurrency of each. `more`: of their environment."""
    config, functions = PlatformConfig(), edge.clients["lambda"]
    environment = {f"IOT_{name.upper()}": value for name, value in vars(edge.settings).items()}
    with built(EDGE) as folder:
        package = zipped(folder)
    for name, module, concurrency in wanted:
        functions.create_function(
            FunctionName=name,
            Runtime="python3.14",
            Handler=f"iot_pipeline.edge.{module}.handle",
            Role=_role(edge),
            Code={"ZipFile": package},
            Timeout=config.edge_timeout_seconds,
            MemorySize=config.edge_memory_mib,
            Environment={"Variables": environment | dict(more or {})},
            LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"},
        )
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=concurrency)


def _role(edge: Edge) -> str:
    """A role of the functions, which may do anything; what the stack's roles may is tested with the stack."""
    iam, name = edge.aws.client("iam"), settings_role(edge)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    try:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        role = iam.get_role(RoleName=name)
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=policy)
    return str(role["Role"]["Arn"])


def settings_role(edge: Edge) -> str:
    """The name of the functions' role."""
    return f"{edge.settings.edge_function}-role"
