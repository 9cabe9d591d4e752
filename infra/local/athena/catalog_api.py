"""The catalog's operations of the Athena API (API reference, "GetTableMetadata" and its kin)."""

import uuid

import pyarrow as pa
import pyarrow.compute as pc
from botocore.exceptions import ClientError

from infra.local.athena.errors import ApiError
from infra.local.athena.pages import Body, page
from infra.local.athena.reading.glue_tables import Catalog, Table

_NAME = "AwsDataCatalog"


class CatalogApi:
    """Operations by name; each takes the request body and returns the answer. ApiError MetadataException for what Glue
    does not have, InvalidRequestException for another catalog than AwsDataCatalog.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def list_data_catalogs(self, _: Body) -> Body:
        return {"DataCatalogsSummary": [{"CatalogName": _NAME, "Type": "GLUE"}]}

    def get_data_catalog(self, body: Body) -> Body:
        check_catalog(body["Name"])
        return {"DataCatalog": {"Name": _NAME, "Type": "GLUE"}}

    def list_databases(self, body: Body) -> Body:
        check_catalog(body["CatalogName"])
        pages = self._catalog.glue.get_paginator("get_databases").paginate()
        return page([_database(found) for some in pages for found in some["DatabaseList"]], body, "DatabaseList", 50)

    def get_database(self, body: Body) -> Body:
        check_catalog(body["CatalogName"])
        try:
            found = self._catalog.glue.get_database(Name=body["DatabaseName"].lower())["Database"]
        except ClientError as error:
            raise _wrapped(error) from error
        return {"Database": _database(found)}

    def get_table_metadata(self, body: Body) -> Body:
        check_catalog(body["CatalogName"])
        names = {"DatabaseName": body["DatabaseName"].lower(), "Name": body["TableName"].lower()}
        try:
            return {"TableMetadata": _metadata(Table(self._catalog.glue.get_table(**names)["Table"]))}
        except ClientError as error:
            raise _wrapped(error) from error

    def list_table_metadata(self, body: Body) -> Body:
        check_catalog(body["CatalogName"])
        try:
            tables = list(self._catalog.tables(body["DatabaseName"].lower()))
        except ClientError as error:
            raise _wrapped(error) from error
        if body.get("Expression"):
            tables = _matching(tables, body["Expression"])
        return page([_metadata(table) for table in tables], body, "TableMetadataList", 50)


def check_catalog(name: str) -> None:
    """ApiError InvalidRequestException for another data catalog than AwsDataCatalog."""
    if name.lower() != _NAME.lower():
        raise ApiError("InvalidRequestException", f"NOT_SUPPORTED_LOCALLY: data catalog {name}; only {_NAME} is there")


def _matching(tables: list[Table], expression: str) -> list[Table]:
    """The tables whose names fit a regular expression as a whole; RE2 reads it, so that none takes long."""
    names = pa.array([table.name for table in tables], pa.string())
    try:
        fits = pc.match_substring_regex(names, pattern=f"^(?:{expression})$").to_pylist()
    except pa.ArrowInvalid as error:
        raise ApiError("InvalidRequestException", f"Expression {expression} is no regular expression here") from error
    return [table for table, fit in zip(tables, fits, strict=True) if fit]


def _wrapped(error: ClientError) -> ApiError:
    """Glue's error as Athena passes it on: clients take the code within apart."""
    said = error.response["Error"]
    return ApiError(
        "MetadataException",
        f"{said['Message']} (Service: AmazonDataCatalog; Status Code: 400; Error Code: {said['Code']}; "
        f"Request ID: {uuid.uuid4()}; Proxy: null)",
    )


def _database(glue: Body) -> Body:
    found = {"Name": glue["Name"], "Description": glue.get("Description"), "Parameters": glue.get("Parameters")}
    return {key: value for key, value in found.items() if value}


def _metadata(table: Table) -> Body:
    """The API's TableMetadata: what Glue says of the storage is among the parameters."""
    storage = table.storage
    parameters = {
        **(table.glue.get("Parameters") or {}),
        "comment": table.glue.get("Description") or (table.glue.get("Parameters") or {}).get("comment"),
        "location": str(storage.get("Location") or "").rstrip("/"),
        "inputformat": storage.get("InputFormat"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": table.serde,
        **{f"serde.param.{key}": value for key, value in table.serde_parameters.items()},
    }
    return {
        "Name": table.name,
        "CreateTime": table.glue.get("CreateTime", 0),
        "LastAccessTime": table.glue.get("LastAccessTime", 0),
        "TableType": table.glue.get("TableType", ""),
        "Columns": [_column(column) for column in storage.get("Columns", [])],
        "PartitionKeys": [_column(key) for key in table.glue.get("PartitionKeys") or []],
        "Parameters": {key: value for key, value in parameters.items() if value},
    }


def _column(glue: Body) -> Body:
    column = {"Name": glue["Name"], "Type": glue.get("Type", "string")}
    return {**column, "Comment": glue["Comment"]} if glue.get("Comment") else column
