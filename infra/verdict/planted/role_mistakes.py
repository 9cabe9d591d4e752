"""Mistakes in what roles may do."""

from typing import Any

from infra.verdict.planted.mistake import Body, Mistake, each_statement, stating, without

_ADMIN = "no_role_is_an_administrator"
_POLICY = "PolicyDocument"
_ROLE = "AWS::IAM::Role"
_LAKE = "arn:aws:s3:::telemetry-lake-000000000000-eu-west-1"


def _managed(name: str) -> Any:
    def plant(body: Body) -> bool:
        body["Properties"].setdefault("ManagedPolicyArns", []).append(f"arn:aws:iam::aws:policy/{name}")
        return True

    return plant


def _without_data_keys(statement: Body) -> bool:
    """The statement that lets the role encrypt does so no more."""
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
    Mistake("a role with AdministratorAccess", _ADMIN, (_ROLE,), _managed("AdministratorAccess")),
    Mistake("a role with a full-access policy", _ADMIN, (_ROLE,), _managed("AmazonS3FullAccess")),
    Mistake(
        "a role that may do all of a service",
        _ADMIN,
        ("AWS::IAM::Policy",),
        stating(_POLICY, Action="s3:*", Resource="x"),
    ),
    Mistake("a role that may do anything", _ADMIN, ("AWS::IAM::Policy",), stating(_POLICY, Action="*", Resource="*")),
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
        _of("DeliveryRole", each_statement(_POLICY, change=_without_data_keys)),
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
