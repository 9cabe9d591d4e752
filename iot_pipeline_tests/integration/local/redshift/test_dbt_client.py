"""dbt-redshift with a project of its own: seeds twice, incremental models, snapshots, documentation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner

from iot_pipeline_tests.support.warehouse import LocalWarehouse

FILES = {
    "dbt_project.yml": "name: client\nversion: '1.0'\nprofile: client\nmodel-paths: [models]\nseed-paths: [seeds]\n"
    "snapshot-paths: [snapshots]\nseeds:\n  client:\n    cities:\n      +column_types: {area: 'decimal(8,2)'}\n",
    "seeds/cities.csv": 'id,name,area,founded\n1,Zürich,87.88,2026-01-02\n2,"Basel, BS",,2026-02-03\n',
    "models/names.sql": "{{ config(materialized='view', bind=False) }} select id, name from {{ ref('cities') }}",
    "models/loaded.sql": "{{ config(materialized='incremental', unique_key='id', dist='id', sort=['name']) }}\n"
    "select id, name, {{ var('round', 1) }} as round from {{ ref('cities') }}\n"
    "{% if is_incremental() %} where id > 1 {% endif %}",
    "models/schema.yml": "models:\n  - name: loaded\n    description: what was loaded\n    columns:\n"
    "      - {name: id, description: its number, data_tests: [unique, not_null]}\n",
    "snapshots/cities.sql": "{% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols=['name'], "
    "target_schema='dbt_client') }} select id, name from {{ ref('loaded') }}{% endsnapshot %}",
}


@dataclass
class Project:
    """dbt's project, run in this process."""

    folder: Path

    def dbt(self, *arguments: str) -> None:
        places = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        places += ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        done = dbtRunner().invoke([*arguments, "--quiet", *places])
        results = getattr(done.result, "results", [])
        assert done.success, done.exception or [(found.node.name, found.message) for found in results]


@pytest.fixture(scope="module")
def project(local_warehouse: LocalWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("dbt")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = local_warehouse.redshift
    target = {
        "type": "redshift",
        "method": "database",
        "host": "127.0.0.1",
        "port": found.port,
        "dbname": found.database,
        "user": found.user,
        "password": found.password,
        "sslmode": "disable",
        "schema": "dbt_client",
        "threads": 2,
        "retries": 0,
    }
    (folder / "profiles.yml").write_text(json.dumps({"client": {"target": "local", "outputs": {"local": target}}}))
    yield Project(folder)
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS dbt_client CASCADE")


def test_dbt(project: Project, local_warehouse: LocalWarehouse) -> None:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        with local_warehouse.psycopg() as connection:
            return connection.execute(sql).fetchall()

    for _ in range(2):
        project.dbt("seed")
    cities = "SELECT id, name, area::varchar, founded::varchar FROM dbt_client.cities ORDER BY id"
    assert rows(cities) == [(1, "Zürich", "87.88", "2026-01-02"), (2, "Basel, BS", None, "2026-02-03")]
    project.dbt("seed", "--full-refresh")
    project.dbt("run")
    project.dbt("run", "--vars", "round: 2")
    assert rows("SELECT id, round FROM dbt_client.loaded ORDER BY id") == [(1, 1), (2, 2)]
    assert rows("SELECT name FROM dbt_client.names ORDER BY id") == [("Zürich",), ("Basel, BS",)]
    project.dbt("test")

    project.dbt("snapshot")
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("UPDATE dbt_client.loaded SET name = 'Bâle' WHERE id = 2")
    project.dbt("snapshot")
    kept = rows("SELECT id, name, dbt_valid_to IS NULL FROM dbt_client.kept ORDER BY id, dbt_valid_from")
    assert kept == [(1, "Zürich", True), (2, "Basel, BS", False), (2, "Bâle", True)]

    project.dbt("docs", "generate")
    catalog = json.loads((project.folder / "target" / "catalog.json").read_text(encoding="utf-8"))
    loaded = catalog["nodes"]["model.client.loaded"]
    types = {name.lower(): column["type"] for name, column in loaded["columns"].items()}
    assert types == {"id": "integer", "name": "character varying(9)", "round": "integer"}
    statistics = {name: found["value"] for name, found in loaded["stats"].items() if found["include"]}
    assert (statistics["diststyle"], statistics["sortkey1"]) == ("KEY(id)", "name")
