"""Statements that are no queries: each pattern of words and what PostgreSQL gets.

The patterns match a statement's words joined by single blanks, in any case. Source of each form: its page below
https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html. What matches none is no statement we know.

Texts may be long: a pattern that looks for one word after another holds on to one place of the first, as in
`(?>.+? ON )`, and does not look for the second from each of its places.
"""

import re
from collections.abc import Callable

from infra.local.redshift.sql.show import show_sql
from infra.local.redshift.sql.table_notes import added_sql, altered_sql
from infra.local.redshift.unsupported import LOCAL, UnsupportedError

_PART = r'(?:"[^"]++"|[\w$#]++)'
_NAME = rf"{_PART}(?: \. {_PART}){{0,2}}"
_WORK = r"(?: WORK| TRANSACTION)?"
_GRANTEE = rf"(?:GROUP |ROLE )?{_NAME}"
# Settings of Redshift alone: kept as PostgreSQL's custom settings, so that SHOW and RESET work.
_OWN_SETTINGS = (
    "query_group|wlm_query_slot_count|enable_result_cache_for_session|analyze_threshold_percent|mv_enable_aqmv_for_session|"
    "error_on_nondeterministic_update|describe_field_name_in_uppercase|json_serialization_enable|spectrum_enable_pseudo_columns|"
    "enable_vacuum_boost|max_cursor_result_set_size|auto_analyze|use_fips_ssl|stored_proc_log_min_messages"
)
# What they are where nobody has set them: the page of each, below cm_chap_ConfigurationRef.html.
_DEFAULTS_SHOWN = {
    "query_group": "unset",
    "wlm_query_slot_count": "1",
    "enable_result_cache_for_session": "on",
    "analyze_threshold_percent": "10",
}
_PG_SETTINGS = (
    "search_path|datestyle|timezone|time zone|statement_timeout|extra_float_digits|application_name|client_encoding"
)
_KEYED = (
    rf"DISTKEY {_PART}|DISTSTYLE (?:AUTO|ALL|EVEN|KEY DISTKEY {_PART})|(?:COMPOUND )?SORTKEY (?:AUTO|NONE|\( .* \))"
)
_KEYED += rf"|ENCODE AUTO|COLUMN {_PART} ENCODE \w+"

Turn = str | Callable[[re.Match[str]], str]


_LEVEL = r" ISOLATION LEVEL (?:SERIALIZABLE|SNAPSHOT|READ COMMITTED|READ UNCOMMITTED|REPEATABLE READ)"
_BEGUN = rf"(?:BEGIN|START){_WORK}(?P<options>(?:{_LEVEL}| READ WRITE| READ ONLY| ,)*)"
_CASE = r"enable_case_sensitive_(?:identifier|super_attribute)"
_VACUUMED = r"VACUUM(?: FULL| SORT ONLY| DELETE ONLY| REINDEX| RECLUSTER)?"
_ANALYZED = rf"(?:ANALYZE|ANALYSE)(?: VERBOSE)?(?P<table> {_NAME}(?: \( .* \))?)?"
_QUOTA = r"(?P<quota> QUOTA (?:\d+ (?:MB|GB|TB)|UNLIMITED))?"
_KEY_ADDED = rf"(?:CONSTRAINT {_PART} )?(?:PRIMARY KEY|UNIQUE|FOREIGN KEY) \(.*"
_WIDENED = rf"ALTER COLUMN (?P<column>{_PART}) TYPE (?:VARCHAR|CHARACTER VARYING) \( (?P<size>\d+) \)"
_SIGN_IN = r"(?P<password>'(?:[^']|'')*'|DISABLE)"
_DEFAULT = r"(?:SELECT|INSERT|UPDATE|DELETE|REFERENCES|EXECUTE|ALL)"
_DEFAULTS = rf"{_DEFAULT}(?: , {_DEFAULT})* ON (?:TABLES|FUNCTIONS)"
_DEFAULTS_OF = rf"ALTER DEFAULT PRIVILEGES(?: FOR USER {_PART}(?: , {_PART})*+)?(?: IN SCHEMA {_PART}(?: , {_PART})*+)?"
_TRUNCATE = "CALL pg_catalog.redshift_truncate_commits_and_is_refused_in_a_transaction"
_SAME = r"\g<0>"
_TRUNCATED = rf"TRUNCATE(?: TABLE)? (?P<table>{_NAME})"

_FORMS: tuple[tuple[str, Turn], ...] = (
    # Transactions: r_BEGIN, r_COMMIT, r_END, r_ROLLBACK, r_ABORT.
    (_BEGUN, lambda m: "BEGIN" + m["options"].upper().replace("LEVEL SNAPSHOT", "LEVEL REPEATABLE READ")),
    (rf"(?:COMMIT|END){_WORK}", "COMMIT"),
    (rf"(?:ROLLBACK|ABORT){_WORK}", "ROLLBACK"),
    # Settings: r_SET, r_RESET, r_SHOW. Names that tell upper from lower case are refused: nothing here would.
    (rf"SET (?:SESSION |LOCAL )?(?P<name>{_OWN_SETTINGS}) (?:TO|=) (?P<to>.+)", r"SET redshift.\g<name> TO \g<to>"),
    (rf"RESET (?P<name>{_OWN_SETTINGS})", r"RESET redshift.\g<name>"),
    (rf"SHOW (?P<name>{'|'.join(_DEFAULTS_SHOWN)})", lambda m: _shown(m["name"].lower())),
    (rf"SHOW (?P<name>{_OWN_SETTINGS})", r"SHOW redshift.\g<name>"),
    (rf"SET (?:SESSION |LOCAL )?{_CASE} (?:TO|=) (?:false|off|0|DEFAULT)", "SET redshift.case TO 'off'"),
    (rf"SET (?:SESSION |LOCAL )?(?:{_PG_SETTINGS})(?: TO| =)? .+", _SAME),
    (rf"(?:RESET|SHOW) (?:{_PG_SETTINGS}|ALL)", _SAME),
    # What drivers ask for; the isolation level is Redshift's (r_BEGIN), whatever PostgreSQL's is.
    (r"SHOW TRANSACTION(?: |_)ISOLATION(?: LEVEL)?", "SELECT 'serializable' AS transaction_isolation"),
    (r"SHOW SERVER_VERSION", "SELECT '8.0.2' AS server_version"),
    (
        r"SHOW (?:standard_conforming_strings|server_encoding|max_identifier_length|is_superuser)",
        _SAME,
    ),
    (rf"USE {_NAME}", "SET redshift.use TO 'on'"),
    (r"RESET USE", "SET redshift.use TO 'off'"),
    # Upkeep: VACUUM and ANALYZE are PostgreSQL's own; TRUNCATE beside other statements is refused in a transaction.
    (rf"{_VACUUMED}(?P<table> {_NAME})?(?: TO \d+ PERCENT)?(?: BOOST)?", r"VACUUM\g<table>"),
    (rf"{_ANALYZED}(?: PREDICATE COLUMNS| ALL COLUMNS)?", r"ANALYZE\g<table>"),
    (_TRUNCATED, lambda m: f"{_TRUNCATE}({_quoted(m['table'])})"),
    (rf"LOCK(?: TABLE)? (?P<tables>{_NAME}(?: , {_NAME})*)", r"LOCK TABLE \g<tables>"),
    # Objects.
    (
        rf"CREATE SCHEMA(?: IF NOT EXISTS)? {_PART}(?: AUTHORIZATION {_PART})?{_QUOTA}",
        lambda m: m.group(0).removesuffix(m["quota"] or ""),
    ),
    (rf"ALTER SCHEMA {_PART} (?:RENAME|OWNER) TO {_PART}", _SAME),
    (rf"DROP SCHEMA(?: IF EXISTS)? {_PART}(?: , {_PART})*(?: CASCADE| RESTRICT)?", _SAME),
    (
        rf"DROP (?:TABLE|VIEW)(?: IF EXISTS)? {_NAME}(?: , {_NAME})*(?: CASCADE| RESTRICT)?",
        lambda m: _quote_hash(m.group(0)),
    ),
    (rf"COMMENT ON (?:TABLE|VIEW|COLUMN|SCHEMA|DATABASE) {_NAME}(?: \. {_PART})? IS (?:'.*'|NULL|\$.*\$)", _SAME),
    (
        rf"GRANT (?>.+? ON )(?>.+ TO ){_GRANTEE}(?: WITH GRANT OPTION)?(?: , {_GRANTEE})*",
        lambda m: _without_role(m.group(0)),
    ),
    (rf"REVOKE (?>.+? ON )(?>.+ FROM ){_GRANTEE}(?: , {_GRANTEE})*(?: RESTRICT)?", lambda m: _without_role(m.group(0))),
    # Users: r_CREATE_USER, r_ALTER_USER, r_DROP_USER, r_ALTER_DEFAULT_PRIVILEGES; without their options.
    (rf"CREATE USER (?P<user>{_PART})(?: WITH)? PASSWORD {_SIGN_IN}", lambda m: "CREATE ROLE" + _with_password(m)),
    (rf"ALTER USER (?P<user>{_PART})(?: WITH)? PASSWORD {_SIGN_IN}", lambda m: "ALTER ROLE" + _with_password(m)),
    (rf"DROP USER(?: IF EXISTS)? {_PART}(?: , {_PART})*", _SAME),
    (
        rf"{_DEFAULTS_OF} (?:GRANT {_DEFAULTS} TO|REVOKE {_DEFAULTS} FROM) {_GRANTEE}(?: , {_GRANTEE})*",
        lambda m: _without_role(m.group(0)),
    ),
    # r_ALTER_TABLE: keys and encodings are noted and not enforced; the rest is PostgreSQL's.
    (rf"ALTER TABLE (?P<table>{_NAME}) ALTER (?P<to>{_KEYED})", lambda m: altered_sql(m["table"], m["to"].split())),
    (rf"ALTER TABLE (?P<table>{_NAME}) ADD (?P<key>{_KEY_ADDED})", lambda m: added_sql(m["table"], m["key"])),
    (rf"ALTER TABLE {_NAME} DROP CONSTRAINT {_PART}(?: CASCADE| RESTRICT)?", _SAME),
    (rf"ALTER TABLE {_NAME} (?:RENAME TO|OWNER TO|SET SCHEMA) {_PART}", _SAME),
    (rf"ALTER TABLE {_NAME} RENAME COLUMN {_PART} TO {_PART}", _SAME),
    (rf"ALTER TABLE {_NAME} DROP (?:COLUMN )?(?!CONSTRAINT){_PART}(?: CASCADE| RESTRICT)?", _SAME),
    (rf"ALTER TABLE (?P<table>{_NAME}) {_WIDENED}", r"ALTER TABLE \g<table> ALTER \g<column> TYPE varchar(\g<size>)"),
    # Cursors (declare.html) and cancelling.
    (rf"FETCH (?:NEXT|ALL|FORWARD(?: ALL| \d+)?|\d+) FROM {_PART}", _SAME),
    (rf"CLOSE {_PART}", _SAME),
    (r"CANCEL (?P<pid>\d+)(?: '.*')?", r"SELECT pg_cancel_backend(\g<pid>)"),
)
# What Redshift has and nobody needed here.
_NOT_OURS = (
    (r"(?:ANALYZE|ANALYSE) COMPRESSION\b.*", "ANALYZE COMPRESSION"),
    (
        r"(?:CREATE|ALTER|DROP|REFRESH) MATERIALIZED VIEW\b.*",
        "materialized views; use a view, or a table that is made anew",
    ),
    (
        r"(?:CREATE|ALTER|DROP) EXTERNAL (?:SCHEMA|TABLE|VIEW|FUNCTION|MODEL)\b.*",
        "external schemas, tables and functions (Spectrum); use COPY, or ask Athena",
    ),
    (
        r"(?:CREATE|ALTER|DROP)(?: OR REPLACE)? (?:FUNCTION|PROCEDURE)\b.*|CALL .*",
        "stored procedures and user-defined functions; send their statements",
    ),
    (rf"ALTER TABLE {_NAME} APPEND FROM .*", "ALTER TABLE APPEND; insert from a select, then delete"),
)
_REFUSED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), what) for pattern, what in _NOT_OURS)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), turn) for pattern, turn in _FORMS)


def truncated_table(words: list[str]) -> str | None:
    """The table of a TRUNCATE, as PostgreSQL names it; None if the statement is none."""
    match = re.fullmatch(_TRUNCATED, " ".join(words), re.IGNORECASE)
    return _quote_hash(match["table"]).replace(" . ", ".") if match else None


def translate_utility(words: list[str]) -> str | None:
    """PostgreSQL's text for a statement that is no query, or None if none of the forms fits.

    Raises UnsupportedError for forms that are Redshift's and not ours.
    """
    text = " ".join(words)
    for pattern, what in _REFUSED:
        if pattern.fullmatch(text):
            raise UnsupportedError(LOCAL + what)
    if shown := show_sql(text):
        return shown
    for pattern, turn in _COMPILED:
        match = pattern.fullmatch(text)
        if match:
            return match.expand(turn) if isinstance(turn, str) else turn(match)
    return None


def _shown(name: str) -> str:
    value = f"nullif(current_setting('redshift.{name}', true), '')"
    return f"SELECT coalesce({value}, '{_DEFAULTS_SHOWN[name]}') AS {name}"


def _with_password(match: re.Match[str]) -> str:
    """PostgreSQL's user is a role that may sign in; one without a password cannot."""
    password = "NULL" if match["password"].upper() == "DISABLE" else match["password"]
    return f" {match['user']} LOGIN PASSWORD {password}"


def _without_role(text: str) -> str:
    """PostgreSQL knows GROUP before a grantee, but not ROLE."""
    return re.sub(r"(\bTO|\bFROM|,) ROLE ", r"\1 ", text, flags=re.IGNORECASE)


def _quoted(name: str) -> str:
    return "'" + _quote_hash(name).replace(" . ", ".").replace("'", "''") + "'"


def _quote_hash(text: str) -> str:
    return re.sub(r"(?<![\w\"])#\w+", r'"\g<0>"', text)
