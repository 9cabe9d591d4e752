"""Firehose's conversion of JSON records to Parquet, with the columns of a Glue table.

Amazon Data Firehose developer guide, "Convert input data format" and "Handle errors for data format conversion". The
texts of the errors are those that ministack has collected. Two records of an object never share a failure: what does
not convert goes to the error prefix, the others to the object.
"""

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from ministack.core.responses import get_account_id, get_region
from ministack.services import firehose, glue

from infra.local.emulator.authorisation.service_roles import ServiceRole
from infra.local.emulator.firehose.delivery_permissions import FIREHOSE
from infra.local.emulator.firehose.failed_records import CONVERSION, FailedRecord
from infra.local.emulator.firehose.hive_rows import Kind, SchemaMismatchError, kind_of, struct
from infra.local.emulator.firehose.transformation import Transformed

_COMPRESSIONS = {"UNCOMPRESSED": "none", "GZIP": "gzip", "SNAPPY": "snappy"}


def conversion_of(config: Any) -> Any:
    """A destination's conversion, None where there is none or it is off."""
    conversion = config.get("DataFormatConversionConfiguration") or {}
    return conversion if conversion and conversion.get("Enabled", True) else None


def conversion_problem(config: Any) -> str | None:
    """Why AWS or the local AWS refuses a destination's conversion.

    API reference, DataFormatConversionConfiguration: the destination's own compression has to be off.
    """
    conversion = conversion_of(config)
    if conversion is None:
        return None
    output = (conversion.get("OutputFormatConfiguration") or {}).get("Serializer") or {}
    inputs = (conversion.get("InputFormatConfiguration") or {}).get("Deserializer") or {}
    hints = config.get("BufferingHints") or {}
    serde = inputs.get("OpenXJsonSerDe") or {}
    compression = (output.get("ParquetSerDe") or {}).get("Compression", "SNAPPY")
    checks = {
        "CompressionFormat must be UNCOMPRESSED when data format conversion is enabled": config.get(
            "CompressionFormat", "UNCOMPRESSED"
        )
        == "UNCOMPRESSED",
        "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled": int(
            hints.get("SizeInMBs", 128)
        )
        >= 64,
        "SchemaConfiguration is needed when data format conversion is enabled": bool(
            conversion.get("SchemaConfiguration")
        ),
        f"the local AWS writes Parquet alone: {sorted(output)}": set(output) == {"ParquetSerDe"},
        f"the local AWS reads by the OpenX SerDe alone: {sorted(inputs)}": set(inputs) == {"OpenXJsonSerDe"},
        f"the local AWS compresses Parquet by {sorted(_COMPRESSIONS)}: {compression}": compression in _COMPRESSIONS,
        "the local AWS lacks the OpenX SerDe's mappings of keys": not (
            serde.get("ColumnToJsonKeyMappings") or serde.get("ConvertDotsInJsonKeysToUnderscores")
        ),
    }
    return next((problem for problem, fine in checks.items() if not fine), None)


class Converter:
    """Converts the records of one delivery to the columns of the table, as it is at that moment.

    Raises AccessDeniedError unless the delivery stream's role may read the table, UnknownTypeError for a column that
    the local AWS does not convert to.
    """

    def __init__(self, stream: Any, conversion: Any) -> None:
        self._schema = conversion["SchemaConfiguration"]
        self._check(ServiceRole(self._schema["RoleARN"], FIREHOSE, stream["arn"]))
        table = glue._tables.get(f"{self._schema['DatabaseName']}/{self._schema['TableName']}")
        columns = ((table or {}).get("StorageDescriptor") or {}).get("Columns") or []
        self._row: Kind | None = struct({c["Name"]: kind_of(c["Type"]) for c in columns}) if columns else None
        serializer = conversion["OutputFormatConfiguration"]["Serializer"]["ParquetSerDe"]
        self._compression = _COMPRESSIONS[serializer.get("Compression", "SNAPPY")]
        serde = conversion["InputFormatConfiguration"]["Deserializer"]["OpenXJsonSerDe"]
        self._folds_case = serde.get("CaseInsensitive", True)

    def _check(self, role: ServiceRole) -> None:
        database, table = self._schema["DatabaseName"], self._schema["TableName"]
        glue_arn = f"arn:aws:glue:{get_region()}:{get_account_id()}"
        for name in ("GetTable", "GetTableVersion", "GetTableVersions"):
            role.check(
                f"glue:{name}",
                f"{glue_arn}:catalog",
                f"{glue_arn}:database/{database}",
                f"{glue_arn}:table/{database}/{table}",
            )

    def rows(self, record: Transformed) -> list[dict[str, Any]] | FailedRecord:
        """A record's documents as rows; a record may hold several, one behind the other."""
        if self._row is None:
            return self._failed(record, "table")
        try:
            documents = firehose._json_documents(record.data)
            return [self._row.value(self._folded(document)) for document in documents]
        except firehose._DeliveryError as error:
            return self._failed_as(record, error)
        except SchemaMismatchError:
            return self._failed(record, "mismatch")

    def parquet(self, rows: Sequence[dict[str, Any]]) -> bytes:
        """The rows as a Parquet object."""
        if self._row is None:
            raise ValueError("there is no schema")
        buffer = io.BytesIO()
        table = pa.Table.from_pylist(list(rows), schema=pa.schema(list(self._row.arrow)))
        pq.write_table(table, buffer, compression=self._compression)
        return buffer.getvalue()

    def _folded(self, value: Any) -> Any:
        if not self._folds_case:
            return value
        if isinstance(value, dict):
            return {name.lower(): self._folded(each) for name, each in value.items()}
        return [self._folded(each) for each in value] if isinstance(value, list) else value

    def _failed(self, record: Transformed, kind: str) -> FailedRecord:
        return self._failed_as(record, firehose._conversion_error(kind))

    def _failed_as(self, record: Transformed, error: Any) -> FailedRecord:
        schema = self._schema
        account = schema.get("CatalogId") or get_account_id()
        region = schema.get("Region") or get_region()
        table = {
            "catalogId": account,
            "databaseName": schema["DatabaseName"],
            "tableName": schema["TableName"],
            "region": region,
            "versionId": schema.get("VersionId", "LATEST"),
            "catalogArn": f"arn:aws:glue:{region}:{account}:catalog",
        }
        # The journal keeps no sequence numbers.
        details = {"sequenceNumber": "", "subSequenceNumber": 0, "dataCatalogTable": table}
        return FailedRecord(record.record, record.data, CONVERSION, error.code, error.message, 1, details)
