"""Names, texts and columns of Hive's grammar (Apache Hive's LanguageManual, "Literals", "Identifiers")."""

import pytest

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.reading.glue_tables import escaped_in_path
from infra.local.athena.writing.hive_text import (
    TableName,
    column_list,
    name_parts,
    pairs,
    quoted_text,
    table_name,
    text_value,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Orders", ["orders"]),
        ("db.Orders", ["db", "orders"]),
        ("`my-db`.`my table`", ["my-db", "my table"]),
        ('"AwsDataCatalog"."db"."a""b"', ["awsdatacatalog", "db", 'a"b']),
        ("`a.b`.c", ["a.b", "c"]),
    ],
)
def test_names(text: str, parts: list[str]) -> None:
    assert name_parts(text) == parts


def test_a_tables_name() -> None:
    assert table_name("T", "now") == TableName("now", "t")
    assert table_name("awsdatacatalog.db.t", "now") == TableName("db", "t")
    assert table_name("`db.t`", "now") == TableName("db", "t"), "as SHOW CREATE TABLE writes it"
    with pytest.raises(UnsupportedError, match="catalog other"):
        table_name("other.db.t", "now")


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        ("'it''s'", "it's"),
        (r"'it\'s'", "it's"),
        (r'"a\"b"', 'a"b'),
        ('"a""b"', 'a"b'),
        (r"'\t\n\\'", "\t\n\\"),
        (r"'\001'", "\x01"),
        (r"'\u00fc'", "\u00fc"),
        (r"'50\%'", r"50\%"),
        ("''", ""),
    ],
)
def test_texts(quoted: str, value: str) -> None:
    assert text_value(quoted) == value


@pytest.mark.parametrize("value", ["it's", 'a"b', "a\\b", "\n", "\u00fc", ""])
def test_a_quoted_text_says_the_value(value: str) -> None:
    assert text_value(quoted_text(value)) == value


def test_columns() -> None:
    assert column_list(r"a INT, `b c` array<struct<x:int, y:string>> COMMENT 'it\'s, (1)', d decimal(10, 2)") == [
        {"Name": "a", "Type": "int"},
        {"Name": "b c", "Type": "array<struct<x:int,y:string>>", "Comment": "it's, (1)"},
        {"Name": "d", "Type": "decimal(10,2)"},
    ]
    for wrong in ("a", "a int COMENT 'x'", "a nonsense"):
        with pytest.raises(QueryError):
            column_list(wrong)


def test_properties() -> None:
    assert pairs("'a' = 'b, c', \"d\"='it''s'") == {"a": "b, c", "d": "it's"}
    with pytest.raises(QueryError, match="mismatched input"):
        pairs("'a' 'b'")


def test_a_value_in_a_path() -> None:
    """Hive's FileUtils.escapePathName: what a path cannot hold is escaped, and nothing else."""
    assert escaped_in_path("a/b:c=d%e\x01") == "a%2Fb%3Ac%3Dd%25e%01"
    assert escaped_in_path("a b,c\u00fc+.~") == "a b,c\u00fc+.~"
