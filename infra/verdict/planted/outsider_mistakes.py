"""Mistakes in who is let in."""

from infra.verdict.planted.mistake import Body, Mistake, each_statement, setting, stating, without

_OPEN = "no_policy_is_open_to_all"
_SERVICES = "services_act_for_this_account"
_CALLS = "functions_are_called_by_what_is_named"
_POLICY = "PolicyDocument"
_TRUST = "AssumeRolePolicyDocument"
_ROLE = "AWS::IAM::Role"
_KEY = "AWS::KMS::Key"
_PERMISSION = "AWS::Lambda::Permission"


def _for_every_balancer(statement: Body) -> bool:
    if "logdelivery.elasticloadbalancing" not in str(statement.get("Principal")):
        return False
    statement["Resource"] = "arn:aws:s3:::logs/entrance/AWSLogs/*"
    return True


def _drop_condition(statement: Body) -> bool:
    service = isinstance(statement.get("Principal"), dict) and "Service" in statement["Principal"]
    return bool(service and statement["Effect"] == "Allow" and statement.pop("Condition", None))


def _drop_source(statement: Body) -> bool:
    if not _drop_condition({**statement}):
        return False
    dropped = [statement["Condition"].pop(name, None) for name in ("ArnEquals", "ArnLike")]
    return any(dropped)


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
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "secretsmanager:GetSecretValue",
                            "Resource": "*",
                        }
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
        "an access log's bucket for the load balancers of every account",
        _SERVICES,
        ("AWS::S3::BucketPolicy",),
        each_statement(_POLICY, change=_for_every_balancer),
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
)
