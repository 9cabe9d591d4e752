"""A new password for a database's user: in the database, and in the secret by which the user signs in."""

import json
import secrets
import string
from collections.abc import Callable, Container
from typing import Any

import boto3

from iot_pipeline.connections.credentials import Credentials, SecretError, read

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
# Letters and digits alone: both databases take them (Redshift refuses some punctuation), and no quoting can go wrong.
_LENGTH, _ALPHABET = 32, string.ascii_letters + string.digits


def rotate(secret_arn: str, users: Container[str], set_password: Callable[[Credentials], None]) -> str:
    """Give the user of a secret a new password; the user's name. Safe to repeat.

    `set_password` gives it to the database, and has committed when it returns. The steps are those of Secrets Manager's
    own rotations (user guide, "Rotation by Lambda function", single user): the new password waits in the secret as
    AWSPENDING, the database gets it, and then it becomes AWSCURRENT. So whoever dies in between has lost nothing: the
    next call finishes with the password that waits. Between the last two steps a connection may be refused; connections
    that stand go on.

    Raises SecretError, with nothing changed, for a secret of another form or of none of `users`; what `set_password`
    raises; and botocore's errors.
    """
    client: Any = boto3.client("secretsmanager")
    current = client.get_secret_value(SecretId=secret_arn)
    text = current.get("SecretString", "")
    user = read(secret_arn, text).user
    if user not in users:
        raise SecretError(f"the secret {secret_arn} is of {user!r}, expected a user whom the migrations have made")
    version = _waiting(client, secret_arn) or _wait(client, secret_arn, text)
    waiting = client.get_secret_value(SecretId=secret_arn, VersionId=version).get("SecretString", "")
    found = read(secret_arn, waiting)
    if found.user != user:
        raise SecretError(f"the secret {secret_arn} is of {user!r}; what waits in it, of {found.user!r}, must go first")
    set_password(found)
    client.update_secret_version_stage(
        SecretId=secret_arn,
        VersionStage=_CURRENT,
        MoveToVersionId=version,
        RemoveFromVersionId=current["VersionId"],
    )
    client.update_secret_version_stage(SecretId=secret_arn, VersionStage=_PENDING, RemoveFromVersionId=version)
    return user


def new_password() -> str:
    """A password that both databases take: 32 letters and digits, 190 bits, with one of each kind at the least."""
    while True:
        made = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if any(map(str.islower, made)) and any(map(str.isupper, made)) and any(map(str.isdigit, made)):
            return made


def _waiting(client: Any, secret_arn: str) -> str | None:
    """The version that an interrupted rotation has left."""
    stages = client.describe_secret(SecretId=secret_arn)["VersionIdsToStages"]
    return next((str(version) for version, of in stages.items() if _PENDING in of and _CURRENT not in of), None)


def _wait(client: Any, secret_arn: str, text: str) -> str:
    changed = json.dumps(json.loads(text) | {"password": new_password()})
    put = client.put_secret_value(SecretId=secret_arn, SecretString=changed, VersionStages=[_PENDING])
    return str(put["VersionId"])
