"""Nobody from outside is let in: resources' policies, roles' trusts, functions' permissions."""

from infra.stacks.checks.documents import (
    Granted,
    Statement,
    actions,
    equal_to,
    foreign,
    granted_by_resources,
    only_account,
    principals,
    resources,
)
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised, text

# Keys by which `*` is narrowed to an account, an organisation, a network or a role (IAM user guide, "AWS global
# condition context keys"; KMS guide, "AWS KMS condition keys").
_ACCOUNTS = ("aws:SourceAccount", "aws:PrincipalAccount", "kms:CallerAccount", "aws:SourceArn", "aws:PrincipalArn")
_NARROWING = ("aws:PrincipalOrgID", "aws:SourceVpce", "aws:SourceVpc")
# CloudWatch Logs encrypts in the name of a group (its guide, "Encrypt log data in CloudWatch Logs using AWS KMS").
_OF_A_LOG_GROUP = "kms:EncryptionContext:aws:logs:arn"
# Lambda takes on the role that a function of the role's own account was given by somebody who may pass it, and sends no
# source (Lambda guide, "Defining Lambda function permissions with an execution role").
_TRUSTED_WITHOUT_SOURCE = frozenset({"lambda.amazonaws.com"})
# It tells no account, and writes an account's logs below the account's id alone (Elastic Load Balancing guide, "Enable
# access logs for your Application Load Balancer").
_WRITES_BY_ACCOUNT = "logdelivery.elasticloadbalancing.amazonaws.com"


def no_policy_is_open_to_all(environment: Synthesised) -> Problems:
    """An Allow to `*` needs a condition that says who (IAM user guide, "AWS JSON policy elements: Principal")."""
    account = environment.config.account
    for granted in granted_by_resources(environment):
        statement = granted.statement
        if "NotPrincipal" in statement:
            yield granted.resource, "allows all but some (NotPrincipal): name who is allowed"
        for kind, name in principals(statement):
            if "*" in name.split("/") and kind != "Service" and not _narrowed(statement, account):
                named = f"{statement['Sid']} " if "Sid" in statement else ""
                problem = "allows everyone (Principal *) without a condition on account or organisation"
                yield granted.resource, f"{named}{problem}"
            elif kind == "Federated" and not statement.get("Condition"):
                yield granted.resource, f"allows whoever {name} knows: a condition on `sub` and `aud` is needed"


def no_other_account_is_let_in(environment: Synthesised) -> Problems:
    """No principal of another account; and a role is taken on by its own account's people on a condition only."""
    account = environment.config.account
    for granted in granted_by_resources(environment):
        for kind, name in principals(granted.statement):
            if kind == "AWS" and foreign(name, account):
                yield granted.resource, f"allows {name}, of another account"
            elif granted.trust and kind == "AWS" and name.endswith(":root") and not granted.statement.get("Condition"):
                yield granted.resource, "can be taken on by everybody in the account who may assume roles"


def services_act_for_this_account(environment: Synthesised) -> Problems:
    """A service is let in for this account's resources alone.

    Otherwise somebody else's rule, stream or trail can make it act here (IAM user guide, "The confused deputy
    problem").
    """
    for granted in granted_by_resources(environment):
        names = [name for kind, name in principals(granted.statement) if kind == "Service"]
        if not names or (granted.trust and set(names) <= _TRUSTED_WITHOUT_SOURCE):
            continue
        if names == [_WRITES_BY_ACCOUNT] and _below_account(granted.statement, environment.config.account):
            continue
        if not _for_account(granted.statement, environment.config.account):
            yield granted.resource, f"lets {', '.join(names)} in without aws:SourceAccount {environment.config.account}"
        elif not granted.trust and granted.resource.type == "AWS::SQS::QueuePolicy" and not _sources(granted):
            yield granted.resource, f"lets {', '.join(names)} send from any source: aws:SourceArn is known, name it"


def functions_are_called_by_what_is_named(environment: Synthesised) -> Problems:
    """A permission names one source in this account.

    AWS Lambda guide, "Granting Lambda function access to AWS services".
    """
    account = environment.config.account
    for permission in environment.of_type("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission"):
        says = permission.properties
        principal = text(says.get("Principal", ""))
        if principal == "*" or foreign(principal, account):
            yield permission, f"may be called by {principal}"
        elif principal.endswith(".amazonaws.com"):
            if says.get("SourceAccount") is None or not only_account([text(says["SourceAccount"])], account):
                yield permission, f"{principal} may call without SourceAccount {account}"
            if "SourceArn" not in says or text(says["SourceArn"]) == "*":
                yield permission, f"{principal} may call from any source: SourceArn is missing"
        if says.get("FunctionUrlAuthType") == "NONE":
            yield permission, "lets everybody call the function's URL"
    for url in environment.of_type("AWS::Lambda::Url"):
        if url.properties.get("AuthType") != "AWS_IAM":
            yield url, "is a URL that everybody may call: AuthType must be AWS_IAM"


def trusts_name_their_action(environment: Synthesised) -> Problems:
    """A trust allows taking the role on; `sts:*` would let a session be tagged and named as it likes."""
    for granted in granted_by_resources(environment):
        if granted.trust and (wide := [a for a in actions(granted.statement) if "*" in a]):
            yield granted.resource, f"trusts with {', '.join(wide)}: name the action"


def _narrowed(statement: Statement, account: str) -> bool:
    by_account = any(only_account(equal_to(statement, key), account) for key in _ACCOUNTS)
    return by_account or any(set(equal_to(statement, key)) - {"*"} for key in _NARROWING)


def _for_account(statement: Statement, account: str) -> bool:
    keys = ("aws:SourceAccount", "aws:SourceArn", _OF_A_LOG_GROUP)
    return any(only_account(equal_to(statement, key), account) for key in keys)


def _below_account(statement: Statement, account: str) -> bool:
    below = f"/AWSLogs/{account}/*"
    return actions(statement) == ["s3:PutObject"] and all(r.endswith(below) for r in resources(statement))


def _sources(granted: Granted) -> list[str]:
    return [source for source in equal_to(granted.statement, "aws:SourceArn") if source != "*"]
