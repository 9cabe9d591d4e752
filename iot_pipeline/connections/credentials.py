"""User and password of a database, fetched for each connection, so that they survive their rotation."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import boto3

from iot_pipeline.settings import Login

T = TypeVar("T")


class SecretError(RuntimeError):
    """A secret does not hold a user and a password."""


@dataclass(frozen=True)
class Credentials:
    """Who signs in, and with what."""

    user: str
    password: str = field(repr=False)


def credentials(login: Login) -> Credentials:
    """The credentials as they are now: those of the settings, or the current version of the secret they name.

    Nothing is kept: RDS rotates a password that it manages after 7 days, Redshift after 30. Raises SecretError for a
    secret of another form, and botocore's errors if Secrets Manager refuses it.
    """
    if login.password is not None:
        return Credentials(login.user, login.password.get_secret_value())
    return of_secret(str(login.secret_arn))


def of_secret(secret_arn: str) -> Credentials:
    """The user and the password that a secret holds now. Raises as `credentials` does."""
    answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret_arn)
    return read(secret_arn, answer.get("SecretString", ""))


def read(secret_arn: str, text: str) -> Credentials:
    """The user and the password in the text of a secret. Raises SecretError."""
    try:
        held = json.loads(text)
        return Credentials(str(held["username"]), str(held["password"]))
    except (ValueError, KeyError, TypeError):
        # The parser's error would quote the secret.
        raise SecretError(f"the secret {secret_arn} is no JSON object with `username` and `password`") from None


def signed_in(login: Login, connect: Callable[[Credentials], T], refusal: type[Exception]) -> T:
    """What `connect` returns for the login's credentials.

    A rotation may fall between the fetching and the signing in. So where `connect` raises `refusal` and the secret has
    changed since, it is called once more; that the secret has changed tells more than the errors do, of which libpq's
    have no code until a connection stands.
    """
    given = credentials(login)
    try:
        return connect(given)
    except refusal:
        fresh = credentials(login)
        if fresh == given:
            raise
        return connect(fresh)
