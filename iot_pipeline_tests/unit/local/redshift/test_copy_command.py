"""COPY and UNLOAD as they are written: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html and r_UNLOAD.html."""

import pytest

from infra.local.redshift.copy.command import CopyCommand, UnloadCommand, parse_command
from infra.local.redshift.unsupported import UnsupportedError

ROLE = "arn:aws:iam::123456789012:role/path/copy"


@pytest.mark.parametrize(
    "sql", ["select 1", "-- copy\nselect 1", "/* copy t */ insert into copy values (1)", "", "copying"]
)
def test_other_statements(sql: str) -> None:
    assert parse_command(sql) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("lead", [" ", "\n", " \n\t", "--\n", "-- x\n ", "/**/", "/* x */ "], ids=repr)
def test_what_precedes_a_statement_is_skipped_in_linear_time(lead: str) -> None:
    """Thirty blanks took minutes once: each could be read in two ways."""
    many = lead * (1_000_000 // len(lead))
    assert parse_command(f"{many}select 1") is None
    command = parse_command(f"{many}copy t from 's3://b/' iam_role default format parquet")
    assert isinstance(command, CopyCommand)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            f"COPY Lake.Readings FROM 's3://b/p/q' IAM_ROLE '{ROLE}' FORMAT AS PARQUET",
            CopyCommand("lake", "readings", None, "b", "p/q", ROLE, serialize_to_json=False, fill_record=False),
        ),
        (
            "/* dbt */ copy t (a, \"B c\") from 's3://b/it''s' parquet iam_role default serializetojson;\n",
            CopyCommand(None, "t", ("a", "b c"), "b", "it's", "default", serialize_to_json=True, fill_record=False),
        ),
        (
            f"-- hourly\ncopy t from 's3://b/' format parquet statupdate off fillrecord iam_role '{ROLE},{ROLE}'",
            CopyCommand(None, "t", None, "b", "", f"{ROLE},{ROLE}", serialize_to_json=False, fill_record=True),
        ),
    ],
)
def test_copy(sql: str, expected: CopyCommand) -> None:
    assert parse_command(sql) == expected


def test_unload() -> None:
    query = r"select ''a'' as x, \'b\' as y, \'\\\\\' as z"
    sql = (
        f"unload ('{query}') to 's3://b/p_' iam_role default format as parquet partition by (x, y) include parallel off"
    )
    assert parse_command(sql) == UnloadCommand(
        "select 'a' as x, 'b' as y, '\\\\' as z",
        "b",
        "p_",
        "default",
        ("x", "y"),
        include=True,
        allow_overwrite=False,
        parallel=False,
    )


@pytest.mark.parametrize(
    ("sql", "message", "sqlstate"),
    [
        ("copy t from stdin", 'syntax error at or near "stdin"', "42601"),
        ("copy t from", "syntax error at end of input", "42601"),
        ("copy (select 1) to 's3://b/p'", 'near "("', "42601"),
        ("copy t from 'dynamodb://x' iam_role default parquet", "expected 's3://<bucket>/<prefix>'", "0A000"),
        ("copy t from 's3://b/p' parquet", "needs IAM_ROLE", "0A000"),
        ("copy t from 's3://b/p' iam_role 'arn:aws:iam::1:user/x' parquet", "Invalid IAM role ARN", "0A000"),
        ("copy t from 's3://b/p' iam_role default orc", "the format ORC", "0A000"),
        ("copy t from 's3://b/p' iam_role default parquet manifest", "MANIFEST of COPY", "0A000"),
        ("copy t from 's3://b/p' iam_role default parquet region 'x'", "REGION argument is not supported for", "0A000"),
        ("unload (select 1) to 's3://b/p' iam_role default parquet", 'near "select"', "42601"),
        ("unload ('select 1') to 's3://b/p' iam_role default parquet manifest", "MANIFEST of UNLOAD", "0A000"),
    ],
)
def test_what_is_refused(sql: str, message: str, sqlstate: str) -> None:
    with pytest.raises(UnsupportedError) as raised:
        parse_command(sql)
    assert message in raised.value.message
    assert raised.value.sqlstate == sqlstate
