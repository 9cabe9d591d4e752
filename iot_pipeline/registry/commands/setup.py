"""What an installation begins with: the schema, the users' passwords, the catalog."""

from pathlib import Path
from typing import Annotated

import typer

from iot_pipeline.command_line import out
from iot_pipeline.connections import rotation
from iot_pipeline.connections.credentials import Credentials, of_secret
from iot_pipeline.connections.registry import conninfo, open_registry
from iot_pipeline.registry import catalog_file, migrate, users
from iot_pipeline.registry.commands.app import AtOption, OverwriteOption, app, moment
from iot_pipeline.registry.commands.support import confirmed, explained
from iot_pipeline.registry.sites import apply as apply_catalog


@app.command("migrate")
def migrate_schema() -> None:
    """As the administrator: create the schema and its users or bring them up to date; safe to repeat."""
    with explained():
        dsn = conninfo()
        migrate.upgrade(dsn)
        out.print(f"the registry is at revision {migrate.current(dsn)}")


SecretsArgument = Annotated[list[str], typer.Argument(help="Secrets with `username` and `password`, by ARN or name.")]


@app.command()
def password(secret_arns: SecretsArgument) -> None:
    """As the administrator: give `registry` and `registry_reader` the passwords that their secrets hold."""
    for secret_arn in secret_arns:
        with explained():
            found = of_secret(secret_arn)
            _set_password(found)
        out.print(f"{found.user} signs in with the password of {secret_arn}", soft_wrap=True)


@app.command()
def rotate(secret_arns: SecretsArgument) -> None:
    """As the administrator: give the users of these secrets new passwords, which the secrets then hold.

    Repeat it after an interruption: it goes on with the password that waits in the secret.
    """
    for secret_arn in secret_arns:
        with explained():
            user = rotation.rotate(secret_arn, users.USERS, _set_password)
        out.print(f"{user} signs in with the new password of {secret_arn}", soft_wrap=True)


def _set_password(found: Credentials) -> None:
    with open_registry() as connection:
        users.set_password(connection, found.user, found.password)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The catalog file.")],
    at: AtOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Create or change tenants, customers, sites and device models from a YAML or JSON file; safe to repeat.

    Nothing is removed. A site that differs gets a new version; its readings before `--at` keep the old one. Where a
    change of a site on record would be overwritten, this is asked first, as `move` does.

        tenants: [{tenant_id: acme, name: Acme Ltd, plan: standard}]

        customers: [{customer_id: c1, tenant_id: acme, name: A customer}]

        sites: [{tenant_id: acme, site_id: bern, name: Bern, country: CH, timezone: Europe/Zurich, lat: 46.9, lon: 7.4,
        customer_id: c1, since: 2026-01-01T00:00:00Z}]

        models: [{model_id: th1, manufacturer: Sensors Ltd, name: TH 1, metrics: [temperature, battery],
        expected_interval_s: 60}]
    """
    with explained(), open_registry() as connection:
        catalog, when = catalog_file.read_catalog(file), moment(at)
        changed = confirmed(overwrite, lambda may_overwrite: apply_catalog(connection, catalog, when, may_overwrite))
    out.print("new or changed: " + ", ".join(f"{count} {kind}" for kind, count in changed.items()))
