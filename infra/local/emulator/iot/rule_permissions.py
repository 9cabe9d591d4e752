"""What a rule's action needs: the permissions of its role, or, for a function, the function's own policy.

AWS IoT developer guide, "Granting an AWS IoT rule the access it requires", and the page of each action.
"""

from typing import Any
from urllib.parse import urlsplit

from ministack.services import lambda_svc

from infra.local.emulator.authorisation.denials import AccessDeniedError, Denial
from infra.local.emulator.authorisation.service_roles import ServiceRole, check_invocation

IOT = "iot.amazonaws.com"


def check(account_id: str, region: str, rule_name: str, kind: str, spec: Any, name: str) -> None:
    """Raise AccessDeniedError unless the rule's action may be carried out; `name` is an object's key or a topic."""
    rule_arn = f"arn:aws:iot:{region}:{account_id}:rule/{rule_name}"
    if kind == "lambda":
        function, _config, _name = lambda_svc._get_func_record_for_ref(spec["functionArn"])
        if function is not None:
            check_invocation(function, spec["functionArn"], IOT, rule_arn)
        return
    action, resource = _call(f"{region}:{account_id}", kind, spec, name)
    role_arn = spec.get("roleArn")
    if not role_arn:
        raise AccessDeniedError(Denial(IOT, action, resource, f"because the {kind} action names no roleArn"))
    ServiceRole(role_arn, IOT, rule_arn).check(action, resource)


def _call(scope: str, kind: str, spec: Any, name: str) -> tuple[str, str]:
    """The action and the resource."""
    match kind:
        case "kinesis":
            return "kinesis:PutRecord", f"arn:aws:kinesis:{scope}:stream/{spec['streamName']}"
        case "firehose":
            put = "PutRecordBatch" if spec.get("batchMode") else "PutRecord"
            return f"firehose:{put}", f"arn:aws:firehose:{scope}:deliverystream/{spec['deliveryStreamName']}"
        case "s3":
            return "s3:PutObject", f"arn:aws:s3:::{spec['bucketName']}/{name}"
        case "sqs":
            return "sqs:SendMessage", f"arn:aws:sqs:{scope}:{urlsplit(spec['queueUrl']).path.rpartition('/')[2]}"
        case "sns":
            return "sns:Publish", str(spec["targetArn"])
        case "dynamoDBv2":
            return "dynamodb:PutItem", f"arn:aws:dynamodb:{scope}:table/{spec['putItem']['tableName']}"
        case _:
            return "iot:Publish", f"arn:aws:iot:{scope}:topic/{name}"
