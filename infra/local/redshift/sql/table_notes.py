"""What a CREATE TABLE says beside its columns: keys, which nobody enforces, distribution, sort key and encodings.

They are kept in the catalog for clients that ask (`keys.sql`): SQLAlchemy's reflection, JDBC's metadata, SHOW
CONSTRAINTS, PG_TABLE_DEF. See https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html.
"""

import json
from typing import Any

from sqlglot import exp

from infra.local.redshift.sql.grammar import PostgresSql, parse_statement
from infra.local.redshift.unsupported import SYNTAX_ERROR, UnsupportedError

Note = dict[str, Any]


def notes_of(create: exp.Create, words: list[str]) -> Note:
    """What is to be noted of a CREATE TABLE, given as parsed and as its words; empty if nothing is."""
    keys = _keys(create.this) if isinstance(create.this, exp.Schema) else []
    noted = _attributes(words)
    return noted | ({"keys": keys} if keys else {})


def noted_sql(relation: str, noted: Note) -> str:
    """The statement that notes it of the table just made."""
    return f"PERFORM pg_catalog.redshift_note_table({_text(relation)}, {_text(json.dumps(noted))})"


def altered_sql(table: str, words: list[str]) -> str:
    """What ALTER TABLE ... ALTER DISTKEY, DISTSTYLE, SORTKEY or ENCODE does: the note is changed."""
    upper = [word.upper() for word in words]
    if upper[0] == "COLUMN":
        return _block(
            f"PERFORM pg_catalog.redshift_note_encoding({_text(table)}, {_text(_bare(words[1]))}, "
            f"{_text(words[3].lower())})"
        )
    change: Note = {}
    if "DISTKEY" in upper:
        change = {"style": "KEY", "distkey": _bare(words[upper.index("DISTKEY") + 1])}
    elif upper[0] == "DISTSTYLE":
        change = {"style": upper[1], "distkey": None}
    else:
        change = {"sort": _listed(words[upper.index("SORTKEY") + 1 :])}
    return _block(f"PERFORM pg_catalog.redshift_note_table({_text(table)}, {_text(json.dumps(change))})")


def added_sql(table: str, written: str) -> str:
    """What ALTER TABLE ... ADD a key does: the key is noted."""
    created = parse_statement(f"CREATE TABLE t ({written})")
    key = key_of(created.this.expressions[0]) if isinstance(created.this, exp.Schema) else None
    if key is None:
        raise UnsupportedError(f"syntax error: {written}", SYNTAX_ERROR)
    return _block(f"PERFORM pg_catalog.redshift_add_key({_text(table)}, {_text(json.dumps(key))})")


def _block(step: str) -> str:
    return f"DO $noted$ BEGIN {step}; END $noted$"


def _text(value: str) -> str:
    return exp.Literal.string(value.replace(" . ", ".")).sql(dialect=PostgresSql)


def key_of(item: exp.Expr) -> Note | None:
    """A table's constraint, if it is a key: {"type", "columns"}, with "name", "table" and "references"."""
    name = None
    if isinstance(item, exp.Constraint):
        name, item = item.name.lower(), item.expressions[0]
    if isinstance(item, exp.PrimaryKey):
        key: Note = {"type": "p", "columns": _names(item.expressions)}
    elif isinstance(item, exp.UniqueColumnConstraint) and isinstance(item.this, exp.Schema):
        key = {"type": "u", "columns": _names(item.this.expressions)}
    elif isinstance(item, exp.ForeignKey):
        key = {"type": "f", "columns": _names(item.expressions), **_referenced(item.args["reference"])}
    else:
        return None
    return {**key, "name": name} if name else key


def _keys(schema: exp.Schema) -> list[Note]:
    keys: list[Note] = []
    for item in schema.expressions:
        if isinstance(item, exp.ColumnDef):
            keys += _column_keys(item)
        elif key := key_of(item):
            keys.append(key)
    return sorted(keys, key=lambda key: "puf".index(key["type"]))


def _column_keys(column: exp.ColumnDef) -> list[Note]:
    found: list[Note] = []
    columns = [column.name.lower()]
    for constraint in column.args.get("constraints") or []:
        kind = constraint.args["kind"]
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            found.append({"type": "p", "columns": columns})
        elif isinstance(kind, exp.UniqueColumnConstraint):
            found.append({"type": "u", "columns": columns})
        elif isinstance(kind, exp.Reference):
            found.append({"type": "f", "columns": columns, **_referenced(kind)})
    return found


def _referenced(reference: exp.Expr) -> Note:
    """The table, and its columns where they are named: the primary key otherwise."""
    target = reference.this
    if isinstance(target, exp.Schema):
        columns = {"references": _names(target.expressions)} if target.expressions else {}
        return {"table": target.this.sql(dialect=PostgresSql), **columns}
    return {"table": target.sql(dialect=PostgresSql)}


def _names(columns: list[exp.Expr]) -> list[str]:
    return [column.name.lower() for column in columns]


def _attributes(words: list[str]) -> Note:
    """DISTSTYLE, DISTKEY, SORTKEY and ENCODE, of the table or of a column."""
    noted: Note = {}
    depth, column = 0, ""
    for at, word in enumerate(words):
        upper = word.upper()
        depth += (word == "(") - (word == ")")
        if upper == "AS" and depth == 0:
            break
        if depth == 1 and at and words[at - 1] in ("(", ","):
            column = _bare(word)
        elif depth < 2:
            _attribute(noted, upper, words[at + 1 :], column if depth == 1 else "")
    return noted


def _attribute(noted: Note, word: str, following: list[str], column: str) -> None:
    listed = _listed(following)
    if word == "DISTSTYLE":
        noted["style"] = following[0].upper()
    elif word == "DISTKEY":
        noted |= {"style": "KEY", "distkey": column or listed[0]}
    elif word == "SORTKEY" and (column or listed):
        noted["sort"] = [column] if column else listed
    elif word == "ENCODE" and column:
        noted.setdefault("encode", {})[column] = following[0].lower()


def _listed(words: list[str]) -> list[str]:
    """The names in the brackets that come first."""
    if not words or words[0] != "(" or ")" not in words:
        return []
    return [_bare(word) for word in words[1 : words.index(")")] if word != ","]


def _bare(word: str) -> str:
    return word.strip('"').lower()
