"""Requests with a role's session credentials, and services that act as roles: who is let in, and how a denial looks.

IAM user guide: "Policy evaluation logic", "The confused deputy problem", "Troubleshoot access denied error messages";
the API references of the services.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.servers.acting import service_session
from infra.local.session.assumed_roles import assume
from iot_pipeline_tests.support.emulator import ACCOUNT, REGION, LocalAws, eventually, unique
from iot_pipeline_tests.support.role_paths import session_client

pytestmark = pytest.mark.integration

Statement = dict[str, Any]
TASK: Statement = {"Service": "ecs-tasks.amazonaws.com"}


def allow(*actions: str, on: str | list[str] = "*", **conditions: dict[str, str]) -> Statement:
    """A statement that allows."""
    statement: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return statement | ({"Condition": conditions} if conditions else {})


def role(aws: LocalAws, *statements: Statement, principal: Statement = TASK, **trusted_if: dict[str, str]) -> str:
    """A role with these permissions, its ARN."""
    iam, name = aws.client("iam"), unique("role")
    trust: Statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust |= {"Condition": trusted_if} if trusted_if else {}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return str(arn)


def error(call: Callable[[], object]) -> tuple[str, str]:
    """The code and the message of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"].get("Message", "")


def key_of(aws: LocalAws) -> str:
    """A key whose policy leaves it to IAM, as every key's of ours."""
    return str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def encrypted_bucket(aws: LocalAws) -> tuple[str, str]:
    """A bucket, and the key that its objects are encrypted with."""
    bucket, key = aws.bucket(), key_of(aws)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    aws.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return bucket, key


def test_a_role_may_what_its_policies_allow_and_nothing_else(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    arn = role(local_aws, allow("s3:PutObject", on=f"arn:aws:s3:::{bucket}/in/*"))
    s3 = session_client(local_aws, arn, "s3")
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rpartition('/')[2]}/local"
    denied = f"User: {session} is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::{bucket}/out/a"
    because = "because no identity-based policy allows the s3:PutObject action"
    assert error(lambda: s3.put_object(Bucket=bucket, Key="out/a", Body=b"")) == ("AccessDenied", f"{denied} {because}")
    for service, call in (
        ("dynamodb", lambda client: client.get_item(TableName="t", Key={"k": {"S": "1"}})),
        ("glue", lambda client: client.get_table(DatabaseName="d", Name="t")),
        ("sns", lambda client: client.publish(TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:t", Message="m")),
        ("sqs", lambda client: client.send_message(QueueUrl=f"http://localhost/{ACCOUNT}/q", MessageBody="m")),
        ("kinesis", lambda client: client.put_record(StreamName="s", Data=b"", PartitionKey="k")),
        ("iam", lambda client: client.list_roles()),
    ):
        client = session_client(local_aws, arn, service)
        code, message = error(lambda client=client, call=call: call(client))  # type: ignore[misc]  # both are bound
        assert code in {"AccessDenied", "AccessDeniedException", "AuthorizationError"}, service
        assert session in message


def test_a_denial_wins(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    denied = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/raw/*"}
    s3 = session_client(local_aws, role(local_aws, allow("s3:*"), denied), "s3")
    s3.put_object(Bucket=bucket, Key="other", Body=b"")
    code, message = error(lambda: s3.put_object(Bucket=bucket, Key="raw/a", Body=b""))
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(("until", "allowed"), [("2100-01-01T00:00:00Z", True), ("2000-01-01T00:00:00Z", False)])
def test_a_boundary_is_asked_of_the_moment_too(local_aws: LocalAws, until: str, allowed: bool) -> None:
    bucket, arn = local_aws.bucket(), role(local_aws, allow("s3:*"))
    iam = local_aws.client("iam")
    limit = {"Version": "2012-10-17", "Statement": [allow("s3:*", DateLessThan={"aws:CurrentTime": until})]}
    boundary = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=json.dumps(limit))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=arn.rpartition("/")[2], PermissionsBoundary=boundary)
    s3 = session_client(local_aws, arn, "s3")
    if allowed:
        s3.put_object(Bucket=bucket, Key="a", Body=b"")
    else:
        code, message = error(lambda: s3.put_object(Bucket=bucket, Key="a", Body=b""))
        assert code == "AccessDenied"
        assert message.endswith("because no permissions boundary allows the s3:PutObject action")


def test_a_listing_is_limited_to_its_prefix(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    listed = allow("s3:ListBucket", on=f"arn:aws:s3:::{bucket}", StringLike={"s3:prefix": "in/*"})
    s3 = session_client(local_aws, role(local_aws, listed), "s3")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="in/2026")["KeyCount"] == 0
    assert error(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="out/"))[0] == "AccessDenied"
    assert error(lambda: s3.list_objects_v2(Bucket=bucket))[0] == "AccessDenied"


def test_who_may_not_list_is_not_told_that_an_object_is_missing(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    read = allow("s3:GetObject", on=f"arn:aws:s3:::{bucket}/*")
    listed = allow("s3:ListBucket", on=f"arn:aws:s3:::{bucket}", StringLike={"s3:prefix": "in/*"})
    both = session_client(local_aws, role(local_aws, read, listed), "s3")
    assert error(lambda: both.get_object(Bucket=bucket, Key="in/none"))[0] == "NoSuchKey"
    assert error(lambda: both.get_object(Bucket=bucket, Key="out/none"))[0] == "AccessDenied"
    assert error(lambda: both.head_object(Bucket=bucket, Key="in/none"))[0] == "404"
    alone = session_client(local_aws, role(local_aws, read), "s3")
    assert error(lambda: alone.get_object(Bucket=bucket, Key="in/none"))[0] == "AccessDenied"


def test_an_object_needs_its_key_through_s3(local_aws: LocalAws) -> None:
    bucket, key = encrypted_bucket(local_aws)
    local_aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"a")
    objects = allow("s3:GetObject", "s3:PutObject", on=f"arn:aws:s3:::{bucket}/*")

    def through(service: str) -> Any:
        via = {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
        return session_client(local_aws, role(local_aws, objects, allow("kms:Decrypt", on=key, **via)), "s3")

    assert through("s3").get_object(Bucket=bucket, Key="a")["Body"].read() == b"a"
    for client in (through("sns"), session_client(local_aws, role(local_aws, objects), "s3")):
        code, message = error(lambda client=client: client.get_object(Bucket=bucket, Key="a"))  # type: ignore[misc]  # bound
        assert code == "AccessDenied"
        assert f"kms:Decrypt on resource: {key}" in message
    code, message = error(lambda: through("s3").put_object(Bucket=bucket, Key="b", Body=b"b"))
    assert (code, "kms:GenerateDataKey" in message) == ("AccessDenied", True)


def test_a_key_whose_policy_does_not_leave_it_to_iam_refuses(local_aws: LocalAws) -> None:
    bucket, key = encrypted_bucket(local_aws)
    local_aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"a")
    s3 = session_client(local_aws, role(local_aws, allow("s3:*"), allow("kms:*")), "s3")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"a"
    own = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    local_aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    code, message = error(lambda: s3.get_object(Bucket=bucket, Key="a"))
    assert (code, "because no resource-based policy allows the kms:Decrypt action" in message) == ("AccessDenied", True)


def test_topics_and_queues_say_that_the_key_is_denied(local_aws: LocalAws) -> None:
    key = key_of(local_aws)
    url, _arn = local_aws.queue(KmsMasterKeyId=key)
    topic = local_aws.client("sns").create_topic(Name=unique("topic"), Attributes={"KmsMasterKeyId": key})["TopicArn"]
    arn = role(local_aws, allow("sqs:*", "sns:*"))
    sns, sqs = session_client(local_aws, arn, "sns"), session_client(local_aws, arn, "sqs")
    assert error(lambda: sns.publish(TopicArn=topic, Message="m"))[0] == "KMSAccessDenied"
    assert error(lambda: sqs.send_message(QueueUrl=url, MessageBody="m"))[0] == "KMS.AccessDeniedException"


@pytest.mark.parametrize(
    ("principal", "condition", "assumed"),
    [
        (TASK, {}, True),
        (TASK, {"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        (TASK, {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"}}, True),
        (TASK, {"StringEquals": {"aws:SourceAccount": "111122223333"}}, False),
        ({"AWS": "arn:aws:iam::111122223333:root"}, {}, False),
    ],
)
def test_a_role_is_assumed_if_its_trust_policy_says_so(
    local_aws: LocalAws, principal: Statement, condition: dict[str, Any], assumed: bool
) -> None:
    arn = role(local_aws, principal=principal, **condition)
    if assumed:
        assert assume(local_aws.emulator, arn)["AWS_SESSION_TOKEN"]
    else:
        assert error(lambda: assume(local_aws.emulator, arn))[0] == "AccessDenied"


def test_a_rule_whose_role_trusts_another_account_does_nothing_but_its_error_action(local_aws: LocalAws) -> None:
    stream, _arn = local_aws.stream()
    url, queue = local_aws.queue()
    iot = {"Service": "iot.amazonaws.com"}
    foreign = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    strict = role(local_aws, allow("kinesis:*"), principal=iot, **foreign)
    errors = role(local_aws, allow("sqs:SendMessage", on=queue), principal=iot)
    topic, name = unique("t"), unique("rule").replace("-", "_")
    payload = {
        "sql": f"SELECT * FROM '{topic}'",
        "actions": [{"kinesis": {"streamName": stream, "partitionKey": "k", "roleArn": strict}}],
        "errorAction": {"sqs": {"queueUrl": url, "roleArn": errors, "useBase64": False}},
    }
    local_aws.client("iot").create_topic_rule(ruleName=name, topicRulePayload=payload)
    local_aws.client("iot-data").publish(topic=topic, payload=b"{}", qos=1)
    (message,) = local_aws.messages(url)
    (failure,) = message["failures"]
    assert "sts:AssumeRole" in failure["errorMessage"]
    assert f"rule/{name}" in failure["errorMessage"]


def test_a_batch_is_allowed_by_the_action_of_one(local_aws: LocalAws) -> None:
    url = local_aws.client("sqs").create_queue(QueueName=unique("batch"))["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
    sqs = session_client(local_aws, role(local_aws, allow("sqs:SendMessage", "sqs:ReceiveMessage", on=arn)), "sqs")
    sent = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "a"}])
    assert [each["Id"] for each in sent["Successful"]] == ["1"]
    (got,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    entries = [{"Id": "1", "ReceiptHandle": got["ReceiptHandle"]}]
    code, message = error(lambda: sqs.delete_message_batch(QueueUrl=url, Entries=entries))
    assert code == "AccessDenied"
    assert f"is not authorized to perform: sqs:DeleteMessage on resource: {arn} " in message


@pytest.mark.parametrize("missing", ["catalog", "database/{database}", "table/{database}/one"])
def test_a_call_on_a_table_needs_its_action_on_catalog_database_and_table(local_aws: LocalAws, missing: str) -> None:
    database, glue = unique("db").replace("-", "_"), local_aws.client("glue")
    glue.create_database(DatabaseInput={"Name": database})
    for name in ("one", "two"):
        glue.create_table(DatabaseName=database, TableInput={"Name": name})
    scope = f"arn:aws:glue:{REGION}:{ACCOUNT}:"
    whole = [f"{scope}{each}" for each in ("catalog", f"database/{database}", f"table/{database}/one")]
    asked = {"DatabaseName": database, "Name": "one"}
    may = session_client(local_aws, role(local_aws, allow("glue:GetTable", on=whole)), "glue")
    assert may.get_table(**asked)["Table"]["Name"] == "one"
    named = f"glue:GetTable on resource: {scope}table/{database}/two "
    assert named in error(lambda: may.get_table(**{**asked, "Name": "two"}))[1]
    left = scope + missing.format(database=database)
    without = role(local_aws, allow("glue:GetTable", on=[each for each in whole if each != left]))
    code, message = error(lambda: session_client(local_aws, without, "glue").get_table(**asked))
    assert code == "AccessDeniedException"
    assert f"glue:GetTable on resource: {left} " in message


def test_a_crawler_is_named_as_a_crawler(local_aws: LocalAws) -> None:
    on = f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/own"
    glue = session_client(local_aws, role(local_aws, allow("glue:GetCrawler", on=on)), "glue")
    assert error(lambda: glue.get_crawler(Name="own"))[0] == "EntityNotFoundException"
    assert "crawler/other " in error(lambda: glue.get_crawler(Name="other"))[1]


def test_a_service_that_says_which_it_is_is_let_in_by_its_own_name_alone(local_aws: LocalAws) -> None:
    arn = role(local_aws, principal={"Service": ["ecs-tasks.amazonaws.com"]})
    source = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/one"

    def taken_on(service: str) -> object:
        return service_session(local_aws.client("sts"), arn, "one", service=service, source_arn=source)

    assert taken_on("ecs-tasks.amazonaws.com")
    assert error(lambda: taken_on("redshift.amazonaws.com"))[0] == "AccessDenied"


def test_a_denial_is_counted_by_role_and_action(local_aws: LocalAws) -> None:
    arn = role(local_aws)
    assert error(lambda: session_client(local_aws, arn, "s3").list_buckets())[0] == "AccessDenied"
    metric = {"Namespace": "LocalAws/IAM", "MetricName": "AccessDenied"}

    def counted() -> bool:
        found = local_aws.client("cloudwatch").list_metrics(**metric)["Metrics"]
        wanted = {("Role", arn.rpartition("/")[2]), ("Action", "s3:ListAllMyBuckets")}
        return any({(d["Name"], d["Value"]) for d in one["Dimensions"]} == wanted for one in found)

    assert eventually(counted)
