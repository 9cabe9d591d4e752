"""SHOW DATABASES, SCHEMAS, TABLES, COLUMNS, CONSTRAINTS, GRANTS, PROCEDURES and FUNCTIONS: the rows of our views.

Sources, below https://docs.aws.amazon.com/redshift/latest/dg/: r_SHOW_DATABASES.html, r_SHOW_SCHEMAS.html,
r_SHOW_TABLES.html, r_SHOW_COLUMNS.html, r_SHOW_CONSTRAINTS.html, r_SHOW_GRANTS.html, r_SHOW_PROCEDURES.html,
r_SHOW_FUNCTIONS.html, r_SHOW_PARAMETERS.html. Drivers send names as parameters (`$1`).
"""

import re

_PART = r'(?:"[^"]++"|\$ \d++|[\w#]++)'
_LIKE = r"(?: LIKE (?P<like>'[^']*+(?:''[^']*+)*+'|\$ \d++))?(?: LIMIT (?P<limit>\d{1,5}))?"
_SCHEMA = rf"(?:(?P<database>{_PART}) \. )?(?P<schema>{_PART})"
_TABLE = rf"(?:(?:(?P<database>{_PART}) \. )?(?P<schema>{_PART}) \. )?(?P<table>{_PART})"

# The form, the view, what LIKE is of, and what the columns' names begin with.
_SHOWN: tuple[tuple[str, str, str, str], ...] = (
    (rf"SHOW DATABASES{_LIKE}", "databases", "database_name", ""),
    (rf"SHOW SCHEMAS FROM DATABASE (?P<database>{_PART}){_LIKE}", "schemas", "schema_name", ""),
    (rf"SHOW TABLES FROM SCHEMA {_SCHEMA}{_LIKE}", "tables", "table_name", ""),
    (rf"SHOW COLUMNS FROM TABLE {_TABLE}{_LIKE}", "columns", "column_name", ""),
    (rf"SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE {_TABLE}{_LIKE}", "primary_keys", "column_name", ""),
    (rf"SHOW CONSTRAINTS FOREIGN KEYS FROM TABLE {_TABLE}{_LIKE}", "foreign_keys", "fk_column_name", "fk_"),
    (rf"SHOW CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE {_TABLE}{_LIKE}", "foreign_keys", "pk_column_name", "pk_"),
    (rf"SHOW GRANTS ON TABLE {_TABLE}{_LIKE}", "grants", "identity_name", ""),
    (rf"SHOW COLUMN GRANTS ON TABLE {_TABLE}{_LIKE}", "column_grants", "column_name", ""),
    (rf"SHOW PROCEDURES FROM SCHEMA {_SCHEMA}{_LIKE}", "procedures", "procedure_name", ""),
    (rf"SHOW FUNCTIONS FROM SCHEMA {_SCHEMA}{_LIKE}", "functions", "function_name", ""),
    (r"SHOW PARAMETERS OF PROCEDURE .+", "procedure_parameters", "parameter_name", ""),
    (r"SHOW PARAMETERS OF FUNCTION .+", "function_parameters", "parameter_name", ""),
)
_COMPILED = tuple((re.compile(shown[0], re.IGNORECASE | re.DOTALL), *shown[1:]) for shown in _SHOWN)
_COLUMNS = {"database": "database_name", "schema": "schema_name", "table": "table_name"}
# The view's order is that of the guide's examples.
_FROM = "SELECT * FROM pg_catalog.redshift_show_{view}"


def show_sql(text: str) -> str | None:
    """PostgreSQL's query for a SHOW of objects, given as its words joined by blanks; None if it is none."""
    for pattern, view, like, prefix in _COMPILED:
        if match := pattern.fullmatch(text):
            return _query(match, view, like, prefix)
    return None


def _query(match: re.Match[str], view: str, like: str, prefix: str) -> str:
    found = match.groupdict()
    conditions = [
        f"{prefix}{column} = {_value(found[group])}" for group, column in _COLUMNS.items() if found.get(group)
    ]
    if found.get("like"):
        pattern = found["like"]
        conditions.append(f"{like} LIKE {pattern.replace(' ', '') if pattern.startswith('$') else pattern}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    limit = f" LIMIT {found['limit']}" if found.get("limit") else ""
    return _FROM.format(view=view) + where + limit


def _value(name: str) -> str:
    """A name as a text; a parameter stays one."""
    if name.startswith("$ "):
        return name.replace(" ", "")
    bare = name[1:-1] if name.startswith('"') else name.lower()
    return "'" + bare.replace("'", "''") + "'"
