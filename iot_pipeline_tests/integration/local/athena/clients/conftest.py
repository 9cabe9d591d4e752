"""One local AWS for all clients, and the tables that they read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from pyathena.connection import Connection

from iot_pipeline_tests.support import athena_clients
from iot_pipeline_tests.support.athena_clients import BUCKET, ClientsAws

COMPLEX = (
    b"true\t127\t32767\t2147483647\t9223372036854775807\t0.5\t0.25\ta string\tvarchar\t2017-01-01 00:00:00.000\t"
    b"2017-01-02\t1\x022\t1\x032\x023\x034\t1\x022\t0.1\n"
)
TABLES = [
    """CREATE EXTERNAL TABLE one_row (number_of_rows INT COMMENT 'some comment') COMMENT 'table comment'
    ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LINES TERMINATED BY '\\n' STORED AS TEXTFILE
    LOCATION 's3://{bucket}/tables/one_row/'""",
    """CREATE EXTERNAL TABLE many_rows (a INT)
    ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LINES TERMINATED BY '\\n' STORED AS TEXTFILE
    LOCATION 's3://{bucket}/tables/many_rows/'""",
    """CREATE EXTERNAL TABLE one_row_complex (
        col_boolean BOOLEAN, col_tinyint TINYINT, col_smallint SMALLINT, col_int INT, col_bigint BIGINT,
        col_float FLOAT, col_double DOUBLE, col_string STRING, col_varchar VARCHAR(10), col_timestamp TIMESTAMP,
        col_date DATE, col_array ARRAY<int>, col_map MAP<int, int>, col_struct STRUCT<a: int, b: int>,
        col_decimal DECIMAL(10,1))
    ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LINES TERMINATED BY '\\n' STORED AS TEXTFILE
    LOCATION 's3://{bucket}/tables/one_row_complex/'""",
    """CREATE EXTERNAL TABLE partition_table (a STRING) PARTITIONED BY (b INT)
    ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LINES TERMINATED BY '\\n' STORED AS TEXTFILE
    LOCATION 's3://{bucket}/tables/partition_table/'""",
    """CREATE EXTERNAL TABLE parquet_table (a INT) STORED AS PARQUET LOCATION 's3://{bucket}/tables/parquet_table/'
    TBLPROPERTIES ('parquet.compression'='SNAPPY')""",
    "CREATE OR REPLACE VIEW view_one_row AS SELECT * FROM one_row",
]


@pytest.fixture(scope="session")
def clients_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientsAws]:
    """A local AWS with the database `shelf`, whose tables no test changes."""
    with athena_clients.started(tmp_path_factory.mktemp("athena-clients")) as aws:
        aws.put("tables/one_row/a.tsv", b"1\n")
        aws.put("tables/many_rows/a.tsv", "".join(f"{n}\n" for n in range(10_000)).encode())
        aws.put("tables/one_row_complex/a.tsv", COMPLEX)
        with _pointed_to(aws), _connected("default") as connection:
            connection.cursor().execute("CREATE DATABASE shelf")
        with _pointed_to(aws), _connected("shelf") as connection:
            for statement in TABLES:
                connection.cursor().execute(statement.format(bucket=BUCKET))
        yield aws


@pytest.fixture(autouse=True)
def aws_environment(request: pytest.FixtureRequest) -> Iterator[None]:
    """The environment of each test points to the local AWS, for clients that are given nothing else."""
    if "clients_aws" not in request.fixturenames:
        yield
        return
    with _pointed_to(request.getfixturevalue("clients_aws")):
        yield


@pytest.fixture
def connection(clients_aws: ClientsAws) -> Iterator["Connection[Any]"]:
    """PyAthena's connection to the database `shelf`."""
    with _connected("shelf") as found:
        yield found


def _connected(schema: str) -> "Connection[Any]":
    return Connection(s3_staging_dir=f"s3://{BUCKET}/staging/", schema_name=schema, poll_interval=0.02)


@contextmanager
def _pointed_to(aws: ClientsAws) -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(aws.environment)
    # The default session keeps the credentials that it first found.
    boto3.setup_default_session()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        boto3.setup_default_session()
