"""The local PostgreSQL and Redshift, with the emulator for S3: once a session, on free ports, in a temporary folder."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import redshift_connector
from redshift_connector.core import Connection
from redshift_connector.cursor import Cursor

from infra.local.emulator.process import Emulator
from infra.local.postgres.process import Postgres
from infra.local.redshift.process import Redshift

REGION = "eu-west-1"
BUCKET = "warehouse-test"
ROLE = "arn:aws:iam::000000000000:role/warehouse-copy"


@dataclass
class LocalWarehouse:
    """The two servers, S3, and connections to them."""

    postgres: Postgres
    redshift: Redshift
    emulator: Emulator

    def connect(self, **options: Any) -> Connection:
        """redshift_connector, as the pipeline's user; without autocommit."""
        found = self.redshift
        signed: dict[str, Any] = {
            "user": found.user,
            "password": found.password,
            "database": found.database,
            "ssl": False,
        }
        return redshift_connector.connect(host="127.0.0.1", port=found.port, **(signed | options))

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor of a connection of its own, in autocommit."""
        connection = self.connect()
        try:
            connection.autocommit = True
            yield connection.cursor()
        finally:
            connection.close()

    def psycopg(self, **options: Any) -> "psycopg.Connection[Any]":
        """psycopg, through the proxy."""
        return psycopg.connect(self.redshift.dsn, **options)

    @property
    def s3(self) -> Any:
        """boto3."""
        return boto3.client("s3", **self.emulator.client_options)  # type: ignore[call-overload]  # options in a dict

    def make_copy_role(self) -> None:
        """The role that the tests' COPY and UNLOAD name, which may use every bucket."""
        trusted = {"Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]}
        self.make_role(ROLE, {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}, [])
        self.allow(ROLE, "s3:*", "*")

    def make_role(self, arn: str, trust: dict[str, Any], actions: list[str]) -> None:
        """A role with a trust, which may do these actions in the test's bucket."""
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self._iam.create_role(RoleName=arn.rpartition("/")[2], AssumeRolePolicyDocument=document)
        if actions:
            self.allow(arn, actions, [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"])

    def allow(self, arn: str, actions: str | list[str], resources: str | list[str]) -> None:
        """Give a role its one policy."""
        statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._iam.put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="own", PolicyDocument=document)

    @property
    def _iam(self) -> Any:
        return boto3.client("iam", **self.emulator.client_options)  # type: ignore[call-overload]  # as above

    @property
    def data_api(self) -> Any:
        """boto3's client of the Redshift Data API."""
        return boto3.client("redshift-data", **self.emulator.client_options)  # type: ignore[call-overload]  # as above

    def put(self, key: str, table: pa.Table, **options: Any) -> str:
        """Write a table as a Parquet object; its URL."""
        out = io.BytesIO()
        pq.write_table(table, out, **options)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=out.getvalue())
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> pa.Table:
        """Read a Parquet object."""
        return pq.read_table(io.BytesIO(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]
