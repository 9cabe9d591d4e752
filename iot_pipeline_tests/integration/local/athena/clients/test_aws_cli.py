"""AWS's command line, in the clients' environment: Athena, Glue, S3 and the endpoint of IoT's data plane."""

import json
from pathlib import Path
from typing import Any

import pytest

from iot_pipeline_tests.support.athena_clients import BUCKET, ClientsAws, installed, run
from iot_pipeline_tests.support.emulator import eventually

pytestmark = pytest.mark.integration


class Cli:
    """`aws`, which answers JSON; what it prints as an error is raised as CliError."""

    def __init__(self, programs: Path, environment: dict[str, str]) -> None:
        self._program, self._environment = programs / "aws", environment

    def __call__(self, *arguments: str) -> Any:
        text = self.text(*arguments, "--output", "json")
        return json.loads(text) if text.strip() else None

    def text(self, *arguments: str) -> str:
        done = run([self._program, *arguments], self._environment)
        if done.returncode:
            raise CliError(done.stderr.strip())
        return done.stdout


class CliError(Exception):
    pass


@pytest.fixture(scope="module")
def aws(clients_aws: ClientsAws) -> Cli:
    return Cli(installed("awscli"), clients_aws.environment)


def test_a_query(aws: Cli) -> None:
    options = ["--query-execution-context", "Database=shelf,Catalog=AwsDataCatalog"]
    started = aws(
        *("athena", "start-query-execution", "--query-string", "SELECT number_of_rows, 'x' AS t FROM one_row"),
        *(*options, "--result-configuration", f"OutputLocation=s3://{BUCKET}/cli/"),
    )
    query = ["--query-execution-id", started["QueryExecutionId"]]
    status = ["--query", "QueryExecution.Status.State"]
    assert eventually(lambda: aws("athena", "get-query-execution", *query, *status) == "SUCCEEDED")
    found = aws("athena", "get-query-results", *query)["ResultSet"]
    assert [[cell["VarCharValue"] for cell in row["Data"]] for row in found["Rows"]] == [
        ["number_of_rows", "t"],
        ["1", "x"],
    ]
    assert started["QueryExecutionId"] in aws("athena", "list-query-executions")["QueryExecutionIds"]
    assert f"{started['QueryExecutionId']}.csv" in aws.text("s3", "ls", f"s3://{BUCKET}/cli/")
    assert aws.text("s3", "cp", f"s3://{BUCKET}/cli/{started['QueryExecutionId']}.csv", "-") == (
        '"number_of_rows","t"\n"1","x"\n'
    )


def test_lists(aws: Cli) -> None:
    catalog = ["--catalog-name", "AwsDataCatalog"]
    assert aws("athena", "list-data-catalogs")["DataCatalogsSummary"][0]["CatalogName"] == "AwsDataCatalog"
    assert "shelf" in [d["Name"] for d in aws("athena", "list-databases", *catalog)["DatabaseList"]]
    tables = aws("athena", "list-table-metadata", *catalog, "--database-name", "shelf", "--expression", "one_row.*")
    assert [t["Name"] for t in tables["TableMetadataList"]] == ["one_row", "one_row_complex"]
    assert "primary" in [g["Name"] for g in aws("athena", "list-work-groups")["WorkGroups"]]
    engines = aws("athena", "list-engine-versions")["EngineVersions"]
    assert {e["EffectiveEngineVersion"] for e in engines} == {"Athena engine version 3"}
    assert aws("athena", "list-prepared-statements", "--work-group", "primary")["PreparedStatements"] == []


def test_named_queries(aws: Cli) -> None:
    made = aws(
        *("athena", "create-named-query", "--name", "ones", "--database", "shelf"),
        *("--query-string", "SELECT 1"),
    )
    assert made["NamedQueryId"] in aws("athena", "list-named-queries")["NamedQueryIds"]
    query = ["--named-query-id", made["NamedQueryId"]]
    assert aws("athena", "get-named-query", *query)["NamedQuery"]["QueryString"] == "SELECT 1"
    aws("athena", "delete-named-query", *query)
    assert made["NamedQueryId"] not in aws("athena", "list-named-queries")["NamedQueryIds"]


def test_glue(aws: Cli) -> None:
    found = aws("glue", "get-table", "--database-name", "SHELF", "--name", "One_Row")["Table"]
    assert (found["Name"], found["DatabaseName"]) == ("one_row", "shelf")
    assert "Owner" not in found
    names = [t["Name"] for t in aws("glue", "get-tables", "--database-name", "shelf")["TableList"]]
    assert names == sorted(names)
    with pytest.raises(CliError, match="EntityNotFoundException"):
        aws("glue", "get-tables", "--database-name", "nowhere")


def test_the_endpoint_of_devices(aws: Cli, clients_aws: ClientsAws) -> None:
    """Device guide: the ATS endpoint; here with the port, which is 8883 on AWS."""
    found = aws("iot", "describe-endpoint", "--endpoint-type", "iot:Data-ATS")
    assert found == {"endpointAddress": clients_aws.emulator.mqtt_endpoint}


def test_errors(aws: Cli) -> None:
    catalog = ["--catalog-name", "AwsDataCatalog"]
    with pytest.raises(CliError, match=r"\(MetadataException\).*Error Code: EntityNotFoundException"):
        aws("athena", "get-table-metadata", *catalog, "--database-name", "shelf", "--table-name", "nowhere")
    with pytest.raises(CliError, match=r"\(InvalidRequestException\).*was not found"):
        aws("athena", "get-query-execution", "--query-execution-id", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(CliError, match=r"NOT_SUPPORTED_LOCALLY: operation AmazonAthena\.StartSession"):
        aws("athena", "start-session", "--work-group", "primary", "--engine-configuration", "MaxConcurrentDpus=20")
