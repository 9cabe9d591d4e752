"""The Redshift Data API with boto3.

Amazon Redshift management guide, "Using the Amazon Redshift Data API", its pages "Considerations when calling ...",
"Running SQL statements with parameters ...", "Choosing database authentication credentials ...", "Troubleshooting
issues for ..."; and the Data API's reference.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from iot_pipeline_tests.support.warehouse import ROLE, LocalWarehouse

WORKGROUP = {"WorkgroupName": "telemetry", "Database": "telemetry"}
CLUSTER = {"ClusterIdentifier": "telemetry", "Database": "telemetry"}
# A test that waits as long as this fails.
SECONDS = 30
# It runs for hours: PostgreSQL's catalog is asked as it is.
FOREVER = "SELECT pg_sleep(20000) FROM pg_catalog.pg_database"


@pytest.fixture
def api(local_warehouse: LocalWarehouse) -> Any:
    return local_warehouse.data_api


@pytest.fixture(autouse=True)
def clean(local_warehouse: LocalWarehouse) -> Iterator["psycopg.Connection[Any]"]:
    """A schema for each test."""
    with local_warehouse.psycopg(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA api")
        yield connection
        connection.execute("DROP SCHEMA api CASCADE")


def executed(api: Any, sql: str, target: Mapping[str, str] = WORKGROUP, **options: Any) -> dict[str, Any]:
    """DescribeStatement's answer for a statement that has ended."""
    target = {} if "SessionId" in options else target
    made = api.execute_statement(Sql=sql, WaitTimeSeconds=SECONDS, **{**target, **options})
    found: dict[str, Any] = api.describe_statement(Id=made["Id"], WaitTimeSeconds=SECONDS)
    return found


def values(api: Any, sql: str, target: Mapping[str, str] = WORKGROUP, **options: Any) -> list[list[Any]]:
    """A statement's rows: each field's one value, None for isNull."""
    found = executed(api, sql, target, **options)
    assert found["Status"] == "FINISHED", found.get("Error")
    pages = api.get_paginator("get_statement_result").paginate(Id=found["Id"])
    rows = [row for page in pages for row in page["Records"]]
    return [[None if "isNull" in field else next(iter(field.values())) for field in row] for row in rows]


def refused(call: Callable[..., Any], **options: Any) -> tuple[str, str]:
    """(the error's name, its message)."""
    with pytest.raises(ClientError) as caught:
        call(**options)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.mark.parametrize(
    ("expression", "field", "type_name"),
    [
        ("1::smallint", {"longValue": 1}, "int2"),
        ("2147483647", {"longValue": 2147483647}, "int4"),
        ("9223372036854775807::bigint", {"longValue": 9223372036854775807}, "int8"),
        ("1.5::real", {"doubleValue": 1.5}, "float4"),
        ("0.1::float8", {"doubleValue": 0.1}, "float8"),
        ("12345678901234567890.25::decimal(22, 2)", {"stringValue": "12345678901234567890.25"}, "numeric"),
        ("true", {"booleanValue": True}, "bool"),
        ("false", {"booleanValue": False}, "bool"),
        ("NULL::int", {"isNull": True}, "int4"),
        ("''::varchar(3)", {"stringValue": ""}, "varchar"),
        ("'Zürich ✓'::varchar(20)", {"stringValue": "Zürich ✓"}, "varchar"),
        ("'ab'::char(4)", {"stringValue": "ab  "}, "bpchar"),
        ("date '2026-02-28'", {"stringValue": "2026-02-28"}, "date"),
        ("timestamp '2026-02-28 01:02:03.5'", {"stringValue": "2026-02-28 01:02:03.5"}, "timestamp"),
        ("timestamptz '2026-02-28 01:02:03+02'", {"stringValue": "2026-02-27 23:02:03+00"}, "timestamptz"),
        ("json_parse('{\"a\": [1, null]}')", {"stringValue": '{"a":[1,null]}'}, "super"),
    ],
)
def test_fields_are_typed(api: Any, expression: str, field: dict[str, Any], type_name: str) -> None:
    found = executed(api, f"SELECT {expression} AS it")
    result = api.get_statement_result(Id=found["Id"])
    assert result["Records"] == [[field]]
    assert result["TotalNumRows"] == 1
    (column,) = result["ColumnMetadata"]
    assert (column["name"], column["label"], column["typeName"]) == ("it", "it", type_name)


def test_metadata_has_length_precision_and_scale(api: Any) -> None:
    found = executed(api, "SELECT 1.5::decimal(8, 2) AS d, 'x'::varchar(7) AS v, 1::bigint AS n")
    columns = api.get_statement_result(Id=found["Id"])["ColumnMetadata"]
    assert [(column["precision"], column["scale"]) for column in columns] == [(8, 2), (7, 0), (19, 0)]
    assert [column["isSigned"] for column in columns] == [True, False, True]
    assert [column["isCaseSensitive"] for column in columns] == [False, True, False]


def test_a_statement_is_described(api: Any) -> None:
    found = executed(api, "SELECT 1 AS a UNION ALL SELECT 20", StatementName="mine")
    assert found["Status"] == "FINISHED"
    assert found["QueryString"] == "SELECT 1 AS a UNION ALL SELECT 20"
    assert (found["HasResultSet"], found["ResultRows"], found["ResultSize"]) == (True, 2, 3)
    assert found["RedshiftPid"] > 0
    assert found["Duration"] > 0
    assert (found["WorkgroupName"], found["Database"], found["ResultFormat"]) == ("telemetry", "telemetry", "JSON")


def test_rows_that_were_changed_are_counted(api: Any) -> None:
    made = executed(api, "CREATE TABLE api.t (a int)")
    assert (made["HasResultSet"], made["ResultRows"]) == (False, -1)
    inserted = executed(api, "INSERT INTO api.t VALUES (1), (2)")
    assert (inserted["HasResultSet"], inserted["ResultRows"], inserted["ResultSize"]) == (False, 2, 0)
    code, message = refused(api.get_statement_result, Id=inserted["Id"])
    assert (code, message) == ("ResourceNotFoundException", "Query does not have result.")
    empty = executed(api, "SELECT a FROM api.t WHERE a > 2")
    result = api.get_statement_result(Id=empty["Id"])
    assert (empty["HasResultSet"], result["Records"], result["TotalNumRows"]) == (True, [], 0)
    assert [column["name"] for column in result["ColumnMetadata"]] == ["a"]


def test_what_redshift_refuses_fails_with_its_words(api: Any) -> None:
    found = executed(api, "SELECT DISTINCT ON (a) a FROM (SELECT 1 AS a) t")
    assert found["Status"] == "FAILED"
    assert found["Error"].startswith("ERROR: not supported by Redshift: DISTINCT ON")
    missing = executed(api, "SELECT * FROM api.missing")
    assert (missing["Status"], missing["Error"]) == ("FAILED", 'ERROR: relation "api.missing" does not exist')
    code, message = refused(api.get_statement_result, Id=missing["Id"])
    assert (code, message) == ("ResourceNotFoundException", "Query is not in FINISHED state.")


def test_a_statement_is_a_single_one(api: Any) -> None:
    found = executed(api, "CREATE TABLE api.one (a int); CREATE TABLE api.two (a int)")
    assert (found["Status"], found["HasResultSet"]) == ("FAILED", False)
    assert api.list_tables(SchemaPattern="api", **WORKGROUP)["Tables"] == []


def parameters(**given: str) -> dict[str, Any]:
    return {"Parameters": [{"name": name, "value": value} for name, value in given.items()]}


def test_parameters(api: Any) -> None:
    executed(api, "CREATE TABLE api.sites (id int, name varchar(20), area decimal(8, 2))")
    row = parameters(id="1", name="O'Hara; -- :id", area="2.50")
    inserted = executed(api, "INSERT INTO api.sites VALUES (:id, :name, :area)", **row)
    assert inserted["QueryParameters"] == row["Parameters"]
    sql = "SELECT name, ':id' AS text, area::varchar(9) /* :id */ FROM api.sites WHERE id = :id OR id = :id + 1 -- :id"
    assert values(api, sql, **parameters(id="1")) == [["O'Hara; -- :id", ":id", "2.50"]]


def test_parameters_that_are_not_used_or_not_given(api: Any) -> None:
    unused = refused(api.execute_statement, Sql="SELECT :a", **WORKGROUP, **parameters(a="1", b="2"))
    assert unused[0] == "ValidationException"
    assert "Unused parameters: [b]" in unused[1]
    assert executed(api, "SELECT :a::int + :b", **parameters(a="1"))["Status"] == "FAILED"


def test_pages(api: Any) -> None:
    executed(api, "CREATE TABLE api.digits (d int)")
    executed(api, "INSERT INTO api.digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)")
    many = ", ".join(f"api.digits t{n}" for n in range(5))
    number = " + ".join(f"t{n}.d * {10**n}" for n in range(5))
    found = executed(api, f"SELECT {number} AS n, repeat('x', 30) AS filler FROM {many} ORDER BY 1")
    pages = list(api.get_paginator("get_statement_result").paginate(Id=found["Id"]))
    assert len(pages) > 2
    assert {page["TotalNumRows"] for page in pages} == {100_000}
    assert [row[0]["longValue"] for page in pages for row in page["Records"]] == list(range(100_000))
    assert refused(api.get_statement_result, Id=found["Id"], NextToken="999")[0] == "ValidationException"


def test_results_in_csv(api: Any) -> None:
    sql = "SELECT 'a,\"b\"'::varchar(9) AS t, NULL::int AS n, true AS b, 1.50::decimal(4, 2) AS d"
    found = executed(api, sql, ResultFormat="CSV")
    result = api.get_statement_result_v2(Id=found["Id"])
    assert result["Records"] == [{"CSVRecords": 't,n,b,d\r\n"a,""b""",,true,1.50\r\n'}]
    assert (result["ResultFormat"], result["TotalNumRows"]) == ("CSV", 1)
    assert refused(api.get_statement_result, Id=found["Id"])[0] == "ValidationException"


def batch(api: Any, *texts: str, **options: Any) -> dict[str, Any]:
    made = api.batch_execute_statement(Sqls=list(texts), WaitTimeSeconds=SECONDS, **WORKGROUP, **options)
    found: dict[str, Any] = api.describe_statement(Id=made["Id"])
    return found


def test_a_batch_is_one_transaction(api: Any) -> None:
    texts = ("CREATE TABLE api.t (a int)", "INSERT INTO api.t VALUES (:n), (2)", "SELECT a FROM api.t ORDER BY a")
    done = batch(api, *texts, **parameters(n="1"))
    assert (done["Status"], done["ExecutionMode"]) == ("FINISHED", "TRANSACTION")
    assert [sub["QueryString"] for sub in done["SubStatements"]] == list(texts)
    third = done["SubStatements"][2]
    assert (third["Id"], third["HasResultSet"], third["ResultRows"]) == (f"{done['Id']}:3", True, 2)
    assert api.get_statement_result(Id=third["Id"])["Records"] == [[{"longValue": 1}], [{"longValue": 2}]]
    assert api.describe_statement(Id=third["Id"])["QueryString"] == texts[2]

    failed = batch(api, "INSERT INTO api.t VALUES (3)", "SELECT * FROM api.missing", "INSERT INTO api.t VALUES (4)")
    assert [sub["Status"] for sub in failed["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert (failed["Status"], failed["Error"]) == ("FAILED", 'ERROR: relation "api.missing" does not exist')
    assert values(api, "SELECT count(*) FROM api.t") == [[2]]


def test_a_batch_that_commits_each_statement(api: Any) -> None:
    batch(api, "CREATE TABLE api.t (a int)")
    texts = ("INSERT INTO api.t VALUES (3)", "SELECT * FROM api.missing", "INSERT INTO api.t VALUES (4)")
    done = batch(api, *texts, ExecutionMode="AUTO_COMMIT")
    assert [sub["Status"] for sub in done["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert values(api, "SELECT sum(a) FROM api.t") == [[7]]


def test_sessions(api: Any) -> None:
    first = api.execute_statement(
        Sql="CREATE TEMP TABLE mine (a int)", SessionKeepAliveSeconds=600, WaitTimeSeconds=SECONDS, **WORKGROUP
    )
    session = first["SessionId"]
    inserted = executed(api, "INSERT INTO mine VALUES (7)", SessionId=session)
    assert (inserted["Status"], inserted["SessionId"]) == ("FINISHED", session)
    assert values(api, "SELECT a FROM mine", SessionId=session) == [[7]]
    assert executed(api, "SELECT a FROM mine")["Status"] == "FAILED"
    (listed,) = api.list_sessions(SessionId=session)["Sessions"]
    assert (listed["Status"], listed["SessionAliveSeconds"]) == ("AVAILABLE", 600)

    # Nothing but the statement can be given with it; it is another's with nobody; none of that name is there.
    assert refused(api.execute_statement, Sql="SELECT 1", SessionId=session, **WORKGROUP)[0] == "ValidationException"
    unknown = "00000000-0000-0000-0000-000000000000"
    assert refused(api.execute_statement, Sql="SELECT 1", SessionId=unknown)[0] == "ResourceNotFoundException"

    # A session that is kept for no time ends with its statement.
    executed(api, "SELECT 1", SessionId=session, SessionKeepAliveSeconds=0)
    assert refused(api.execute_statement, Sql="SELECT 1", SessionId=session)[0] == "ResourceNotFoundException"
    (closed,) = api.list_sessions(SessionId=session)["Sessions"]
    assert closed["Status"] == "CLOSED"


def test_a_session_runs_one_statement_at_a_time_and_lives_on_when_it_is_cancelled(api: Any) -> None:
    made = api.execute_statement(Sql=FOREVER, SessionKeepAliveSeconds=60, **WORKGROUP)
    message = refused(api.execute_statement, Sql="SELECT 1", SessionId=made["SessionId"])
    assert message == ("ValidationException", "Session is busy: another query is running in it.")
    assert api.cancel_statement(Id=made["Id"])["Status"] is True
    cancelled = api.describe_statement(Id=made["Id"], WaitTimeSeconds=SECONDS)
    assert cancelled["Status"] == "ABORTED"
    assert values(api, "SELECT 1", SessionId=made["SessionId"]) == [[1]]


def test_cancelling(api: Any) -> None:
    made = api.batch_execute_statement(Sqls=["CREATE TABLE api.t (a int)", FOREVER], **WORKGROUP)
    assert api.describe_statement(Id=made["Id"])["Status"] in ("SUBMITTED", "PICKED", "STARTED")
    assert api.cancel_statement(Id=made["Id"])["Status"] is True
    cancelled = api.describe_statement(Id=made["Id"], WaitTimeSeconds=SECONDS)
    assert cancelled["Status"] == "ABORTED"
    assert api.list_tables(SchemaPattern="api", **WORKGROUP)["Tables"] == []
    code, message = refused(api.cancel_statement, Id=made["Id"])
    assert code == "ValidationException"
    assert message == f"Could not cancel a query that is already in ABORTED state with ID: {made['Id']}"


def test_client_tokens(api: Any) -> None:
    executed(api, "CREATE TABLE api.t (a int)")
    once = {"Sql": "INSERT INTO api.t VALUES (1)", "ClientToken": "token-1", "WaitTimeSeconds": SECONDS, **WORKGROUP}
    assert api.execute_statement(**once)["Id"] == api.execute_statement(**once)["Id"]
    assert values(api, "SELECT count(*) FROM api.t") == [[1]]
    other = once | {"Sql": "INSERT INTO api.t VALUES (2)"}
    assert refused(api.execute_statement, **other)[0] == "ValidationException"


def test_statements_are_listed(api: Any) -> None:
    names = ["list-a", "list-b", "other"]
    made = [executed(api, f"SELECT {n}", StatementName=name)["Id"] for n, name in enumerate(names)]
    failed = executed(api, "SELECT nothing", StatementName="list-c")
    found = api.list_statements(StatementName="list-")["Statements"]
    assert [entry["StatementName"] for entry in found] == ["list-c", "list-b", "list-a"]
    assert found[1]["Id"] == made[1]
    assert (found[1]["QueryString"], found[1]["IsBatchStatement"], found[1]["Status"]) == (
        "SELECT 1",
        False,
        "FINISHED",
    )
    (entry,) = api.list_statements(StatementName="list-", Status="FAILED")["Statements"]
    assert entry["Id"] == failed["Id"]
    page = api.list_statements(StatementName="list-", MaxResults=2)
    rest = api.list_statements(StatementName="list-", MaxResults=2, NextToken=page["NextToken"])
    assert [entry["StatementName"] for entry in rest["Statements"]] == ["list-a"]
    assert "NextToken" not in rest


def test_databases_schemas_and_tables_are_listed(api: Any, clean: "psycopg.Connection[Any]") -> None:
    clean.execute("CREATE TABLE api.\"Sites\" (id int NOT NULL, name varchar(10) DEFAULT 'x', area decimal(8, 2))")
    clean.execute("CREATE VIEW api.names AS SELECT 1 AS one")
    assert api.list_databases(**WORKGROUP)["Databases"] == ["telemetry"]
    schemas = api.list_schemas(**WORKGROUP)["Schemas"]
    assert {"api", "information_schema", "pg_catalog", "public"} <= set(schemas)
    assert not [name for name in schemas if "redshift" in name or "toast" in name]
    assert api.list_schemas(SchemaPattern="ap%", **WORKGROUP)["Schemas"] == ["api"]
    tables = api.list_tables(SchemaPattern="api", **CLUSTER)["Tables"]
    # Redshift folds quoted names too.
    assert tables == [
        {"schema": "api", "name": "names", "type": "VIEW"},
        {"schema": "api", "name": "sites", "type": "TABLE"},
    ]
    assert api.list_tables(TablePattern="nam__", SchemaPattern="api", **WORKGROUP)["Tables"] == tables[:1]
    page = api.list_tables(SchemaPattern="api", MaxResults=1, **WORKGROUP)
    assert page["Tables"] == tables[:1]
    following = api.list_tables(SchemaPattern="api", MaxResults=1, NextToken=page["NextToken"], **WORKGROUP)
    assert following["Tables"] == tables[1:]

    described = api.describe_table(Schema="api", Table="sites", **WORKGROUP)
    assert described["TableName"] == "sites"
    columns = [
        (found["name"], found["typeName"], found["length"], found["scale"], found["nullable"])
        for found in described["ColumnList"]
    ]
    assert columns == [("id", "int4", 10, 0, 0), ("name", "varchar", 10, 0, 1), ("area", "numeric", 8, 2, 1)]
    assert "'x'" in described["ColumnList"][1]["columnDefault"]


@pytest.fixture
def reader(local_warehouse: LocalWarehouse) -> Iterator[str]:
    """A database user with a password, `Readers0nly`."""
    with psycopg.connect(local_warehouse.postgres.dsn("telemetry"), autocommit=True) as superuser:
        superuser.execute("CREATE ROLE api_reader LOGIN PASSWORD 'Readers0nly'")
        yield "api_reader"
        superuser.execute("DROP ROLE api_reader")


def test_who_signs_in_with_temporary_credentials(api: Any, reader: str) -> None:
    executed(api, "CREATE TABLE api.secret (a int)")
    assert values(api, "SELECT current_user") == [["pipeline"]]
    as_reader = CLUSTER | {"DbUser": reader}
    assert values(api, "SELECT current_user", as_reader) == [[reader]]
    assert executed(api, "SELECT * FROM api.secret", as_reader)["Error"].startswith("ERROR: permission denied")
    unknown = executed(api, "SELECT 1", CLUSTER | {"DbUser": "nobody"})
    assert (unknown["Status"], unknown["Error"]) == ("FAILED", 'FATAL: user "nobody" does not exist')
    assert unknown["DbUser"] == "nobody"


def test_who_signs_in_with_a_secret(api: Any, reader: str, local_warehouse: LocalWarehouse) -> None:
    options = local_warehouse.emulator.client_options
    secrets: Any = boto3.client("secretsmanager", **options)  # type: ignore[call-overload]  # options in a dict

    def secret(**held: str) -> dict[str, str]:
        made = secrets.create_secret(Name=f"api/{len(held)}{held['password']}", SecretString=json.dumps(held))
        return CLUSTER | {"SecretArn": made["ARN"]}

    right = secret(username=reader, password="Readers0nly", dbClusterIdentifier="telemetry")
    assert values(api, "SELECT current_user", right) == [[reader]]
    wrong = executed(api, "SELECT 1", secret(username=reader, password="wrong"))
    assert wrong["Status"] == "FAILED"
    assert "password authentication failed" in wrong["Error"]
    other = secret(username=reader, password="x", dbClusterIdentifier="other")
    assert "does not match" in refused(api.execute_statement, Sql="SELECT 1", **other)[1]
    missing = right | {"SecretArn": right["SecretArn"] + "x"}
    assert "can't find the specified secret" in refused(api.execute_statement, Sql="SELECT 1", **missing)[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"Database": "telemetry"}, "Exactly one of ClusterIdentifier and WorkgroupName"),
        (WORKGROUP | CLUSTER, "Exactly one of ClusterIdentifier and WorkgroupName"),
        ({"WorkgroupName": "telemetry"}, "Database must be specified"),
        ({"WorkgroupName": "nowhere", "Database": "telemetry"}, "Redshift endpoint doesn't exist in this region."),
        (WORKGROUP | {"DbUser": "reader"}, "DbUser cannot be specified with a serverless workgroup"),
        (CLUSTER | {"DbUser": "reader", "SecretArn": "x"}, "Only one of SecretArn and DbUser"),
        (WORKGROUP | {"Sql": " "}, "SQL statement is empty"),
        (WORKGROUP | {"Sql": f"SELECT '{'x' * 102_400}'"}, "Cannot process query string larger than 100kB"),
        (WORKGROUP | {"WithEvent": True}, "not supported by the local Data API: WithEvent"),
        (WORKGROUP | {"ResultFormat": "XML"}, "enum value set: [JSON, CSV]"),
        (WORKGROUP | {"SessionKeepAliveSeconds": 86_401}, "value less than or equal to 86400"),
        (WORKGROUP | {"ClientToken": "x" * 65}, "length less than or equal to 64"),
        (WORKGROUP | {"SessionId": "mine"}, "regular expression pattern"),
        (WORKGROUP | {"WaitTimeSeconds": 31}, "value less than or equal to 30"),
    ],
)
def test_requests_that_are_refused(api: Any, options: dict[str, Any], message: str) -> None:
    code, told = refused(api.execute_statement, **({"Sql": "SELECT 1"} | options))
    assert code == "ValidationException"
    assert message in told


def test_a_batch_has_forty_statements_at_most(api: Any) -> None:
    code, told = refused(api.batch_execute_statement, Sqls=["SELECT 1"] * 41, **WORKGROUP)
    assert (code, "less than or equal to 40" in told) == ("ValidationException", True)


def test_what_is_not_there(api: Any) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    for call in (api.describe_statement, api.get_statement_result, api.cancel_statement):
        assert refused(call, Id=unknown) == ("ResourceNotFoundException", "Query does not exist.")
    done = batch(api, "SELECT 1")
    assert refused(api.describe_statement, Id=f"{done['Id']}:2")[0] == "ResourceNotFoundException"
    assert refused(api.get_statement_result, Id=done["Id"])[0] == "ValidationException"
    other = executed(api, "SELECT 1", WORKGROUP | {"Database": "registry"})
    assert (other["Status"], other["Error"]) == ("FAILED", 'FATAL: database "registry" does not exist')
    code, _ = refused(api.list_tables, **(WORKGROUP | {"Database": "registry"}))
    assert code == "DatabaseConnectionException"


def test_a_row_of_more_than_64_kb_is_too_large(api: Any) -> None:
    fits = executed(api, "SELECT repeat('x', 65536)")
    assert (fits["Status"], fits["ResultSize"]) == ("FINISHED", 65536)
    found = executed(api, "SELECT repeat('x', 65000) AS a, repeat('y', 537) AS b")
    assert found["Status"] == "FAILED"
    assert "Packet for query is too large" in found["Error"]


def test_copy_and_unload_run_through_it(api: Any, local_warehouse: LocalWarehouse) -> None:
    url = local_warehouse.put("data-api/part.parquet", pa.table({"a": pa.array([1, 2, 3], pa.int32())}))
    executed(api, "CREATE TABLE api.t (a int)")
    copied = executed(api, f"COPY api.t FROM '{url}' IAM_ROLE '{ROLE}' FORMAT AS PARQUET")
    assert copied["Status"] == "FINISHED", copied.get("Error")
    assert values(api, "SELECT sum(a) FROM api.t") == [[6]]


def test_permissions_and_whose_statements_they_are(api: Any, local_warehouse: LocalWarehouse) -> None:
    """ "Authorizing access to the Amazon Redshift Data API": by action; a statement is its caller's alone."""
    options = local_warehouse.emulator.client_options
    iam: Any = boto3.client("iam", **options)  # type: ignore[call-overload]  # options in a dict
    iam.create_user(UserName="data-api")
    key = iam.create_access_key(UserName="data-api")["AccessKey"]
    signed = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    other: Any = boto3.client("redshift-data", **(options | signed))
    assert refused(other.execute_statement, Sql="SELECT 1", **WORKGROUP)[0] == "AccessDeniedException"
    allowed = {"Effect": "Allow", "Action": ["redshift-data:Execute*", "redshift-data:Describe*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="data-api", PolicyName="run", PolicyDocument=policy)
    made = executed(other, "SELECT 1")
    assert made["Status"] == "FINISHED"
    assert refused(other.get_statement_result, Id=made["Id"])[0] == "AccessDeniedException"
    assert refused(api.describe_statement, Id=made["Id"])[0] == "ResourceNotFoundException"
    assert made["Id"] not in [found["Id"] for found in api.list_statements()["Statements"]]
