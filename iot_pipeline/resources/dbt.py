"""dbt, and the place of its documentation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import dagster as dg
from dagster_dbt import DbtCliInvocation, DbtCliResource

from iot_pipeline.connections.warehouse import dbt_environment
from iot_pipeline.contract.layout import DBT_DOCS
from iot_pipeline.settings import deployment, warehouse
from iot_pipeline.warehouse.dbt_project import PROJECT_DIR, executable, keep_parse, lay_out_parse, variables

_CONTENT_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json"}


class Dbt(DbtCliResource):
    """The command dbt, started each time with the contract's variables and the warehouse's credentials of then."""

    def cli(self, args: Sequence[str], **options: Any) -> DbtCliInvocation:
        """As `DbtCliResource.cli`. Raises as `credentials` does."""
        with dbt_environment():
            return super().cli([*args, "--vars", variables()], **options)


def dbt_resource() -> Dbt:
    """The command dbt; it looks for the warehouse only when it runs."""
    return Dbt(project_dir=str(PROJECT_DIR), profiles_dir=str(PROJECT_DIR), dbt_executable=str(executable()))


@contextmanager
def target_folder() -> Iterator[Path]:
    """A folder for what one run of dbt writes, gone afterwards; dbt parses the project only in the first of them.

    Raises pydantic.ValidationError naming each setting of the warehouse that is missing or wrong: dbt would only say
    that it cannot connect.
    """
    where = warehouse()
    connection = f"{where.user}@{where.host}:{where.port}/{where.database}"
    with TemporaryDirectory(prefix="dbt-") as name:
        folder = Path(name)
        lay_out_parse(folder, connection)
        yield folder
        keep_parse(folder, connection)


class DbtDocs(dg.ConfigurableResource["DbtDocs"]):
    """The models' documentation in the lake's bucket."""

    def publish(self, files: dict[str, Path]) -> str:
        """Put files under their names beside each other, and return where they are, as an s3:// folder."""
        client, bucket = boto3.client("s3"), deployment().lake_bucket
        for name, path in files.items():
            client.put_object(
                Bucket=bucket,
                Key=DBT_DOCS + name,
                Body=path.read_bytes(),
                ContentType=_CONTENT_TYPES[Path(name).suffix],
            )
        return f"s3://{bucket}/{DBT_DOCS}"
