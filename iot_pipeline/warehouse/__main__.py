"""`python -m iot_pipeline.warehouse`: what the warehouse's administrator does, once and after each upgrade."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from redshift_connector.error import Error as DriverError

from iot_pipeline import settings
from iot_pipeline.connections.credentials import SecretError, of_secret
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


@app.command()
def password(
    secret_arn: Annotated[str, typer.Argument(help="Secret with `username` and `password`.")],
) -> None:
    """Give `pipeline` or `reader` the password that its secret holds."""
    with _explained(), open_warehouse() as connection:
        found = of_secret(secret_arn)
        users.set_password(connection, found.user, found.password)
    typer.echo(f"{found.user} signs in with the password of {secret_arn}")


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
