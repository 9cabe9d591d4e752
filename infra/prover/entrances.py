"""The policies of resources, keys and trusts: each service that has to come in does, for this account alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.iam.one_or_many import listed
from infra.iam.policy import Principal, Request, authorise, evaluate, parse
from infra.prover.deployed import Environment
from infra.prover.granted import Role
from infra.prover.let_in import Entry
from infra.prover.proof import Finding

Statements = Sequence[Mapping[str, Any]]
# Whose account a stranger's resource is in.
_FOREIGN = "999999999999"
# An account's budgets are made by people as well, in the billing console, and tell the topic of alerts.
_BY_HAND = ("budgets.amazonaws.com",)
_PERMISSION = "AWS::Lambda::Permission"


def resource_statements(environment: Environment) -> Mapping[str, Statements]:
    """The statements of all policies of resources, by the ARN of what they are about."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for resource in environment.resources:
        properties = resource.properties
        if resource.type == "AWS::S3::BucketPolicy":
            found[f"arn:aws:s3:::{properties['Bucket']}"] += _of(properties)
        elif resource.type == "AWS::SQS::QueuePolicy":
            for url in properties["Queues"]:
                found[_queue(environment, url)] += _of(properties)
        elif resource.type == "AWS::SNS::TopicPolicy":
            for topic in properties["Topics"]:
                found[topic] += _of(properties)
        elif resource.type == "AWS::KMS::Key":
            found[environment.arn(resource)] += listed(properties["KeyPolicy"]["Statement"])
        elif resource.type == _PERMISSION:
            made = _permission(environment, properties)
            found[made["Resource"]].append(made)
    return found


def entrance_findings(name: str, statements: Statements, needed: Sequence[Entry]) -> list[Finding]:
    """What is missing or too much in one resource's policy, or in a role's trust."""
    return [Finding(name, problem) for problem in (*_closed(statements, needed), *_too_open(statements, needed))]


def trust_findings(role: Role, needed: Sequence[Entry]) -> list[Finding]:
    """The same for a role's trust."""
    return entrance_findings(role.name, listed(role.trust["Statement"]), needed)


def _closed(statements: Statements, needed: Sequence[Entry]) -> Iterator[str]:
    policy = parse({"Version": "2012-10-17", "Statement": list(statements)})
    for entry in needed:
        decision = authorise(_request(entry), resource=[policy], resource_decides=True)
        if not decision.allowed:
            yield f"does not let {entry.service} {entry.action} for {entry.source}: {entry.why}"


def _too_open(statements: Statements, needed: Sequence[Entry]) -> Iterator[str]:
    policy = parse({"Version": "2012-10-17", "Statement": list(statements)})
    for entry in needed:
        if entry.tells_account and authorise(_request(entry, _FOREIGN), resource=[policy]).allowed:
            yield f"lets {entry.service} {entry.action} for other accounts too: no aws:SourceAccount"
    for statement in statements:
        principal = statement.get("Principal")
        if statement["Effect"] != "Allow" or not isinstance(principal, Mapping) or "Service" not in principal:
            continue
        for service in listed(principal["Service"]):
            alone = parse({"Version": "2012-10-17", "Statement": [{**statement, "Principal": {"Service": service}}]})
            used = [entry for entry in needed if entry.service == service and _allowed(alone, entry)]
            if not used and service not in _BY_HAND:
                yield f"lets in {service} ({statement.get('Sid', 'no Sid')}), which has nothing to do here"
            for action in listed(statement["Action"]):
                one = parse({"Version": "2012-10-17", "Statement": [{**statement, "Action": action}]})
                if used and not any(_allowed(one, entry) for entry in used):
                    yield f"lets {service} {action}, which it does not call"


def _allowed(policy: Any, entry: Entry) -> bool:
    return evaluate([policy], _request(entry), resource_based=True).allowed


def _request(entry: Entry, account: str | None = None) -> Request:
    own = entry.source.split(":")[4]
    context = {
        "aws:SourceArn": entry.source if account is None else entry.source.replace(f":{own}:", f":{account}:"),
        "aws:SecureTransport": "true",
        "aws:PrincipalIsAWSService": "true",
        **dict(entry.context),
    }
    if entry.tells_account:
        # S3's ARNs name no account.
        context["aws:SourceAccount"] = account or own or _account_of(entry)
    return Request(Principal.of_service(entry.service), entry.action, entry.resource, context)


def _account_of(entry: Entry) -> str:
    named = [entry.at.split(":")[4], *(part for part in entry.source.split("-") if len(part) == 12 and part.isdigit())]
    return next(filter(None, named), "")


def _permission(environment: Environment, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """A function's statement, as AddPermission makes it (AWS Lambda guide, "Granting Lambda function access to AWS
    services").
    """
    function = properties["FunctionName"]
    config = environment.config
    arn = (
        function
        if function.startswith("arn:")
        else f"arn:aws:lambda:{config.region}:{config.account}:function:{function}"
    )
    condition: dict[str, Any] = {}
    if "SourceArn" in properties:
        condition["ArnLike"] = {"aws:SourceArn": properties["SourceArn"]}
    if "SourceAccount" in properties:
        condition["StringEquals"] = {"aws:SourceAccount": properties["SourceAccount"]}
    return {
        "Effect": "Allow",
        "Principal": {"Service": properties["Principal"]},
        "Action": properties["Action"],
        "Resource": arn,
        "Condition": condition,
    }


def _queue(environment: Environment, url: str) -> str:
    config = environment.config
    return f"arn:aws:sqs:{config.region}:{config.account}:{url.rpartition('/')[2]}"


def _of(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return listed(properties["PolicyDocument"]["Statement"])
