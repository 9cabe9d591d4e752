"""CREATE TABLE and CREATE VIEW: what only Redshift has is taken away, what only PostgreSQL enforces too.

Sources, below https://docs.aws.amazon.com/redshift/latest/dg/: r_CREATE_TABLE_NEW.html, r_CREATE_TABLE_AS.html,
r_CREATE_VIEW.html and t_Defining_constraints.html (keys are informational: they are noted in the
catalog and never enforced; NOT NULL is, and a primary key implies it).
"""

from itertools import pairwise

from sqlglot import exp

from infra.local.redshift.sql.grammar import PostgresSql
from infra.local.redshift.sql.table_notes import Note, noted_sql
from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, UnsupportedError

_STYLES = frozenset({"AUTO", "EVEN", "KEY", "ALL"})
_ENCODINGS = frozenset(
    {"AUTO", "AZ64", "BYTEDICT", "DELTA", "DELTA32K", "LZO", "MOSTLY8", "MOSTLY16", "MOSTLY32", "RAW"}
    | {"RUNLENGTH", "TEXT255", "TEXT32K", "ZSTD"}
)
_KEYS = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint, exp.Constraint)
_COLUMN_KEYS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)


def without_attributes(words: list[str]) -> list[str]:
    """The words of a CREATE TABLE without DISTSTYLE, DISTKEY, SORTKEY, ENCODE and BACKUP.

    Raises UnsupportedError 42601 where an attribute's value is none of Redshift's, or its column is not in the table.
    """
    kept: list[str] = []
    named: list[str] = []
    at = depth = 0
    while at < len(words):
        word = words[at].upper()
        depth += (word == "(") - (word == ")")
        if word == "AS" and depth == 0:
            break
        length = 0 if words[at - 1] in ("(", ",") and depth == 1 else _attribute(words, at)
        if length:
            named += [name for name in words[at + 1 : at + length] if name not in "(,)" and words[at + 1] == "("]
            at += length
            continue
        kept.append(words[at])
        at += 1
    _check_columns(kept, named)
    return kept + words[at:]


def sort_column(words: list[str]) -> str | None:
    """The first column of a CREATE TABLE's sort key, as written; None without a list of them."""
    upper = [word.upper() for word in words]
    end = next((at for at, word in enumerate(upper) if word == "SELECT"), len(words))
    for at in range(end - 2):
        if upper[at] == "SORTKEY" and words[at + 1] == "(":
            return words[at + 2]
    return None


def made_with(create: exp.Create, column: str | None, noted: Note) -> str:
    """A block that makes a table, notes what PostgreSQL has no place for, and indexes the sort key's first column.

    Redshift skips blocks of a sorted table by their least and greatest values (t_Sorting_data.html); without
    an index each of an hour's few statements would read the whole table here.
    """
    schema = create.this
    table = (schema.this if isinstance(schema, exp.Schema) else schema).sql(dialect=PostgresSql)
    made = create.sql(dialect=PostgresSql, comments=False)
    quoted = [exp.Literal.string(text).sql(dialect=PostgresSql) for text in (table, made)]
    steps = [f"EXECUTE {quoted[1]}"]
    if column:
        steps.append(f"EXECUTE {exp.Literal.string(f'CREATE INDEX ON {table} ({column})').sql(dialect=PostgresSql)}")
    if noted:
        steps.append(noted_sql(table, noted))
    return (
        f"DO $made$ BEGIN IF to_regclass({quoted[0]}) IS NULL THEN {'; '.join(steps)}; "
        f"ELSE EXECUTE {quoted[1]}; END IF; END $made$"
    )


def _attribute(words: list[str], at: int) -> int:
    """How many words the attribute that begins here has; 0 if none does."""
    word, following = words[at].upper(), words[at + 1].upper() if at + 1 < len(words) else ""
    if word == "DISTSTYLE":
        return _one_of("DISTSTYLE", following, _STYLES)
    if word == "ENCODE":
        return _one_of("ENCODE", following, _ENCODINGS)
    if word == "BACKUP" and following in ("YES", "NO"):
        return 2
    if word in ("COMPOUND", "INTERLEAVED") and following == "SORTKEY":
        return 1
    if word == "SORTKEY" and following == "AUTO":
        return 2
    if word in ("DISTKEY", "SORTKEY"):
        return words.index(")", at) - at + 1 if following == "(" else 1
    return 0


def _one_of(name: str, value: str, allowed: frozenset[str]) -> int:
    if value not in allowed:
        raise UnsupportedError(f"{name} {value}: expected one of {', '.join(sorted(allowed))}", SYNTAX_ERROR)
    return 2


def _check_columns(kept: list[str], named: list[str]) -> None:
    if "(" not in kept or "LIKE" in (word.upper() for word in kept):
        return
    columns = {words_at.strip('"').lower() for before, words_at in pairwise(kept) if before in ("(", ",")}
    for name in named:
        if name.strip('"').lower() not in columns:
            raise UnsupportedError(f"DISTKEY or SORTKEY column {name} is not in the table", SYNTAX_ERROR)


def prepare_table(create: exp.Create) -> None:
    """Drop the keys of a CREATE TABLE (a primary key leaves NOT NULL), and make #name a temporary table."""
    schema = create.this
    table = schema.this if isinstance(schema, exp.Schema) else schema
    if table.name.startswith("#") and not create.find(exp.TemporaryProperty):
        create.set("properties", exp.Properties(expressions=[exp.TemporaryProperty()]))
    if not isinstance(schema, exp.Schema):
        return
    required = {column.name.lower() for key in schema.find_all(exp.PrimaryKey) for column in key.expressions}
    schema.set("expressions", [item for item in schema.expressions if not isinstance(item, _KEYS)])
    for column in schema.expressions:
        if isinstance(column, exp.ColumnDef):
            _without_keys(column, required=column.name.lower() in required)


def _without_keys(column: exp.ColumnDef, *, required: bool) -> None:
    constraints = column.args.get("constraints") or []
    kinds = [constraint.args["kind"] for constraint in constraints]
    for kind in kinds:
        if isinstance(kind, exp.GeneratedAsIdentityColumnConstraint):
            _identity(kind)
    required = required or any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds)
    kept = [item for item in constraints if not isinstance(item.args["kind"], _COLUMN_KEYS)]
    if required and not any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds):
        kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    column.set("constraints", kept)


def check_late_binding(create: exp.Create) -> None:
    """A view WITH NO SCHEMA BINDING names every table with its schema, or Redshift refuses it."""
    named = {cte.alias.lower() for cte in create.find_all(exp.CTE)}
    for table in create.expression.find_all(exp.Table):
        if not table.db and table.name.lower() not in named:
            raise UnsupportedError(
                "All the relation names inside should be qualified when creating views with no schema binding: "
                + table.name
            )


def late_binding_view(create: exp.Create) -> str:
    """A block that makes the view over a function, whose text PostgreSQL binds only when it runs."""
    if isinstance(create.this, exp.Schema):
        raise UnsupportedError(f"{LOCAL}column names of a view WITH NO SCHEMA BINDING; name them in the query")
    query = create.expression.unnest() if isinstance(create.expression, exp.Subquery) else create.expression
    arguments = (
        exp.Literal.string(create.this.sql(dialect=PostgresSql)),
        exp.Literal.string(query.sql(dialect=PostgresSql, comments=False)),
        exp.Boolean(this=bool(create.args.get("replace"))),
    )
    listed = ", ".join(argument.sql(dialect=PostgresSql) for argument in arguments)
    return f"DO $late_binding$ BEGIN PERFORM pg_catalog.redshift_late_binding_view({listed}); END $late_binding$"


def _identity(kind: exp.GeneratedAsIdentityColumnConstraint) -> None:
    """IDENTITY(seed, step) takes no values of the user's, GENERATED BY DEFAULT AS IDENTITY does; any seed will do."""
    if "on_null" not in kind.args:
        kind.set("this", True)
    seed = kind.args.get("start")
    if seed is not None and not seed.is_int:
        raise UnsupportedError("IDENTITY takes two whole numbers", SYNTAX_ERROR)
    if seed is not None and int(seed.name) < 1:
        kind.set("minvalue", seed.copy())
