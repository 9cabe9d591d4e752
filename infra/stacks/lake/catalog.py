"""The Glue databases and the tables, made from the telemetry contract."""

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3

from iot_pipeline.contract import Format, Table

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"

_COMMENTS = {"year": "UTC, four digits", "month": "01-12", "day": "01-31", "hour": "00-23", "batch": "Query and number"}


def add_database(stack: Stack, construct_id: str, name: str, description: str) -> glue.CfnDatabase:
    """A Glue database."""
    return glue.CfnDatabase(
        stack,
        construct_id,
        catalog_id=stack.account,
        database_input=glue.CfnDatabase.DatabaseInputProperty(name=name, description=description),
    )


def add_tables(stack: Stack, database: glue.CfnDatabase, bucket: s3.IBucket, tables: Iterable[Table]) -> None:
    """These tables of the contract, in the given database and bucket."""
    for table in tables:
        construct_id = "".join(part.capitalize() for part in table.name.split("_")) + "Table"
        glue.CfnTable(
            stack,
            construct_id,
            catalog_id=stack.account,
            database_name=database.ref,
            table_input=_table_input(table, f"s3://{bucket.bucket_name}/{table.prefix}"),
        )


def _table_input(table: Table, location: str) -> glue.CfnTable.TableInputProperty:
    return glue.CfnTable.TableInputProperty(
        name=table.name,
        description=table.description,
        table_type="EXTERNAL_TABLE",
        parameters={"EXTERNAL": "TRUE", **_format_parameters(table.format), **_projection(table, location)},
        partition_keys=[
            glue.CfnTable.ColumnProperty(name=key, type="string", comment=_COMMENTS[key])
            for key in table.partition_keys
        ],
        storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
            location=location,
            columns=[
                glue.CfnTable.ColumnProperty(name=column.name, type=column.type, comment=column.comment)
                for column in table.columns
            ],
            input_format=_TEXT_INPUT if table.format != Format.PARQUET else f"{_PARQUET}.MapredParquetInputFormat",
            output_format=_TEXT_OUTPUT if table.format != Format.PARQUET else f"{_PARQUET}.MapredParquetOutputFormat",
            serde_info=_serde(table.format),
        ),
    )


def _projection(table: Table, location: str) -> dict[str, str]:
    """Athena finds a projected table's partitions from these alone (Athena user guide, "Partition projection")."""
    if not table.projected:
        return {}
    template = location + "".join(f"{key}=${{{key}}}/" for key in table.partition_keys)
    return {**table.projection, "storage.location.template": template}


def _format_parameters(table_format: Format) -> dict[str, str]:
    match table_format:
        case Format.JSON:
            return {"classification": "json", "compressionType": "gzip"}
        case Format.LINES:
            return {"compressionType": "gzip"}
        case Format.PARQUET:
            return {"classification": "parquet", "parquet.compression": "ZSTD"}


def _serde(table_format: Format) -> glue.CfnTable.SerdeInfoProperty:
    match table_format:
        case Format.JSON:
            return glue.CfnTable.SerdeInfoProperty(
                serialization_library="org.openx.data.jsonserde.JsonSerDe",
                parameters={"ignore.malformed.json": "true"},
            )
        case Format.LINES:
            # A delimiter that JSON text cannot hold unescaped: the whole line is the one column.
            return glue.CfnTable.SerdeInfoProperty(
                serialization_library="org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                parameters={"field.delim": "\u0001", "serialization.format": "\u0001"},
            )
        case Format.PARQUET:
            return glue.CfnTable.SerdeInfoProperty(
                serialization_library=f"{_PARQUET}.serde.ParquetHiveSerDe",
                parameters={"serialization.format": "1"},
            )
