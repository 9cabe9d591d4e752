"""What is called under the role of a Lambda function: by Lambda itself, and by custom resources."""

import json
from collections.abc import Iterator
from typing import Any

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, need

_LOGS = 'AWS Lambda guide, "Sending Lambda function logs to CloudWatch Logs"'
_TRACES = 'AWS Lambda guide, "Visualize Lambda function invocations using AWS X-Ray"'
_STREAM = 'AWS Lambda guide, "Process Amazon Kinesis Data Streams records with Lambda", execution role'
_QUEUE = 'AWS Lambda guide, "Using Lambda with Amazon SQS", execution role permissions'
_FAN_OUT = 'AWS Lambda guide, "Configure dedicated-throughput consumers with enhanced fan-out"'
_FAILED = 'AWS Lambda guide, "Retain discarded batch records for a Kinesis Data Streams event source in Lambda"'
_ASYNCHRONOUS = 'AWS Lambda guide, "Capturing records of Lambda asynchronous invocations"'
_SDK_CALLS = "CDK's AwsCustomResource, which makes the call"
_DATA_API = 'Aurora guide, "Authorizing access to the Amazon RDS Data API": the secret is read in the caller\'s name'
_DEFAULT_GROUP = "CDK's Custom::VpcRestrictDefaultSG: no rules while it stands, the default ones after it"


def function_calls(environment: Environment, function: Resource) -> Iterator[Need]:
    """All but what its code calls."""
    yield from _logs(environment, function)
    if function.properties.get("TracingConfig", {}).get("Mode") == "Active":
        for action in ("PutTraceSegments", "PutTelemetryRecords"):
            yield need(f"xray:{action}", "*", _TRACES)
    arn = environment.arn(function)
    for mapping in environment.of_type("AWS::Lambda::EventSourceMapping"):
        if mapping.properties["FunctionName"] == arn:
            yield from _mapping(mapping)
    for config in environment.of_type("AWS::Lambda::EventInvokeConfig"):
        if config.properties["FunctionName"] in (arn, arn.rpartition(":")[2]):
            for destination in config.properties.get("DestinationConfig", {}).values():
                yield _to_queue(destination["Destination"])
    for resource in environment.resources:
        if resource.type.startswith("Custom::") and resource.properties.get("ServiceToken") == arn:
            yield from _custom(environment, resource)


def _logs(environment: Environment, function: Resource) -> Iterator[Need]:
    group = function.properties.get("LoggingConfig", {}).get("LogGroup")
    own = f"/aws/lambda/{environment.arn(function).rpartition(':')[2]}"
    # Of a generated name only the stack's part is known before.
    name = group or (own if "FunctionName" in function.properties else f"/aws/lambda/{function.stack}-*")
    config = environment.config
    arn = f"arn:aws:logs:{config.region}:{config.account}:log-group:{name}:*"
    for action in ("CreateLogStream", "PutLogEvents"):
        yield need(f"logs:{action}", arn, _LOGS)
    made = {group.properties.get("LogGroupName") for group in environment.of_type("AWS::Logs::LogGroup")}
    if group is None and own not in made:
        yield need("logs:CreateLogGroup", arn, _LOGS)


def _mapping(mapping: Resource) -> Iterator[Need]:
    source = mapping.properties["EventSourceArn"]
    if ":sqs:" in source:
        for action in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage"):
            yield need(f"sqs:{action}", source, _QUEUE)
        return
    stream, _, consumer = source.partition("/consumer/")
    for action in ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"):
        yield need(f"kinesis:{action}", stream, _STREAM)
    if consumer:
        for action in ("DescribeStreamConsumer", "SubscribeToShard"):
            yield need(f"kinesis:{action}", source, _FAN_OUT)
    destination = mapping.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if destination.startswith("arn:aws:s3:"):
        yield need("s3:PutObject", f"{destination}/aws/lambda/*", _FAILED)
        # The page names no prefix of the listing.
        yield need("s3:ListBucket", destination, _FAILED)


def _to_queue(destination: str) -> Need:
    if ":sqs:" not in destination:
        raise ValueError(f"a destination of invocations that is no queue: {destination}; teach the prover")
    return need("sqs:SendMessage", destination, _ASYNCHRONOUS)


def _custom(environment: Environment, resource: Resource) -> Iterator[Need]:
    config = environment.config
    if resource.type == "Custom::VpcRestrictDefaultSG":
        group_id = resource.properties["DefaultSecurityGroupId"]
        group = f"arn:aws:ec2:{config.region}:{config.account}:security-group/{group_id}"
        for verb in ("Authorize", "Revoke"):
            for way in ("Ingress", "Egress"):
                yield need(f"ec2:{verb}SecurityGroup{way}", group, _DEFAULT_GROUP)
        return
    for event in ("Create", "Update", "Delete"):
        if text := resource.properties.get(event):
            yield from _sdk_call(environment, json.loads(text))


# Which resource a call of the SDK is on (service authorization reference, Amazon Redshift Serverless): usage limits
# have no resource type of their own, so that their actions know `*` alone.
_ON_ANYTHING = ("CreateUsageLimit", "UpdateUsageLimit", "DeleteUsageLimit")


def _sdk_call(environment: Environment, call: dict[str, Any]) -> Iterator[Need]:
    action = call["action"][0].upper() + call["action"][1:]
    why = f"{_SDK_CALLS} at deployment"
    if (call["service"], action) == ("RDSDataService", "ExecuteStatement"):
        given = call["parameters"]
        yield need("rds-data:ExecuteStatement", given["resourceArn"], why)
        yield need("secretsmanager:GetSecretValue", given["secretArn"], _DATA_API)
        for key in _keys_of_secrets(environment, given["secretArn"]):
            yield need("kms:Decrypt", key, _DATA_API)
        return
    if call["service"] != "RedshiftServerless" or action not in (*_ON_ANYTHING, "GetNamespace"):
        raise ValueError(f"a custom resource calls {call['service']} {action}; say in infra/prover on what that is")
    config = environment.config
    namespaces = f"arn:aws:redshift-serverless:{config.region}:{config.account}:namespace/*"
    yield need(f"redshift-serverless:{action}", "*" if action in _ON_ANYTHING else namespaces, why)


def _keys_of_secrets(environment: Environment, secret: str) -> Iterator[str]:
    """The key of a secret that RDS makes for a cluster, and that the cluster's template names."""
    for cluster in environment.of_type("AWS::RDS::DBCluster"):
        key = cluster.properties.get("MasterUserSecret", {}).get("KmsKeyId")
        if key and secret.endswith(f":{cluster.stack}-{cluster.logical_id}.MasterUserSecret.SecretArn"):
            yield key
