"""Athena acts for its caller: what IAM denies the caller, Athena cannot do either, and it says so in its own words.

Athena user guide, "Identity and access management in Athena", "Configure access to databases and tables in the AWS Glue
Data Catalog", "Use IAM policies to control workgroup access"; IAM user guide, "Forward access sessions".
"""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.athena.process import LocalAthena, start_athena
from infra.local.emulator.process import Emulator, start_emulator
from infra.local.servers.acting import FORWARDED_KEY, SERVICE, claim, service_session
from iot_pipeline_tests.support.emulator import ACCOUNT, REGION

pytestmark = pytest.mark.integration
LAKE, RESULTS = "lake", "results"
CATALOG = f"arn:aws:glue:{REGION}:{ACCOUNT}"
GROUP = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/primary"
ASK = ("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults")
Statement = dict[str, Any]


def allow(*actions: str, on: str | list[str], **conditions: Any) -> Statement:
    """A statement that allows."""
    found: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return found | ({"Condition": conditions} if conditions else {})


def everything() -> dict[str, Statement]:
    """What a caller needs who reads a table, makes another from it and looks at results."""
    tables = [f"{CATALOG}:catalog", f"{CATALOG}:database/d", f"{CATALOG}:table/d/*"]
    return {
        "ask": allow(*ASK, on=GROUP),
        "locate": allow("s3:GetBucketLocation", on=f"arn:aws:s3:::{RESULTS}"),
        "results": allow("s3:GetObject", "s3:PutObject", on=f"arn:aws:s3:::{RESULTS}/*"),
        "catalog": allow("glue:GetTable", on=tables),
        "make": allow("glue:CreateTable", on=tables),
        "list": allow("s3:ListBucket", on=f"arn:aws:s3:::{LAKE}"),
        "read": allow("s3:GetObject", on=f"arn:aws:s3:::{LAKE}/events/*"),
        "write": allow("s3:PutObject", on=f"arn:aws:s3:::{LAKE}/made/*"),
    }


@dataclass
class World:
    """The two servers with a table `d.events` of two rows."""

    emulator: Emulator
    athena: LocalAthena

    def client(self, service: str, **keys: Any) -> Any:
        """A client as the root, or with other keys."""
        url = self.athena.endpoint_url if service == "athena" else self.emulator.endpoint_url
        options = {**self.emulator.client_options, "endpoint_url": url, **keys}
        return boto3.client(service, **options)  # type: ignore[call-overload]  # the options are a dict

    def caller(self, *statements: Statement) -> "Caller":
        """A session of a new role with these statements."""
        iam, name = self.client("iam"), f"caller-{uuid.uuid4().hex[:8]}"
        principal = {"Service": "ecs-tasks.amazonaws.com"}
        trust = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
        document = json.dumps({"Version": "2012-10-17", "Statement": trust})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        source = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/one"
        made = service_session(self.client("sts"), arn, "one", service="ecs-tasks.amazonaws.com", source_arn=source)
        keys = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }
        return Caller(self, f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/one", keys)


@dataclass
class Caller:
    """Who asks, with credentials of an own role."""

    world: World
    arn: str
    keys: dict[str, str]

    def client(self, service: str) -> Any:
        """A client as the role."""
        return self.world.client(service, **self.keys)

    def ran(self, sql: str) -> dict[str, Any]:
        """The Status of a statement at its end."""
        athena = self.client("athena")
        started = athena.start_query_execution(
            QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{RESULTS}/"}
        )
        while True:
            status: dict[str, Any] = athena.get_query_execution(**_only_id(started))["QueryExecution"]["Status"]
            if status["State"] not in {"QUEUED", "RUNNING"}:
                break
            time.sleep(0.02)
        if status["State"] == "SUCCEEDED":
            athena.get_query_results(**_only_id(started))
        return status

    def said(self, sql: str) -> str:
        """Why a statement fails, whether Athena does not take it or it fails later; empty if it succeeds."""
        try:
            return str(self.ran(sql).get("StateChangeReason", ""))
        except ClientError as error:
            return str(error)


def _only_id(started: dict[str, Any]) -> dict[str, str]:
    return {"QueryExecutionId": started["QueryExecutionId"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    state: Path = tmp_path_factory.mktemp("callers")
    emulator = start_emulator(state / "aws")
    try:
        s3_data, environment = state / "aws" / "s3", emulator.environment
        athena = start_athena(state / "athena", port=None, s3_data_dir=s3_data, environment=environment)
        try:
            made = World(emulator, athena)
            s3, glue = made.client("s3"), made.client("glue")
            for bucket in (LAKE, RESULTS):
                s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            glue.create_database(DatabaseInput={"Name": "d"})
            serde = {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}
            for table in ("events", "secrets"):
                s3.put_object(Bucket=LAKE, Key=f"{table}/one.json", Body=b'{"n": 1}\n{"n": 2}\n')
                storage = {
                    "Columns": [{"Name": "n", "Type": "int"}],
                    "Location": f"s3://{LAKE}/{table}/",
                    "SerdeInfo": serde,
                }
                glue.create_table(
                    DatabaseName="d",
                    TableInput={"Name": table, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage},
                )
            yield made
        finally:
            athena.stop()
    finally:
        emulator.stop()


def ctas() -> str:
    """A statement that reads, writes and makes a table."""
    name = f"t{uuid.uuid4().hex[:8]}"
    return f"CREATE TABLE d.{name} WITH (external_location = 's3://{LAKE}/made/{name}/') AS SELECT n FROM d.events"


def test_whoever_may_all_of_it_does_it_and_nothing_is_denied(world: World) -> None:
    caller = world.caller(*everything().values())
    before = world.emulator.log_file.stat().st_size
    assert caller.said("SELECT n FROM d.events") == ""
    assert caller.said(ctas()) == ""
    assert b"AccessDenied" not in world.emulator.log_file.read_bytes()[before:]


@pytest.mark.parametrize(
    ("missing", "action", "words"),
    [
        ("ask", "athena:StartQueryExecution", "AccessDeniedException"),
        ("locate", "s3:GetBucketLocation", "Unable to verify/create output bucket results"),
        ("results", "s3:PutObject", "PERMISSION_DENIED: "),
        ("catalog", "glue:GetTable", "Insufficient permissions to execute the query. "),
        ("make", "glue:CreateTable", "Insufficient permissions to execute the query. "),
        ("list", "s3:ListBucket", "PERMISSION_DENIED: "),
        ("read", "s3:GetObject", "PERMISSION_DENIED: "),
        ("write", "s3:PutObject", "PERMISSION_DENIED: "),
    ],
)
def test_without_one_statement_athena_names_what_is_denied(world: World, missing: str, action: str, words: str) -> None:
    caller = world.caller(*(each for name, each in everything().items() if name != missing))
    said = caller.said(ctas())
    assert words in said
    assert f"User: {caller.arn} is not authorized to perform: {action} on resource: arn:aws:" in said


def test_results_are_for_those_who_may_read_their_object(world: World) -> None:
    statements = everything() | {"results": allow("s3:PutObject", on=f"arn:aws:s3:::{RESULTS}/*")}
    caller = world.caller(*statements.values())
    assert "You do not seem to have access to the S3 location of your query results" in caller.said("SELECT 1")


def test_a_table_is_for_those_who_may_use_it(world: World) -> None:
    named = [f"{CATALOG}:catalog", f"{CATALOG}:database/d", f"{CATALOG}:table/d/events"]
    caller = world.caller(*(everything() | {"catalog": allow("glue:GetTable", on=named)}).values())
    assert caller.said("SELECT n FROM d.events") == ""
    assert f"glue:GetTable on resource: {CATALOG}:table/d/secrets" in caller.said("SELECT n FROM d.secrets")


def test_an_execution_is_its_workgroups(world: World) -> None:
    """Whoever may not use the workgroup may neither see nor stop what runs in it."""
    owner, other = world.caller(*everything().values()), world.caller(allow(*ASK, on=GROUP.replace("primary", "own")))
    started = owner.client("athena").start_query_execution(
        QueryString="SELECT 1", ResultConfiguration={"OutputLocation": f"s3://{RESULTS}/"}
    )
    for call in ("get_query_execution", "get_query_results", "stop_query_execution"):
        with pytest.raises(ClientError, match=f"is not authorized to perform: athena:.* on resource: {GROUP}"):
            getattr(other.client("athena"), call)(**_only_id(started))


def test_what_is_allowed_through_athena_alone_is_denied_otherwise(world: World) -> None:
    through = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["athena.amazonaws.com"]}}
    read = allow("s3:GetObject", on=f"arn:aws:s3:::{LAKE}/events/*", **through)
    caller = world.caller(*(everything() | {"read": read}).values())
    assert caller.said("SELECT n FROM d.events") == ""
    with pytest.raises(ClientError, match="is not authorized to perform: s3:GetObject"):
        caller.client("s3").get_object(Bucket=LAKE, Key="events/one.json")


def test_nobody_but_the_servers_can_claim_to_act_for_another(world: World) -> None:
    caller, powerful = world.caller(allow(*ASK, on=GROUP)), world.caller(*everything().values())
    s3 = caller.client("s3")
    claim(s3, lambda: {FORWARDED_KEY: powerful.keys["aws_access_key_id"], SERVICE: "athena.amazonaws.com"})
    with pytest.raises(ClientError, match="is not authorized to perform: s3:GetObject"):
        s3.get_object(Bucket=LAKE, Key="events/one.json")


def test_a_request_without_a_true_signature_is_not_served(world: World) -> None:
    caller = world.caller(*everything().values())
    forged = world.client("athena", **{**caller.keys, "aws_secret_access_key": "guessed"})
    with pytest.raises(ClientError, match=r"InvalidSignatureException|SignatureDoesNotMatch"):
        forged.list_query_executions()
    root = world.client("athena", aws_secret_access_key="guessed")
    with pytest.raises(ClientError, match=r"InvalidSignatureException|SignatureDoesNotMatch"):
        root.list_query_executions()
    unknown = world.client("athena", aws_access_key_id="ASIAUNKNOWN", aws_secret_access_key="guessed")
    with pytest.raises(ClientError, match=r"UnrecognizedClientException|InvalidClientTokenId"):
        unknown.list_query_executions()
    unsigned = world.client("athena", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError, match="MissingAuthenticationToken"):
        unsigned.list_query_executions()
