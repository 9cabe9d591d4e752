"""What drivers and people ask of tables and keys: redshift_connector's metadata calls, SHOW, PG_TABLE_DEF.

Redshift database developer guide, SHOW TABLES, SHOW COLUMNS, SHOW CONSTRAINTS, "Defining constraints", PG_TABLE_DEF.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from redshift_connector.cursor import Cursor

from infra.local.redshift.dialect import CATALOG_SQL
from iot_pipeline_tests.support.warehouse import LocalWarehouse

TABLES = (
    "CREATE SCHEMA meta",
    """CREATE TABLE meta.sites (
        id int PRIMARY KEY, name varchar(10) NOT NULL DEFAULT 'x' ENCODE zstd, area decimal(8, 2), at timestamptz,
        shape super, raw varbyte(10), CONSTRAINT sites_name UNIQUE (name, area)
    ) DISTSTYLE KEY DISTKEY (id) COMPOUND SORTKEY (name, id)""",
    """CREATE TABLE meta.devices (
        "Device" int, site int REFERENCES meta.sites (id), PRIMARY KEY ("Device", site)
    ) DISTSTYLE ALL""",
    "CREATE TABLE meta.plain (a int, b boolean)",
    "CREATE VIEW meta.names AS SELECT name FROM meta.sites",
    "INSERT INTO meta.sites (id, name) VALUES (1, 'Basel'), (1, 'Basel')",
    "INSERT INTO meta.devices VALUES (1, 77)",
)


@pytest.fixture(scope="module")
def connection(local_warehouse: LocalWarehouse) -> Iterator["psycopg.Connection[Any]"]:
    # Psycopg would send DEALLOCATE ALL otherwise, which Redshift's PostgreSQL 8.0 does not know.
    with local_warehouse.psycopg(autocommit=True, prepare_threshold=None) as connection:
        for statement in TABLES:
            connection.execute(statement)
        yield connection
        connection.execute("DROP SCHEMA meta CASCADE")


@pytest.fixture
def cursor(connection: "psycopg.Connection[Any]", local_warehouse: LocalWarehouse) -> Iterator[Cursor]:
    with local_warehouse.cursor() as cursor:
        yield cursor


def rows(cursor: Cursor, found: Any, *names: str) -> list[tuple[Any, ...]]:
    """The named columns of what a metadata call has found."""
    at = [[column[0].lower() for column in cursor.description].index(name) for name in names]
    return [tuple(row[place] for place in at) for row in found]


def test_keys_are_not_enforced(connection: "psycopg.Connection[Any]") -> None:
    """Rows with equal keys, and one that refers to nothing, are in; nothing is concluded from a key."""
    assert connection.execute("SELECT count(*) FROM meta.sites").fetchone() == (2,)
    assert connection.execute("SELECT site FROM meta.devices").fetchone() == (77,)
    with pytest.raises(psycopg.errors.GroupingError):
        connection.execute("SELECT id, name FROM meta.sites GROUP BY id")


def test_get_tables(cursor: Cursor) -> None:
    found = cursor.get_tables(schema_pattern="meta")
    kinds = rows(cursor, found, "table_cat", "table_schem", "table_name", "table_type")
    assert kinds == [
        ("telemetry", "meta", "devices", "TABLE"),
        ("telemetry", "meta", "names", "VIEW"),
        ("telemetry", "meta", "plain", "TABLE"),
        ("telemetry", "meta", "sites", "TABLE"),
    ]
    assert rows(cursor, cursor.get_tables(schema_pattern="me%", types=["VIEW"]), "table_name") == [("names",)]
    assert cursor.get_tables(schema_pattern="meta", table_name_pattern="nothing") == ()


def test_get_columns(cursor: Cursor) -> None:
    found = cursor.get_columns(schema_pattern="meta", tablename_pattern="sites")
    names = ("column_name", "type_name", "column_size", "decimal_digits", "is_nullable", "ordinal_position")
    assert rows(cursor, found, *names) == [
        ("id", "int4", 10, 0, "NO", 1),
        ("name", "varchar", 10, 0, "NO", 2),
        ("area", "numeric", 8, 2, "YES", 3),
        ("at", "timestamptz", 35, 6, "YES", 4),
        ("shape", "super", None, None, "YES", 5),
        ("raw", "varbyte", None, None, "YES", 6),
    ]


def test_get_keys(cursor: Cursor) -> None:
    found = cursor.get_primary_keys(schema="meta", table="devices")
    assert rows(cursor, found, "column_name", "key_seq", "pk_name") == [
        ("device", 1, "devices_pkey"),
        ("site", 2, "devices_pkey"),
    ]
    keys = [("meta", "sites", "id", "meta", "devices", "site", 1)]
    sides = [f"{side}{part}" for side in ("pk", "fk") for part in ("table_schem", "table_name", "column_name")]
    names = [*sides, "key_seq"]
    assert rows(cursor, cursor.get_imported_keys(schema="meta", table="devices"), *names) == keys
    assert rows(cursor, cursor.get_exported_keys(schema="meta", table="sites"), *names) == keys
    assert cursor.get_imported_keys(schema="meta", table="sites") == ()
    assert cursor.get_primary_keys(schema="meta", table="plain") == ()
    best = cursor.get_best_row_identifier(schema="meta", table="sites", scope=1, nullable=True)
    assert rows(cursor, best, "column_name", "type_name") == [("id", "int4")]


def test_get_what_is_there_of_nothing_else(cursor: Cursor) -> None:
    assert [list(row) for row in cursor.get_catalogs()] == [["telemetry"]]
    assert rows(cursor, cursor.get_schemas(schema_pattern="met_"), "table_schem") == [("meta",)]
    assert cursor.get_procedures(schema_pattern="meta") == ()
    assert cursor.get_procedure_columns(schema_pattern="meta") == ()
    assert cursor.get_functions(schema_pattern="meta") == ()
    assert cursor.get_function_columns(schema_pattern="meta") == ()
    assert ["TABLE"] in [list(row) for row in cursor.get_table_types()]


def test_get_privileges(cursor: Cursor, connection: "psycopg.Connection[Any]") -> None:
    connection.execute("GRANT SELECT ON meta.plain TO PUBLIC")
    found = cursor.get_table_privileges(schema_pattern="meta", table_name_pattern="plain")
    assert ("public", "SELECT", "NO") in rows(cursor, found, "grantee", "privilege", "is_grantable")
    assert cursor.get_column_privileges(schema="meta", table="plain") == ()


SHOWN = [
    ("SHOW DATABASES", "database_name", [("telemetry",)]),
    ("SHOW SCHEMAS FROM DATABASE telemetry LIKE 'met%'", "schema_name", [("meta",)]),
    ("SHOW TABLES FROM SCHEMA meta LIKE 'p%'", "table_name table_type", [("plain", "TABLE")]),
    ("SHOW TABLES FROM SCHEMA telemetry.meta LIMIT 1", "table_name dist_style", [("devices", "ALL")]),
    (
        "SHOW COLUMNS FROM TABLE telemetry.meta.\"sites\" LIKE '%a%e'",
        "column_name data_type sort_key dist_key encoding",
        [("name", "character varying", 1, 0, "zstd"), ("shape", "super", 0, 0, "none")],
    ),
    ("SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE meta.sites", "pk_name column_name", [("sites_pkey", "id")]),
    (
        "SHOW CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE meta.sites",
        "fk_name fk_table_name",
        [("devices_site_fkey", "devices")],
    ),
    ("SHOW PROCEDURES FROM SCHEMA meta", "procedure_name", []),
]


@pytest.mark.parametrize(("statement", "names", "wanted"), SHOWN)
def test_show(connection: "psycopg.Connection[Any]", statement: str, names: str, wanted: list[tuple[Any, ...]]) -> None:
    found = connection.execute(statement)
    assert found.description is not None
    places = [[column.name for column in found.description].index(name) for name in names.split()]
    assert [tuple(row[place] for place in places) for row in found.fetchall()] == wanted


def test_pg_table_def_is_of_the_search_path(connection: "psycopg.Connection[Any]") -> None:
    sql = 'SELECT "column", type, encoding, distkey, sortkey, "notnull" FROM pg_table_def WHERE tablename = \'sites\''
    assert connection.execute(sql).fetchall() == []
    connection.execute("SET search_path TO meta")
    try:
        assert connection.execute(sql).fetchall() == [
            ("id", "integer", "none", True, 2, True),
            ("name", "character varying(10)", "zstd", False, 1, True),
            ("area", "numeric(8,2)", "az64", False, 0, False),
            ("at", "timestamp with time zone", "az64", False, 0, False),
            ("shape", "super", "none", False, 0, False),
            ("raw", "binary varying", "lzo", False, 0, False),
        ]
    finally:
        connection.execute("RESET search_path")


def constraints(connection: "psycopg.Connection[Any]", table: str) -> list[str]:
    sql = f"""SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
        WHERE conrelid = '{table}'::regclass AND contype <> 'c' ORDER BY 1"""
    return [row[0] for row in connection.execute(sql)]


def test_alter_table_changes_what_is_noted(connection: "psycopg.Connection[Any]") -> None:
    for statement in (
        "CREATE TABLE meta.changed (a int, b varchar(5), c int)",
        "INSERT INTO meta.changed VALUES (1, 'x', 1), (1, 'x', 1)",
        "ALTER TABLE meta.changed ADD PRIMARY KEY (a)",
        "ALTER TABLE meta.changed ADD CONSTRAINT twice UNIQUE (b, c)",
        "ALTER TABLE meta.changed ADD FOREIGN KEY (a) REFERENCES meta.sites",
        "ALTER TABLE meta.changed ALTER DISTKEY a",
        "ALTER TABLE meta.changed ALTER COMPOUND SORTKEY (c, a)",
        "ALTER TABLE meta.changed ALTER COLUMN b ENCODE text255",
    ):
        connection.execute(statement)
    keys = ["FOREIGN KEY (a) REFERENCES meta.sites(id)", "PRIMARY KEY (a)", "UNIQUE (b, c)"]
    assert constraints(connection, "meta.changed") == keys
    shown = connection.execute("SHOW COLUMNS FROM TABLE meta.changed").fetchall()
    assert [(row[3], row[13], row[14], row[15]) for row in shown] == [
        ("a", 2, 1, "none"),
        ("b", 0, 0, "text255"),
        ("c", 1, 0, "none"),
    ]
    # Nothing of it stands in the way of rows, or of changes to the table.
    for statement in (
        "ALTER TABLE meta.changed ALTER COLUMN b TYPE varchar(20)",
        "VACUUM FULL meta.changed",
        "TRUNCATE meta.changed",
        "INSERT INTO meta.changed VALUES (1, 'x', 1), (1, 'x', 1)",
        "ALTER TABLE meta.changed RENAME COLUMN a TO z",
        "ALTER TABLE meta.changed DROP COLUMN c",
    ):
        connection.execute(statement)
    assert constraints(connection, "meta.changed") == ["FOREIGN KEY (z) REFERENCES meta.sites(id)", "PRIMARY KEY (z)"]
    connection.execute("ALTER TABLE meta.changed DROP CONSTRAINT changed_pkey")
    assert constraints(connection, "meta.changed") == ["FOREIGN KEY (z) REFERENCES meta.sites(id)"]
    connection.execute("DROP TABLE meta.changed")
    assert connection.execute("SELECT count(*) FROM meta.sites").fetchone() == (2,)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE meta.wrong (a int, PRIMARY KEY (b))", "does not exist"),
        ("CREATE TABLE meta.wrong (a int PRIMARY KEY, b int PRIMARY KEY)", "multiple primary keys"),
        ("CREATE TABLE meta.wrong (a int REFERENCES meta.nothing)", 'relation "meta.nothing" does not exist'),
        ("CREATE TABLE meta.wrong (a int REFERENCES meta.devices)", "number of referencing and referenced columns"),
        ("CREATE TABLE meta.wrong (a int REFERENCES meta.plain (a))", "no unique constraint matching given keys"),
        ("DROP TABLE meta.sites", "other objects depend on it"),
    ],
)
def test_keys_that_cannot_be(connection: "psycopg.Connection[Any]", statement: str, message: str) -> None:
    with pytest.raises(psycopg.Error, match=message):
        connection.execute(statement)
    assert connection.execute("SHOW TABLES FROM SCHEMA meta LIKE 'wrong'").fetchall() == []


def test_the_catalog_is_installed_over_an_earlier_one(
    connection: "psycopg.Connection[Any]", local_warehouse: LocalWarehouse
) -> None:
    """At each start; views of an earlier release had other columns, and what was noted stays."""
    with psycopg.connect(local_warehouse.postgres.dsn("telemetry"), autocommit=True) as superuser:
        superuser.execute("SET allow_system_table_mods = on")
        superuser.execute("DROP VIEW pg_catalog.redshift_show_schemas")
        superuser.execute("CREATE VIEW pg_catalog.redshift_show_schemas AS SELECT 1 AS other")
        superuser.execute(CATALOG_SQL.encode())
    assert connection.execute("SHOW SCHEMAS FROM DATABASE telemetry LIKE 'meta'").fetchall()[0][1] == "meta"
    shown = connection.execute("SHOW COLUMNS FROM TABLE meta.sites LIKE 'id'").fetchall()
    assert shown[0][13:15] == (2, 1)
    assert constraints(connection, "meta.sites") == ["PRIMARY KEY (id)", "UNIQUE (name, area)"]
