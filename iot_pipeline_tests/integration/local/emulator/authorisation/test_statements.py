"""Each statement of each role that acts on the local AWS is needed: without it, what it is for is denied.

A request is answered with the service's own error; of a service that acts as the role the log tells.
"""

import pytest
from botocore.exceptions import ClientError

from iot_pipeline_tests.support.emulator import eventually
from iot_pipeline_tests.support.role_paths import AFTER, NOT_HERE, PATHS, Platform, statement_name

pytestmark = pytest.mark.integration
CASES = [(role, name) for role, paths in PATHS.items() for name in paths]
# How long a path is watched that is expected to be allowed: a buffer lasts 0.3 s, a poll 0.05 s.
QUIET_SECONDS = 2.0
_NOT_THERE = {"NoSuchKey", "ResourceNotFoundException", "ConditionalCheckFailedException"}


def go(platform: Platform, role: str, statement: str) -> ClientError | None:
    """Go the statement's way; the error if it is denied. Any other error but those of what is not there is raised."""
    arn = platform.aws.client("iam").get_role(RoleName=platform.roles()[role])["Role"]["Arn"]
    try:
        PATHS[role][statement](platform, arn)
    except ClientError as error:
        if "is not authorized to perform" in str(error):
            return error
        if error.response["Error"]["Code"] not in _NOT_THERE:
            raise
    return None


def test_with_all_their_statements_the_roles_are_denied_nothing(platform: Platform) -> None:
    for role, statement in CASES:
        assert go(platform, role, statement) is None
    assert not eventually(platform.denials, QUIET_SECONDS)


@pytest.mark.parametrize(("role", "name"), CASES, ids=[f"{role}-{name}" for role, name in CASES])
def test_without_a_statement_its_path_is_denied(platform: Platform, role: str, name: str) -> None:
    policy, document = platform.policy(role)
    removed = {name, AFTER.get((role, name))}
    kept = [one for one in document["Statement"] if statement_name(one) not in removed]
    kept.append({"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"})  # a policy may not be empty
    (statement,) = (one for one in document["Statement"] if statement_name(one) == name)
    actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    before = platform.log_length()
    platform.put_policy(role, policy, {**document, "Statement": kept})
    try:
        denied = go(platform, role, name)
        assert denied is None or any(f" {action} " in str(denied) for action in actions)

        def told() -> list[str]:
            return [
                line
                for line in platform.denials(before)
                if platform.roles()[role] in line and any(f" {action} " in line for action in actions)
            ]

        assert eventually(told), platform.denials(before)
    finally:
        platform.put_policy(role, policy, document)


def test_every_statement_of_every_role_that_acts_here_has_a_path(platform: Platform) -> None:
    """Or a reason why there is none: a statement that is added to a role has to be added to `support/role_paths.py`."""
    unnamed = set()
    for role in PATHS:
        names = {statement_name(one) for one in platform.policy(role)[1]["Statement"]}
        unnamed |= {f"{role}: {name}" for name in names - PATHS[role].keys() - NOT_HERE.keys()}
        assert PATHS[role].keys() <= names
    assert not unnamed
