"""sqlalchemy-redshift, with both of its drivers: reflection, DDL, pandas.

It is no dependency: the group `warehouse-clients` of pyproject.toml brings it; without it the tests are skipped.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from iot_pipeline_tests.support.warehouse import LocalWarehouse

pytest.importorskip(
    "sqlalchemy_redshift",
    reason="sqlalchemy-redshift is not installed (the group `warehouse-clients` of pyproject.toml)",
)
# Amazon's certificate is not ours, and the local Redshift speaks no TLS.
OPTIONS: dict[str, dict[str, Any]] = {
    "psycopg2": {"sslmode": "disable", "sslrootcert": None},
    "redshift_connector": {"ssl": False},
}


@pytest.fixture(scope="module", params=list(OPTIONS))
def engine(request: pytest.FixtureRequest, local_warehouse: LocalWarehouse) -> Iterator[sa.Engine]:
    found = local_warehouse.redshift
    signed = (found.user, found.password, "127.0.0.1", found.port, found.database)
    engine = sa.create_engine(sa.URL.create(f"redshift+{request.param}", *signed), connect_args=OPTIONS[request.param])
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA alchemy")
        connection.exec_driver_sql(
            "CREATE TABLE alchemy.sites (id int PRIMARY KEY, name varchar(10) NOT NULL ENCODE zstd, "
            "area decimal(8, 2), at timestamptz, shape super, UNIQUE (name, area)) DISTKEY (id) SORTKEY (name, id)"
        )
        connection.exec_driver_sql(
            'CREATE TABLE alchemy.devices (id int, "Site" int REFERENCES alchemy.sites (id)) DISTSTYLE ALL'
        )
        connection.exec_driver_sql("CREATE VIEW alchemy.names AS SELECT name FROM alchemy.sites")
        connection.exec_driver_sql(
            "CREATE VIEW alchemy.late AS SELECT id, name FROM alchemy.sites WITH NO SCHEMA BINDING"
        )
        connection.exec_driver_sql(
            "INSERT INTO alchemy.sites (id, name, area, at, shape) VALUES "
            "(1, 'Zürich', 2.50, '2026-02-28 01:00:00+02', json_parse('{\"a\": [1, 2]}')), (2, 'x', NULL, NULL, NULL)"
        )
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA alchemy CASCADE")
    engine.dispose()


def test_names(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert "alchemy" in inspector.get_schema_names()
    assert sorted(inspector.get_table_names("alchemy")) == ["devices", "sites"]
    assert sorted(inspector.get_view_names("alchemy")) == ["late", "names"]
    assert inspector.has_table("sites", "alchemy")
    assert not inspector.has_table("nothing", "alchemy")
    assert "alchemy.sites" in str(inspector.get_view_definition("names", "alchemy"))


def test_columns(engine: sa.Engine) -> None:
    found = sa.inspect(engine).get_columns("sites", "alchemy")
    assert [(column["name"], str(column["type"]), column["nullable"]) for column in found] == [
        ("id", "INTEGER", False),
        ("name", "VARCHAR(10)", False),
        ("area", "NUMERIC(8, 2)", True),
        ("at", "TIMESTAMPTZ", True),
        ("shape", "SUPER", True),
    ]
    late = sa.inspect(engine).get_columns("late", "alchemy")
    # A text of a late-binding view has no length here, and sqlalchemy-redshift no type for one without.
    assert [(column["name"], str(column["type"])) for column in late] == [("id", "INTEGER"), ("name", "NULL")]


def test_keys_and_distribution(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert inspector.get_pk_constraint("sites", "alchemy")["constrained_columns"] == ["id"]
    (unique,) = inspector.get_unique_constraints("sites", "alchemy")
    assert unique["column_names"] == ["name", "area"]
    (foreign,) = inspector.get_foreign_keys("devices", "alchemy")
    assert (foreign["constrained_columns"], foreign["referred_table"]) == (["site"], "sites")
    options = inspector.get_table_options("sites", "alchemy")
    assert options["redshift_diststyle"] == "KEY"
    assert options["redshift_distkey"] == "id"
    assert options["redshift_sortkey"] == ("name", "id")
    assert inspector.get_table_options("devices", "alchemy")["redshift_diststyle"] == "ALL"


def test_a_table_is_reflected_and_made_anew(engine: sa.Engine) -> None:
    reflected = sa.Table("devices", sa.MetaData(), schema="alchemy", autoload_with=engine)
    assert {key.target_fullname for key in reflected.foreign_keys} == {"alchemy.sites.id"}
    made = sa.Table(
        "made",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(5), unique=True),
        schema="alchemy",
        redshift_diststyle="KEY",
        redshift_distkey="id",
        redshift_sortkey="name",
    )
    made.create(engine)
    try:
        with engine.begin() as connection:
            connection.execute(made.insert(), [{"id": 1, "name": "a"}, {"id": 2, "name": None}])
            rows = connection.execute(sa.select(made).order_by(made.c.id))
            assert [tuple(row) for row in rows] == [(1, "a"), (2, None)]
        assert sa.inspect(engine).get_pk_constraint("made", "alchemy")["constrained_columns"] == ["id"]
    finally:
        made.drop(engine)


def test_pandas_reads_and_writes(engine: sa.Engine) -> None:
    frame = pd.DataFrame(
        {"n": [1, 2], "text": ["x", "Zürich ✓"], "f": [1.5, None], "at": pd.to_datetime(["2026-01-01", "2026-01-02"])}
    )
    assert frame.to_sql("written", engine, schema="alchemy", index=False) == 2
    frame.to_sql("written", engine, schema="alchemy", index=False, if_exists="append")
    read = pd.read_sql("SELECT * FROM alchemy.written ORDER BY n, f", engine)
    assert read["n"].tolist() == [1, 1, 2, 2]
    assert read["text"].tolist() == ["x", "x", "Zürich ✓", "Zürich ✓"]
    table = pd.read_sql_table("written", engine, schema="alchemy")
    assert sorted(table["at"].tolist()) == sorted(read["at"].tolist())
    assert sorted(set(read["at"])) == frame["at"].tolist()
    frame.to_sql("written", engine, schema="alchemy", index=False, if_exists="replace")
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM alchemy.written").scalar() == 2
        connection.exec_driver_sql("DROP TABLE alchemy.written")


def test_values(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, area, at, shape FROM alchemy.sites ORDER BY id").fetchall()
    name, area, at, shape = rows[0]
    assert (name, str(area), at.isoformat(), shape) == ("Zürich", "2.50", "2026-02-27T23:00:00+00:00", '{"a":[1,2]}')
    assert tuple(rows[1]) == ("x", None, None, None)


def test_a_refusal_in_a_transaction(engine: sa.Engine) -> None:
    """The transaction is lost, the connection is not."""
    with engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO alchemy.devices VALUES (9, 9)")
        with pytest.raises(sa.exc.DBAPIError, match="DISTINCT ON"):
            connection.exec_driver_sql("SELECT DISTINCT ON (id) id FROM alchemy.devices")
        connection.rollback()
        assert connection.exec_driver_sql("SELECT count(*) FROM alchemy.devices").scalar() == 0
