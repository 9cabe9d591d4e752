"""The secrets by which the databases' users sign in; the administrator gives the users what they hold."""

import json
from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept

# Redshift refuses quotes, slashes and `@` (Redshift database developer guide, "CREATE USER").
_LENGTH = 32


def add_user_secrets(stack: PlatformStack, key: kms.Key, users: Iterable[str]) -> None:
    """A secret for each user, with a password that nobody has seen, encrypted by its database's key.

    Whoever may read the secret may use the key for it, as with the key that Secrets Manager has by itself (KMS
    developer guide, "AWS managed keys"): who that is, the roles say.
    """
    service = f"secretsmanager.{stack.region}.amazonaws.com"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="SecretsManagerForThisAccount",
            principals=[iam.AnyPrincipal()],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],
            conditions={"StringEquals": {"kms:CallerAccount": stack.config.account, "kms:ViaService": service}},
        )
    )
    for user in users:
        words = (word.capitalize() for word in user.split("_"))
        secret = secretsmanager.CfnSecret(
            stack,
            f"{''.join(words)}User",
            name=stack.config.database_secret(user),
            description=f"How `{user}` signs in: docs/operations.md, Database users",
            kms_key_id=key.key_arn,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                secret_string_template=json.dumps({"username": user}),
                generate_string_key="password",
                password_length=_LENGTH,
                exclude_punctuation=True,
                require_each_included_type=True,
            ),
        )
        # The database keeps the password when the stack is removed, and so must its user.
        secret.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        accept(secret, "AwsSolutions-SMG4", "Rotated by the administrator's command `rotate`, in database and secret")
