"""What BI tools ask of the catalog: queries of the form that their public sources have, and what they are to find.

DBeaver (dbeaver/dbeaver, below plugins/org.jkiss.dbeaver.ext.postgresql/src/org/jkiss/dbeaver/ext/postgresql/model/):
PostgreDataSource.java, PostgreDatabase.java, PostgreSchema.java, impls/redshift/PostgreServerRedshift.java. Metabase
(metabase/metabase): modules/drivers/redshift/src/metabase/driver/redshift.clj. The queries are ours, with the same
tables, joins and conditions; the programs were not run.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from iot_pipeline_tests.support.warehouse import LocalWarehouse


@pytest.fixture(scope="module")
def connection(local_warehouse: LocalWarehouse) -> Iterator["psycopg.Connection[Any]"]:
    with local_warehouse.psycopg(autocommit=True, prepare_threshold=None) as connection:
        for statement in (
            "CREATE SCHEMA bi",
            (
                "CREATE TABLE bi.sites (id int PRIMARY KEY, name varchar(10) DEFAULT 'x', shape super, "
                "area decimal(8, 2)) "
                "DISTSTYLE KEY DISTKEY (id) SORTKEY (name)"
            ),
            "CREATE TABLE bi.devices (id int, site int REFERENCES bi.sites (id))",
            "COMMENT ON TABLE bi.sites IS 'where things are'",
            "CREATE VIEW bi.names AS SELECT name FROM bi.sites",
        ):
            connection.execute(statement)
        yield connection
        connection.execute("DROP SCHEMA bi CASCADE")


DBEAVER = [
    (
        (
            "SELECT d.datname FROM pg_catalog.pg_database d WHERE 1 = 1 AND datallowconn AND NOT datistemplate "
            "AND d.datname = 'telemetry' ORDER BY d.datname"
        ),
        [("telemetry",)],
    ),
    (
        (
            "SELECT n.nspname, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN "
            "pg_catalog.pg_description d "
            "ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass WHERE nspname = 'bi'"
        ),
        [("bi", None)],
    ),
    ("SELECT esoid FROM pg_catalog.svv_external_schemas WHERE databasename = 'telemetry'", []),
    (
        (
            "SELECT c.relname, c.relkind, d.description FROM pg_catalog.pg_class c LEFT OUTER JOIN "
            "pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass "
            "WHERE c.relnamespace = 'bi'::regnamespace AND c.relkind NOT IN ('i', 'I', 'c') ORDER BY 1"
        ),
        [("devices", "r", None), ("names", "v", None), ("sites", "r", "where things are")],
    ),
    (
        (
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), "
            "pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) "
            "FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid = c.oid) LEFT OUTER JOIN "
            "pg_catalog.pg_attrdef ad ON (a.attrelid = ad.adrelid AND a.attnum = ad.adnum) "
            "WHERE NOT a.attisdropped AND a.attnum > 0 AND c.oid = 'bi.sites'::regclass ORDER BY a.attnum"
        ),
        [
            ("id", "integer", None),
            ("name", "character varying(10)", "'x'::character varying"),
            ("shape", "super", None),
            ("area", "numeric(8,2)", None),
        ],
    ),
    (
        (
            "SELECT c.conname, c.contype, t.relname AS tabrelname, rt.relname AS refrelname, c.conkey, c.confkey "
            "FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT OUTER JOIN "
            "pg_catalog.pg_class rt ON rt.oid = c.confrelid WHERE t.relnamespace = 'bi'::regnamespace "
            "AND c.contype <> 'c' ORDER BY 1"
        ),
        [
            ("devices_site_fkey", "f", "devices", "sites", [2], [1]),
            ("sites_pkey", "p", "sites", None, [1], None),
        ],
    ),
    (
        (
            "SELECT t.typname, format_type(nullif(t.typbasetype, 0), t.typtypmod) FROM pg_catalog.pg_type t LEFT OUTER "
            "JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE c.relkind IS NULL AND t.typname = 'int4'"
        ),
        [("int4", None)],
    ),
    ("SELECT current_schema(), session_user", [("public", "pipeline")]),
    ("SELECT pg_get_viewdef('bi.names'::regclass, true)", [(" SELECT name\n   FROM bi.sites;",)]),
]
METABASE = [
    (
        (
            'SELECT s.attname AS "fk-column-name", d.relname AS "dest-table-name", dn.nspname AS "dest-table-schema", '
            'da.attname AS "dest-column-name" FROM pg_constraint c JOIN pg_namespace n ON c.connamespace = n.oid '
            "JOIN pg_class t ON c.conrelid = t.oid JOIN pg_attribute s ON c.conrelid = s.attrelid "
            "JOIN pg_class d ON c.confrelid = d.oid JOIN pg_namespace dn ON d.relnamespace = dn.oid "
            "JOIN pg_attribute da ON c.confrelid = da.attrelid WHERE c.contype = 'f'::char AND t.relname = 'devices' "
            "AND n.nspname = 'bi' AND s.attnum = ANY(c.conkey) AND da.attnum = ANY(c.confkey)"
        ),
        [("site", "sites", "bi", "id")],
    ),
    ("SELECT HAS_SCHEMA_PRIVILEGE('bi', 'USAGE')", [(True,)]),
    ("SELECT QUOTE_LITERAL('it''s')", [("'it''s'",)]),
    ('/* partner: "metabase", {"dashboard_id": null} */ -- Metabase:: userID: 1\nSELECT 1', [(1,)]),
    ("SELECT length(to_char(current_timestamp, 'YYYY-MM-DD HH24:MI:SS.MS TZ'))", [(27,)]),
]
# Lateral aliases, numbers as conditions, and Redshift's own columns of the catalog.
REDSHIFTS = [
    (
        (
            "SELECT n.nspname AS schema_of, c.relname AS table_of, c.reldiststyle FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE 1 AND schema_of = 'bi' AND relkind = 'r' "
            "ORDER BY table_of"
        ),
        [("bi", "devices", 9), ("bi", "sites", 1)],
    ),
    (
        (
            "SELECT a.attname, a.attisdistkey, a.attsortkeyord, format_encoding(a.attencodingtype::integer) "
            "FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'bi.sites'::regclass AND a.attnum > 0 ORDER BY a.attnum"
        ),
        [("id", True, 0, "az64"), ("name", False, 1, "none"), ("shape", False, 0, "none"), ("area", False, 0, "az64")],
    ),
    (
        (
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'sites' "
            "AND table_schema = 'bi' AND column_name = 'shape'"
        ),
        [("shape", "super")],
    ),
    # The column goes before the alias.
    ("SELECT upper(relname) AS relname FROM pg_catalog.pg_class WHERE relname = 'sites'", [("SITES",)]),
    ("SELECT schema_name FROM svv_all_schemas WHERE schema_name = 'bi'", [("bi",)]),
    (
        "SELECT diststyle, sortkey1 FROM svv_table_info WHERE schema = 'bi' AND tbl_rows >= 0 AND sortkey_num = 1",
        [("KEY(id)", "name")],
    ),
    (
        (
            "SELECT column_name, distkey, sortkey FROM svv_redshift_columns WHERE schema_name = 'bi' "
            "AND table_name = 'sites' AND ordinal_position = 1"
        ),
        [("id", True, 0)],
    ),
]


@pytest.mark.parametrize(("sql", "wanted"), DBEAVER + METABASE + REDSHIFTS)
def test_catalog_queries(connection: "psycopg.Connection[Any]", sql: str, wanted: list[tuple[Any, ...]]) -> None:
    assert connection.execute(sql).fetchall() == wanted


@pytest.mark.parametrize(
    "view", ["stl_query", "svl_qlog", "sys_query_history", "svv_user_info", "pg_catalog.stv_recents"]
)
def test_other_system_views_are_refused_by_name(connection: "psycopg.Connection[Any]", view: str) -> None:
    with pytest.raises(
        psycopg.Error, match=f"not supported by the local Redshift: system view {view.rsplit('.', maxsplit=1)[-1]}"
    ):
        connection.execute(f"SELECT * FROM {view}")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM bi.sites PIVOT (count(id) FOR name IN ('x'))", "PIVOT and UNPIVOT; use SUM"),
        ("SELECT e FROM bi.sites s, s.shape e", "iterating over SUPER in FROM; name the elements"),
        ("CREATE MATERIALIZED VIEW bi.v AS SELECT 1 AS a", "materialized views; use a view"),
        ("REFRESH MATERIALIZED VIEW bi.v", "materialized views; use a view"),
        ("CREATE EXTERNAL SCHEMA s FROM DATA CATALOG DATABASE 'd' IAM_ROLE default", "Spectrum.; use COPY"),
        ("COPY bi.sites FROM 's3://b/k' IAM_ROLE default FORMAT AS CSV", "the format CSV; use FORMAT AS PARQUET"),
        ("COPY bi.sites FROM 's3://b/k' IAM_ROLE default FORMAT AS JSON 'auto'", "JSON; use FORMAT AS PARQUET"),
    ],
)
def test_what_no_client_needs_is_refused_with_what_to_do(
    connection: "psycopg.Connection[Any]", sql: str, said: str
) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match=f"not supported by the local Redshift: .*{said}"):
        connection.execute(sql)
