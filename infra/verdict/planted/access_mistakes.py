"""Mistakes in who is let in, and in what roles may do."""

from typing import Any

from infra.verdict.planted.mistake import Body, Mistake, each_statement, setting, stating, without

_OPEN, _SERVICES = "no_policy_is_open_to_all", "services_act_for_this_account"
_CALLS, _ADMIN = "functions_are_called_by_what_is_named", "no_role_is_an_administrator"
_POLICY, _TRUST = "PolicyDocument", "AssumeRolePolicyDocument"
_ROLE, _KEY, _PERMISSION = "AWS::IAM::Role", "AWS::KMS::Key", "AWS::Lambda::Permission"
_LAKE = "arn:aws:s3:::telemetry-lake-000000000000-eu-west-1"


def _drop_condition(statement: Body) -> bool:
    service = isinstance(statement.get("Principal"), dict) and "Service" in statement["Principal"]
    return bool(service and statement["Effect"] == "Allow" and statement.pop("Condition", None))


def _drop_source(statement: Body) -> bool:
    return _drop_condition({**statement}) and any(
        [statement["Condition"].pop(name, None) for name in ("ArnEquals", "ArnLike")]
    )


def _any_account(statement: Body) -> bool:
    asked = statement.get("Condition", {}).get("StringEquals", {})
    if "aws:SourceAccount" not in asked or len(statement["Condition"]) > 1:
        return False
    statement["Condition"] = {"StringLike": {"aws:SourceAccount": "*"}}
    return True


def _if_exists(statement: Body) -> bool:
    asked = statement.get("Condition", {})
    if set(asked) != {"StringEquals"} or statement["Effect"] != "Allow":
        return False
    statement["Condition"] = {"StringEqualsIfExists": asked["StringEquals"]}
    return "aws:SourceAccount" in asked["StringEquals"]


def _managed(name: str) -> Any:
    def plant(body: Body) -> bool:
        body["Properties"].setdefault("ManagedPolicyArns", []).append(f"arn:aws:iam::aws:policy/{name}")
        return True

    return plant


def _key_narrowed_to_another(statement: Body) -> bool:
    """The key's grant is taken from the statement that encrypts."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    if "kms:GenerateDataKey" not in actions:
        return False
    statement["Action"] = [a for a in actions if a != "kms:GenerateDataKey"] or ["kms:Decrypt"]
    return True


def _of(role: str, change: Any) -> Any:
    """The change, in the policy of a role whose name begins so."""

    def plant(body: Body) -> bool:
        roles = [str(r.get("Ref")) for r in body["Properties"].get("Roles", [])]
        return any(name.startswith(role) for name in roles) and bool(change(body))

    return plant


def _writing(prefix: str) -> Any:
    return stating(_POLICY, Action=["s3:PutObject", "s3:DeleteObject"], Resource=f"{_LAKE}/{prefix}*")


MISTAKES = (
    Mistake(
        "a bucket that anyone may read",
        _OPEN,
        ("AWS::S3::BucketPolicy",),
        stating(_POLICY, Principal="*", Action="s3:GetObject", Resource="*"),
    ),
    Mistake(
        "a bucket that anyone may read over TLS",
        _OPEN,
        ("AWS::S3::BucketPolicy",),
        stating(
            _POLICY,
            Principal={"AWS": ["*"]},
            Action="s3:GetObject",
            Resource="*",
            Condition={"Bool": {"aws:SecureTransport": "true"}},
        ),
    ),
    Mistake(
        "a topic that anyone may publish to",
        _OPEN,
        ("AWS::SNS::TopicPolicy",),
        stating(_POLICY, Principal={"AWS": "*"}, Action="sns:Publish", Resource="*"),
    ),
    Mistake(
        "a queue that anyone may send to",
        _OPEN,
        ("AWS::SQS::QueuePolicy",),
        stating(_POLICY, Principal="*", Action="sqs:SendMessage", Resource="*"),
    ),
    Mistake(
        "a key that is open to everyone",
        _OPEN,
        (_KEY,),
        stating("KeyPolicy", Principal={"AWS": "*"}, Action="kms:*", Resource="*"),
    ),
    Mistake(
        "a key for all but one (NotPrincipal)",
        _OPEN,
        (_KEY,),
        stating("KeyPolicy", NotPrincipal={"AWS": "arn:aws:iam::000000000000:user/x"}, Action="kms:*", Resource="*"),
    ),
    Mistake(
        "a role that anyone may take on",
        _OPEN,
        (_ROLE,),
        stating(_TRUST, Principal={"AWS": "*"}, Action="sts:AssumeRole"),
    ),
    Mistake(
        "a secret that anyone may read",
        _OPEN,
        adds={
            "Type": "AWS::SecretsManager::ResourcePolicy",
            "Properties": {
                "ResourcePolicy": {
                    "Statement": [
                        {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
                    ]
                }
            },
        },
    ),
    Mistake(
        "an image repository that anyone may pull from",
        _OPEN,
        adds={
            "Type": "AWS::ECR::Repository",
            "Properties": {
                "ImageTagMutability": "IMMUTABLE",
                "RepositoryPolicyText": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}',
            },
        },
    ),
    Mistake(
        "an event bus that anyone may put events on",
        _OPEN,
        adds={
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {
                "StatementId": "x",
                "Statement": {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"},
            },
        },
    ),
    Mistake(
        "a key for another account",
        "no_other_account_is_let_in",
        (_KEY,),
        stating("KeyPolicy", Principal={"AWS": "arn:aws:iam::999999999999:root"}, Action="kms:Decrypt", Resource="*"),
    ),
    Mistake(
        "a role that another account may take on",
        "no_other_account_is_let_in",
        (_ROLE,),
        stating(_TRUST, Principal={"AWS": "arn:aws:iam::999999999999:root"}, Action="sts:AssumeRole"),
    ),
    Mistake(
        "a role that everybody in the account may take on",
        "no_other_account_is_let_in",
        (_ROLE,),
        stating(_TRUST, Principal={"AWS": "arn:aws:iam::000000000000:root"}, Action="sts:AssumeRole"),
    ),
    Mistake(
        "a queue's policy without SourceArn and SourceAccount",
        _SERVICES,
        ("AWS::SQS::QueuePolicy",),
        each_statement(_POLICY, change=_drop_condition),
    ),
    Mistake(
        "a queue's policy without SourceArn",
        _SERVICES,
        ("AWS::SQS::QueuePolicy",),
        each_statement(_POLICY, change=_drop_source),
    ),
    Mistake(
        "a topic's policy for services of every account",
        _SERVICES,
        ("AWS::SNS::TopicPolicy",),
        each_statement(_POLICY, change=_drop_condition),
    ),
    Mistake(
        "a topic's policy for any SourceAccount (`*`)",
        _SERVICES,
        ("AWS::SNS::TopicPolicy",),
        each_statement(_POLICY, change=_any_account),
    ),
    Mistake(
        "a topic's policy whose SourceAccount may be absent (IfExists)",
        _SERVICES,
        ("AWS::SNS::TopicPolicy",),
        each_statement(_POLICY, change=_if_exists),
    ),
    Mistake(
        "a key's policy for services of every account",
        _SERVICES,
        (_KEY,),
        each_statement("KeyPolicy", change=_drop_condition),
    ),
    Mistake(
        "an access log's bucket for services of every account",
        _SERVICES,
        ("AWS::S3::BucketPolicy",),
        each_statement(_POLICY, change=_drop_condition),
    ),
    Mistake(
        "a role's trust without SourceAccount (rules, Firehose, crawlers, flow logs, COPY)",
        _SERVICES,
        (_ROLE,),
        each_statement(_TRUST, change=_drop_condition),
    ),
    Mistake(
        "a role's trust with any action",
        "trusts_name_their_action",
        (_ROLE,),
        each_statement(_TRUST, change=lambda statement: not statement.update(Action="sts:*")),
    ),
    Mistake("a function that anyone may call", _CALLS, (_PERMISSION,), setting("*", "Principal")),
    Mistake("a permission without SourceAccount", _CALLS, (_PERMISSION,), without("SourceAccount")),
    Mistake("a permission without SourceArn", _CALLS, (_PERMISSION,), without("SourceArn")),
    Mistake("a permission for another account", _CALLS, (_PERMISSION,), setting("999999999999", "SourceAccount")),
    Mistake(
        "a function's URL that everybody may call",
        _CALLS,
        adds={"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE", "TargetFunctionArn": "x"}},
    ),
    Mistake("a role with AdministratorAccess", _ADMIN, (_ROLE,), _managed("AdministratorAccess")),
    Mistake("a role with a full-access policy", _ADMIN, (_ROLE,), _managed("AmazonS3FullAccess")),
    Mistake(
        "a role that may do all of a service", _ADMIN, ("AWS::IAM::Policy",), stating(_POLICY, Action="s3:*", Resource="x")
    ),
    Mistake(
        "a role that may do anything", _ADMIN, ("AWS::IAM::Policy",), stating(_POLICY, Action="*", Resource="*")
    ),
    Mistake(
        "a role that may do all but one thing",
        _ADMIN,
        ("AWS::IAM::Policy",),
        stating(_POLICY, NotAction="iam:*", Resource="x"),
    ),
    Mistake(
        "a role that may read every object",
        "resources_are_named",
        ("AWS::IAM::Policy",),
        stating(_POLICY, Action="s3:GetObject", Resource="*"),
    ),
    Mistake(
        "a role that may decrypt with every key",
        "resources_are_named",
        ("AWS::IAM::Policy",),
        stating(_POLICY, Action=["kms:Decrypt"], Resource=["*"]),
    ),
    Mistake(
        "a role that may pass any role",
        "passed_roles_are_named",
        ("AWS::IAM::Policy",),
        stating(_POLICY, Action="iam:PassRole", Resource="*"),
    ),
    Mistake(
        "Firehose, whose role has no permission for the key",
        "delivery_may_encrypt",
        ("AWS::IAM::Policy",),
        _of("DeliveryRole", each_statement(_POLICY, change=_key_narrowed_to_another)),
    ),
    Mistake(
        "Firehose without the lake's key",
        "delivery_may_encrypt",
        ("AWS::KinesisFirehose::DeliveryStream",),
        without("ExtendedS3DestinationConfiguration", "EncryptionConfiguration"),
    ),
    Mistake(
        "a COPY role that writes the curated zone",
        "services_write_their_prefixes",
        ("AWS::IAM::Policy",),
        _of("CopyRole", _writing("curated/telemetry/")),
    ),
    Mistake(
        "a crawler that writes the raw zone",
        "services_write_their_prefixes",
        ("AWS::IAM::Policy",),
        _of("CrawlerRole", _writing("raw/telemetry/")),
    ),
    Mistake(
        "a delivery that writes the curated zone",
        "services_write_their_prefixes",
        ("AWS::IAM::Policy",),
        _of("DeliveryRole", _writing("curated/telemetry/")),
    ),
    Mistake(
        "an edge that writes the raw zone",
        "services_write_their_prefixes",
        ("AWS::IAM::Policy",),
        _of("HandlerRole", _writing("raw/telemetry/")),
    ),
)
