"""The warehouse's schemas and users, made by its administrator: who may do what, and no more.

`pipeline` owns the tables that it makes, since Redshift lets only an owner add a column; the schemas are the
administrator's, so that `pipeline` makes no others and drops none. `reader` is for BI tools: it reads what the
models make. Neither can sign in until `set_password` gives it a password.
"""

import re

from redshift_connector.core import Connection

from iot_pipeline.warehouse.transaction import run

PIPELINE, READER = "pipeline", "reader"
USERS = (PIPELINE, READER)
LANDING_SCHEMAS = ("lake", "registry")
READ_SCHEMAS = ("marts", "reporting")
SCHEMAS = (*LANDING_SCHEMAS, "staging", *READ_SCHEMAS)

# Redshift database developer guide, "CREATE USER": 8 to 64 printable characters with an upper case letter, a lower case
# letter and a digit, without the five below. Secrets Manager can leave them out when it makes a password.
_REFUSED = "'\"\\/@"
_PASSWORD = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[!-~]{8,64}")


class UserError(ValueError):
    """A user or a password that the warehouse cannot have; nothing was changed."""


def migrate(connection: Connection) -> list[str]:
    """Make what is missing of schemas and users, and grant each user what it needs; the statements that ran.

    Safe to repeat. The connection is an administrator's (Redshift: a superuser's), its autocommit off; all happens in
    one transaction.
    """
    ((administrator,),) = run(connection, "SELECT current_user")
    statements = _statements(str(administrator), users_of(connection))
    for sql in statements:
        run(connection, sql)
    connection.commit()
    return statements


def users_of(connection: Connection) -> set[str]:
    """The names of the warehouse's users. Redshift has no CREATE USER IF NOT EXISTS."""
    return {str(name) for (name,) in run(connection, "SELECT usename FROM pg_user")}


def set_password(connection: Connection, user: str, password: str) -> None:
    """Give a user a password; the connection is an administrator's. Raises UserError, with nothing sent."""
    if user not in USERS:
        raise UserError(f"{user!r} is no user of the warehouse; there are {PIPELINE} and {READER}")
    if not _PASSWORD.fullmatch(password) or any(character in password for character in _REFUSED):
        raise UserError(
            f"the password of {user} must have 8 to 64 printable characters, among them an upper case letter, a lower "
            f"case letter and a digit, and none of {' '.join(_REFUSED)}"
        )
    run(connection, f"ALTER USER {user} PASSWORD '{password}'")
    connection.commit()


def _statements(administrator: str, existing: set[str]) -> list[str]:
    read = ", ".join(READ_SCHEMAS)
    return [
        *(f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in SCHEMAS),
        # `pipeline` made them itself before there were administrators' migrations.
        *(f'ALTER SCHEMA {schema} OWNER TO "{administrator}"' for schema in SCHEMAS),
        *(f"CREATE USER {user} PASSWORD DISABLE" for user in USERS if user not in existing),
        # Everybody may make tables in `public` otherwise (Redshift database developer guide, "Schemas").
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE, CREATE ON SCHEMA {', '.join(SCHEMAS)} TO {PIPELINE}",
        # dbt's documentation has the tables' sizes from it (Redshift database developer guide, "SVV_TABLE_INFO").
        f"GRANT SELECT ON svv_table_info TO {PIPELINE}",
        f"GRANT USAGE ON SCHEMA {read} TO {READER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {read} TO {READER}",
        # What dbt makes later.
        f"ALTER DEFAULT PRIVILEGES FOR USER {PIPELINE} IN SCHEMA {read} GRANT SELECT ON TABLES TO {READER}",
    ]
