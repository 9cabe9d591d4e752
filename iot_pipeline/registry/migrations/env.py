"""How Alembic runs the migrations: on the connection it is handed, in one transaction, one process at a time."""

from alembic import context
from sqlalchemy import Connection, text

connection: Connection = context.config.attributes["connection"]
with connection.begin():
    # Two processes starting at once must not both create the schema.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('registry.migrations', 0))"))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS registry"))
    context.configure(connection=connection, version_table_schema="registry")
    context.run_migrations()
