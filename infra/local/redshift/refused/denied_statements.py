"""The deny-list of whole statements: name, page, message, first words.

The pages are below https://docs.aws.amazon.com/redshift/latest/dg/.

The patterns match the statement's words joined by single blanks, without comments, from its start, in any case.
"""

import re
from dataclasses import dataclass

from infra.local.redshift.unsupported import UnsupportedError

_FEATURES = "c_unsupported-postgresql-features.html"
_TYPES = "c_unsupported-postgresql-datatypes.html"
_FUNCTIONS = "c_unsupported-postgresql-functions.html"
_COMMANDS = "c_SQL_commands.html"
_CREATE = r"CREATE (OR REPLACE )?"


@dataclass(frozen=True)
class DeniedStatement:
    """A statement Redshift rejects, the page that says so, the message, and its first words as a pattern."""

    name: str
    page: str
    message: str
    pattern: str


DENIED_STATEMENTS: tuple[DeniedStatement, ...] = tuple(
    DeniedStatement(*row)
    for row in (
        ("index", _FEATURES, "indexes; use SORTKEY", r"(CREATE (UNIQUE )?|DROP |ALTER |RE)INDEX\b"),
        ("trigger", _FEATURES, "triggers", rf"({_CREATE}(CONSTRAINT )?|DROP |ALTER )(EVENT )?TRIGGER\b"),
        ("rule", _COMMANDS, "rules", rf"({_CREATE}|DROP |ALTER )RULE\b"),
        ("sequence", _FEATURES, "sequences; use IDENTITY", r"(CREATE (TEMP |TEMPORARY )?|DROP |ALTER )SEQUENCE\b"),
        ("type", _TYPES, "enumerated, composite and range types", r"(CREATE|DROP|ALTER) TYPE\b"),
        ("domain", _TYPES, "domains", r"(CREATE|DROP|ALTER) DOMAIN\b"),
        ("extension", _FEATURES, "extensions", r"(CREATE|DROP|ALTER) EXTENSION\b"),
        ("aggregate", _COMMANDS, "user-defined aggregates", rf"({_CREATE}|DROP |ALTER )AGGREGATE\b"),
        (
            "operator",
            _COMMANDS,
            "user-defined operators and casts",
            r"(CREATE|DROP|ALTER) (OPERATOR|CAST|COLLATION|CONVERSION)\b",
        ),
        (
            "tablespace",
            _FEATURES,
            "tablespaces",
            r"(CREATE|DROP|ALTER) TABLESPACE\b|CREATE (TEMP |TEMPORARY )?TABLE\b.* TABLESPACE\b",
        ),
        (
            "foreign data",
            _FEATURES,
            "SQL/MED; use external schemas",
            r"(CREATE|DROP|ALTER|IMPORT) (FOREIGN|SERVER|USER MAPPING)\b",
        ),
        ("text search", _FEATURES, "full text search", r"(CREATE|DROP|ALTER) TEXT SEARCH\b"),
        ("publication", _COMMANDS, "logical replication", r"(CREATE|DROP|ALTER) (PUBLICATION|SUBSCRIPTION)\b"),
        ("policy", _COMMANDS, "PostgreSQL's policies; use RLS POLICY", r"(CREATE|DROP|ALTER) POLICY\b"),
        ("statistics", _COMMANDS, "extended statistics; use ANALYZE", r"(CREATE|DROP|ALTER) STATISTICS\b"),
        ("savepoint", _FUNCTIONS, "savepoints", r"(SAVEPOINT|RELEASE|ROLLBACK (WORK |TRANSACTION )?TO)\b"),
        ("two-phase commit", _COMMANDS, "two-phase commit", r"(PREPARE TRANSACTION|(COMMIT|ROLLBACK) PREPARED)\b"),
        ("chain", "r_COMMIT.html", "AND CHAIN", r"(COMMIT|ROLLBACK|END|ABORT)( WORK| TRANSACTION)? AND\b"),
        (
            "set transaction",
            "r_SET.html",
            "SET TRANSACTION; use BEGIN ISOLATION LEVEL ...",
            r"SET (LOCAL |SESSION )?(TRANSACTION|CHARACTERISTICS)\b",
        ),
        ("set constraints", _FEATURES, "deferrable constraints", r"SET CONSTRAINTS\b"),
        ("deferrable", "r_BEGIN.html", "DEFERRABLE transactions", r"(BEGIN|START)\b.* DEFERRABLE\b"),
        ("listen", _COMMANDS, "LISTEN, UNLISTEN and NOTIFY", r"(LISTEN|UNLISTEN|NOTIFY)\b"),
        ("do", _COMMANDS, "anonymous blocks; use CREATE PROCEDURE", r"DO\b"),
        ("copy to", "r_COPY.html", "COPY ... TO; use UNLOAD", r"COPY\b.* TO (STDOUT|PROGRAM|')"),
        (
            "copy from stdin",
            "copy-parameters-data-source.html",
            "COPY FROM STDIN; copy from S3",
            r"COPY\b.* FROM (STDIN|PROGRAM)\b",
        ),
        ("cluster", _COMMANDS, "CLUSTER; use SORTKEY and VACUUM", r"CLUSTER\b"),
        ("checkpoint", _COMMANDS, "CHECKPOINT, DISCARD, LOAD", r"(CHECKPOINT|DISCARD|LOAD)\b"),
        ("reassign", _COMMANDS, "REASSIGN OWNED and DROP OWNED", r"(REASSIGN|DROP) OWNED\b"),
        ("security label", _COMMANDS, "SECURITY LABEL", r"SECURITY LABEL\b"),
        (
            "explain analyze",
            "r_EXPLAIN.html",
            "EXPLAIN ANALYZE and options; EXPLAIN [VERBOSE] alone",
            r"EXPLAIN (\(|ANALYZE\b|ANALYSE\b)",
        ),
        (
            "vacuum options",
            "r_VACUUM_command.html",
            "VACUUM (options), FREEZE, ANALYZE",
            r"VACUUM (\(|FREEZE\b|VERBOSE\b|ANALYZE\b)",
        ),
        ("lock mode", "r_LOCK.html", "LOCK ... IN ... MODE and NOWAIT", r"LOCK\b((?>.*? IN \w).* MODE|.* NOWAIT)\b"),
        (
            "truncate options",
            "r_TRUNCATE.html",
            "TRUNCATE takes one table",
            r"TRUNCATE\b.*( CASCADE\b| RESTRICT\b| IDENTITY\b| ,)",
        ),
        ("unlogged", "r_CREATE_TABLE_NEW.html", "UNLOGGED tables", r"CREATE UNLOGGED\b"),
        (
            "partition of",
            _FEATURES,
            "table partitioning",
            r"CREATE TABLE\b.* PARTITION (OF|BY)\b|ALTER TABLE\b.* (ATTACH|DETACH) PARTITION\b",
        ),
        ("inherits", _FEATURES, "table inheritance", r"(CREATE|ALTER) TABLE\b.* INHERIT(S)?\b"),
        (
            "create table or replace",
            "r_CREATE_TABLE_NEW.html",
            "CREATE OR REPLACE TABLE",
            r"CREATE OR REPLACE (TEMP |TEMPORARY )?TABLE\b",
        ),
        (
            "exclude",
            _FEATURES,
            "exclusion constraints",
            r"(CREATE|ALTER) (TEMP |TEMPORARY )?TABLE\b.* EXCLUDE (USING|\()",
        ),
        (
            "deferrable constraint",
            _FEATURES,
            "DEFERRABLE constraints",
            r"(CREATE|ALTER) (TEMP |TEMPORARY )?TABLE\b.* (DEFERRABLE|INITIALLY)\b",
        ),
        (
            "generated",
            "r_CREATE_TABLE_NEW.html",
            "generated columns and GENERATED ALWAYS",
            r"CREATE (TEMP |TEMPORARY )?TABLE\b.* GENERATED ALWAYS\b",
        ),
        (
            "storage parameters",
            "r_CREATE_TABLE_NEW.html",
            "WITH (storage parameters)",
            r"CREATE (TEMP |TEMPORARY )?TABLE\b.* WITH \(",
        ),
        ("temporary view", "r_CREATE_VIEW.html", "temporary views", r"CREATE (OR REPLACE )?(TEMP|TEMPORARY) VIEW\b"),
        ("on commit", "r_CREATE_TABLE_NEW.html", "ON COMMIT", r"CREATE (TEMP |TEMPORARY )?TABLE\b.* ON COMMIT\b"),
        (
            "unnullable column",
            "r_ALTER_TABLE.html",
            "ALTER COLUMN ... SET/DROP NOT NULL and DEFAULT",
            r"ALTER TABLE\b.* ALTER (COLUMN )?\S+ (SET|DROP) (NOT|DEFAULT)\b",
        ),
        (
            "two actions",
            "r_ALTER_TABLE.html",
            "several actions in one ALTER TABLE",
            r"ALTER TABLE\b.* , (ADD|DROP|ALTER|RENAME)\b",
        ),
        (
            "add if not exists",
            "r_ALTER_TABLE.html",
            "ADD COLUMN IF NOT EXISTS",
            r"ALTER TABLE\b.* ADD (COLUMN )?IF NOT EXISTS\b",
        ),
        (
            "using of alter type",
            "r_ALTER_TABLE.html",
            "ALTER COLUMN TYPE ... USING",
            r"ALTER TABLE\b(?>.*? TYPE\b).* USING\b",
        ),
    )
)
_COMPILED = tuple((entry, re.compile(entry.pattern, re.IGNORECASE | re.DOTALL)) for entry in DENIED_STATEMENTS)


def check_denied_statement(words: list[str]) -> None:
    """Raise UnsupportedError for a statement of the deny-list, given as its words without comments."""
    text = " ".join("''" if word[0] in "'$" and word[-1] in "'$" else word for word in words)
    if words[0].upper() == "CREATE":
        text = re.split(r" AS ", text, maxsplit=1, flags=re.IGNORECASE)[0]
    for entry, pattern in _COMPILED:
        if pattern.match(text):
            raise UnsupportedError(f"not supported by Redshift: {entry.message} ({entry.page})")
