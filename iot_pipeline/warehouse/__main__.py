"""`python -m iot_pipeline.warehouse`: what the warehouse's administrator does, once and after each upgrade."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from redshift_connector.error import Error as DriverError

from iot_pipeline import settings
from iot_pipeline.connections import rotation
from iot_pipeline.connections.credentials import Credentials, SecretError, of_secret
from iot_pipeline.connections.warehouse import open_warehouse
from iot_pipeline.warehouse import users

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="""The warehouse's schemas and users, made by its administrator.

The database is that of IOT_WAREHOUSE_HOST and the other variables of that prefix (docs/operations.md), with the
administrator's IOT_WAREHOUSE_SECRET_ARN.
""",
)


@app.command()
def migrate() -> None:
    """Make the schemas and the users that are missing, and grant each user what it needs; safe to repeat."""
    with _explained(), open_warehouse() as connection:
        users.migrate(connection)
    typer.echo(f"there are the schemas {', '.join(users.SCHEMAS)} and the users {users.PIPELINE} and {users.READER}")


SecretsArgument = Annotated[list[str], typer.Argument(help="Secrets with `username` and `password`, by ARN or name.")]


@app.command()
def password(secret_arns: SecretsArgument) -> None:
    """Give `pipeline` and `reader` the passwords that their secrets hold."""
    for secret_arn in secret_arns:
        with _explained():
            found = of_secret(secret_arn)
            _set_password(found)
        typer.echo(f"{found.user} signs in with the password of {secret_arn}")


@app.command()
def rotate(secret_arns: SecretsArgument) -> None:
    """Give the users of these secrets new passwords, which the secrets then hold.

    Repeat it after an interruption: it goes on with the password that waits in the secret.
    """
    for secret_arn in secret_arns:
        with _explained():
            user = rotation.rotate(secret_arn, users.USERS, _set_password)
        typer.echo(f"{user} signs in with the new password of {secret_arn}")


def _set_password(found: Credentials) -> None:
    with open_warehouse() as connection:
        users.set_password(connection, found.user, found.password)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors a person can act on into one line and exit code 2."""
    try:
        yield
    except ValidationError as error:
        _fail(f"in the environment: {settings.wrong(error)}", error)
    except (users.UserError, SecretError, OSError, ClientError, BotoCoreError, DriverError) as error:
        _fail(" ".join(str(error).split()), error)


def _fail(message: str, error: Exception) -> None:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(2) from error


if __name__ == "__main__":
    app(prog_name="python -m iot_pipeline.warehouse")
