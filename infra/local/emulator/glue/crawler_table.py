"""The catalog's description of what a crawler found."""

from typing import Any

from infra.local.emulator.glue.crawler_layout import Folder
from infra.local.emulator.glue.crawler_schema import Schema

FORMATS = {
    "json": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "parquet": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
}


def table_parameters(crawler: str, found: Schema, folder: Folder) -> dict[str, str]:
    """What a crawler notes of a table: its format, and how much it found."""
    return {
        "classification": found.classification,
        "compressionType": "gzip" if found.compressed else "none",
        "typeOfData": "file",
        "objectCount": str(sum(1 for _ref in folder.objects)),
        "sizeKey": str(sum(ref.size for ref in folder.objects)),
        "CrawlerSchemaSerializerVersion": "1.0",
        "CrawlerSchemaDeserializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
    }


def storage_descriptor(location: str, columns: dict[str, str], found: Schema) -> dict[str, Any]:
    """How a table's objects are read: columns, location, SerDe."""
    reader, writer, serde = FORMATS[found.classification]
    parameters = {"paths": ",".join(columns)} if found.classification == "json" else {"serialization.format": "1"}
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
        "Location": location,
        "InputFormat": reader,
        "OutputFormat": writer,
        "Compressed": found.compressed,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters},
        "StoredAsSubDirectories": False,
    }
