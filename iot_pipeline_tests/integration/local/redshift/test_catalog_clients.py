"""What clients ask of the warehouse's catalog: psql, SQLAlchemy with pandas, named cursors, redshift_connector."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pandas as pd
import psycopg2  # type: ignore[import-untyped]  # it has no stubs
import pytest
import sqlalchemy as sa

from infra.local.postgres.program import programs_for
from iot_pipeline_tests.support.warehouse import LocalWarehouse


@pytest.fixture(scope="module")
def warehouse(local_warehouse: LocalWarehouse) -> Iterator[LocalWarehouse]:
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA clients")
        connection.execute("CREATE TABLE clients.sites (id int PRIMARY KEY, name varchar(10), area decimal(8,2))")
        connection.execute("INSERT INTO clients.sites VALUES (1, 'Basel', 2.5), (2, 'Zug', 3)")
        connection.execute("CREATE VIEW clients.names AS SELECT name FROM clients.sites")
        yield local_warehouse


def psql(warehouse: LocalWarehouse, command: str, state: Any) -> str:
    program = str(programs_for(state).folder / "psql")
    arguments = [program, warehouse.redshift.dsn, "--no-psqlrc", "--tuples-only", "--no-align", "--file", "-"]
    done = subprocess.run(arguments, input=command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (r"\dt clients.*", "clients|sites|table|pipeline"),
        (r"\dv clients.*", "clients|names|view|pipeline"),
        (r"\d clients.sites", "area|numeric(8,2)|||"),
        (r"\d+ clients.names", "name|character varying(10)"),
        (r"\dn", "clients|pipeline"),
        (r"\l", "telemetry|pipeline|UTF8"),
        (r"\du", "pipeline|"),
        (r"\dp clients.*", "clients|sites|table"),
        (r"\df clients.*", ""),
        (r"\sv clients.names", "CREATE OR REPLACE VIEW clients.names AS"),
        (r"SELECT area, name FROM clients.sites \gdesc", "area|numeric(8,2)\nname|character varying(10)"),
        (r"\conninfo", 'database "telemetry" as user "pipeline"'),
        ("select area / id from clients.sites where id = 2;", "1.5000000000000"),
    ],
)
def test_psql(warehouse: LocalWarehouse, command: str, shown: str, tmp_path: Any) -> None:
    assert shown in psql(warehouse, command, tmp_path)


@pytest.fixture(scope="module")
def engine(warehouse: LocalWarehouse) -> Iterator[sa.Engine]:
    found = warehouse.redshift
    url = sa.URL.create(
        "postgresql+psycopg2",
        found.user,
        found.password,
        "127.0.0.1",
        found.port,
        found.database,
        {"sslmode": "disable"},
    )
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


def test_pandas_reads_through_sqlalchemy(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        read = pd.read_sql("SELECT * FROM clients.sites ORDER BY id", connection)
    assert read.to_dict("list") == {"id": [1, 2], "name": ["Basel", "Zug"], "area": [2.5, 3.0]}


def test_sqlalchemy_inspects(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert "clients" in inspector.get_schema_names()
    assert inspector.get_table_names("clients") == ["sites"]
    assert inspector.get_view_names("clients") == ["names"]
    assert inspector.has_table("sites", "clients")
    columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("sites", "clients")}
    assert columns == {"id": "INTEGER", "name": "VARCHAR(10)", "area": "NUMERIC(8, 2)"}


def test_named_cursors(warehouse: LocalWarehouse) -> None:
    connection = psycopg2.connect(warehouse.redshift.dsn)
    try:
        with connection.cursor("sites") as cursor:
            cursor.itersize = 1
            cursor.execute("SELECT name FROM clients.sites ORDER BY id")
            assert list(cursor) == [("Basel",), ("Zug",)]
    finally:
        connection.close()
    with warehouse.psycopg() as other, other.cursor("sites") as server_side:
        server_side.execute("SELECT name FROM clients.sites WHERE id > %s", [1])
        assert server_side.fetchall() == [("Zug",)]


def test_redshift_connector_metadata(warehouse: LocalWarehouse) -> None:
    with warehouse.cursor() as cursor:
        assert [list(row) for row in cursor.get_catalogs()] == [["telemetry"]]
        assert "clients" in [row[0] for row in cursor.get_schemas()]
        assert [row[3] for row in cursor.get_primary_keys(schema="clients", table="sites")] == ["id"]
        cursor.execute("SELECT * FROM clients.sites WHERE id = 1")
        assert cursor.fetch_dataframe().columns.tolist() == ["id", "name", "area"]


def test_a_query_of_the_catalog_reads_no_table_besides(warehouse: LocalWarehouse) -> None:
    """Beside a table of the user's, what Redshift lacks is refused."""
    reads = "SELECT array_agg(c.relname) FROM pg_catalog.pg_class c"
    with warehouse.psycopg(autocommit=True) as connection:
        assert connection.execute(reads).fetchone() is not None
        with pytest.raises(Exception, match="functions of arrays"):
            connection.execute(reads + ", clients.sites s")
