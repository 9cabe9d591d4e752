"""Bringing the registry's schema up to date."""

from collections.abc import Callable
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from iot_pipeline.contract import CONTRACT

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(dsn: str) -> None:
    """Bring the registry's schema up to date and list the contract's metrics in it; safe to repeat.

    `dsn` is a libpq connection string or URL, of the administrator. Raises psycopg.OperationalError if the database
    does not answer, psycopg.errors.InsufficientPrivilege for a user who may not migrate.
    """
    _run(dsn, lambda config: command.upgrade(config, "head"))
    metrics = [(metric.name, position) for position, metric in enumerate(CONTRACT.metrics)]
    with psycopg.connect(dsn) as connection:
        connection.cursor().executemany(
            "INSERT INTO registry.metrics (metric, position) VALUES (%s, %s)"
            " ON CONFLICT (metric) DO UPDATE SET position = excluded.position",
            metrics,
        )


def downgrade(dsn: str) -> None:
    """Remove the registry's schema, and all its data with it."""
    _run(dsn, lambda config: command.downgrade(config, "base"))


def current(dsn: str) -> str | None:
    """The revision of the registry's schema; None before the first migration."""
    with psycopg.connect(dsn) as connection:
        (table,) = connection.execute("SELECT to_regclass('registry.alembic_version')").fetchone() or (None,)
        if table is None:
            return None
        row = connection.execute("SELECT version_num FROM registry.alembic_version").fetchone()
        return row[0] if row else None


def _run(dsn: str, migration: Callable[[Config], None]) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            migration(config)
    except DBAPIError as error:
        # The registry's callers know the driver's errors, and no SQLAlchemy.
        raise error.orig or error from error
