"""dbt-athena, in the clients' environment: a project of each materialization, built twice, on Hive tables."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyathena.connection import Connection

from iot_pipeline_tests.support.athena_clients import BUCKET, ClientsAws, installed, run

pytestmark = pytest.mark.integration
FILES = {
    "dbt_project.yml": """
name: lake
version: "1.0"
profile: lake
flags: {send_anonymous_usage_stats: false}
""",
    "profiles.yml": f"""
lake:
  target: local
  outputs:
    local:
      type: athena
      s3_staging_dir: s3://{BUCKET}/dbt/staging/
      s3_data_dir: s3://{BUCKET}/dbt/data/
      region_name: eu-west-1
      database: awsdatacatalog
      schema: dbt_lake
      threads: 1
      num_retries: 0
      poll_interval: 0.05
""",
    "seeds/devices.csv": """device,site,installed,weight
d1,berlin,2020-01-01,1.50
d2,"den,ver",2020-01-02,2.25
d3,,2020-01-03,
""",
    "models/as_table.sql": """{{ config(materialized='table') }}
select device, site, cast(installed as date) as installed from {{ ref('devices') }}""",
    "models/as_view.sql": """{{ config(materialized='view') }}
select device, coalesce(site, 'none') as site from {{ ref('as_table') }}""",
    "models/partitioned.sql": """
{{ config(materialized='table', partitioned_by=['site'], format='parquet', write_compression='snappy') }}
select device, coalesce(site, 'none') as site from {{ ref('devices') }}""",
    "models/appended.sql": """{{ config(materialized='incremental', incremental_strategy='append') }}
select device, {{ var('turn') }} as turn from {{ ref('devices') }}""",
    "models/overwritten.sql": """
{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitioned_by=['site']) }}
select device, {{ var('turn') }} as turn, coalesce(site, 'none') as site from {{ ref('devices') }}
{% if is_incremental() %} where site = 'berlin' {% endif %}""",
    "models/schema.yml": """
version: 2
models:
  - name: as_table
    description: Devices, it's a table
    columns:
      - name: device
        description: the device
        data_tests: [unique, not_null]
      - name: site
        data_tests:
          - accepted_values:
              arguments: {values: [berlin, "den,ver"]}
  - name: as_view
    columns:
      - name: device
        data_tests:
          - relationships:
              arguments: {to: ref('as_table'), field: device}
""",
    "snapshots/devices_snapshot.sql": """{% snapshot devices_snapshot %}
{{ config(unique_key='device', strategy='check', check_cols=['turn'], table_type='hive') }}
select device, {{ var('turn') }} as turn from {{ ref('devices') }} where device = 'd1'
{% endsnapshot %}""",
    "models/iced.sql": """
{{ config(materialized='table', table_type='iceberg', s3_data_naming='table_unique', tags=['iceberg']) }}
select 1 as a""",
}
Results = dict[str, str]
Build = Callable[..., tuple[Results, str]]


@pytest.fixture(scope="module")
def build(clients_aws: ClientsAws, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Runs `dbt build`: the status of each node, and what was printed."""
    programs, project = installed("dbt-athena"), tmp_path_factory.mktemp("dbt")
    for name, text in FILES.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build_once(turn: int, *options: str) -> tuple[Results, str]:
        command: list[str | Path] = [programs / "dbt", "--no-use-colors", "build", "--vars", json.dumps({"turn": turn})]
        done = run([*command, "--profiles-dir", ".", *options], clients_aws.environment, cwd=project)
        results: list[Any] = json.loads((project / "target" / "run_results.json").read_text())["results"]
        return {r["unique_id"].split(".")[2]: r["status"] for r in results}, done.stdout

    return build_once


def test_a_project_built_twice(build: Build, connection: Connection[Any]) -> None:
    for turn in (1, 2):
        results, printed = build(turn, "--exclude", "tag:iceberg")
        assert set(results.values()) == {"success", "pass"}, printed
        assert len(results) == 11

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return list(connection.cursor().execute(sql).fetchall())

    assert rows("SELECT device, site, weight FROM dbt_lake.devices ORDER BY 1") == [
        ("d1", "berlin", 1.5),
        ("d2", "den,ver", 2.25),
        ("d3", None, None),
    ]
    assert rows("SELECT * FROM dbt_lake.as_view ORDER BY 1") == [("d1", "berlin"), ("d2", "den,ver"), ("d3", "none")]
    assert rows("SELECT device, turn FROM dbt_lake.appended WHERE device <> 'd2' ORDER BY 1, 2") == [
        ("d1", 1),
        ("d1", 2),
        ("d3", 1),
        ("d3", 2),
    ]
    assert rows("SELECT device, turn, site FROM dbt_lake.overwritten ORDER BY 1") == [
        ("d1", 2, "berlin"),
        ("d2", 1, "den,ver"),
        ("d3", 1, "none"),
    ]
    assert rows('SELECT count(DISTINCT "$path") FROM dbt_lake.partitioned') == [(3,)]
    snapshot = "SELECT turn, dbt_valid_to IS NULL FROM dbt_lake.devices_snapshot ORDER BY turn"
    assert rows(snapshot) == [(1, False), (2, True)]


def test_iceberg_is_refused(build: Build) -> None:
    results, printed = build(1, "--select", "tag:iceberg")
    assert results == {"iced": "error"}
    assert "NOT_SUPPORTED_LOCALLY: table_type ICEBERG; write table_type = 'HIVE'" in printed
