"""Prepared statements and execution parameters: `?` replaced by SQL literals, outside quotes and comments."""

import re
from dataclasses import dataclass
from typing import Protocol

from infra.local.athena.errors import ApiError, QueryError
from infra.local.athena.sql.types import split_top

# A comment or quote without an end reaches to the end, and is read once.
_TOKEN = re.compile(r"'(?:[^']++|'')*+'?|\"(?:[^\"]++|\"\")*+\"?|--[^\n]*+|/\*.*?(?:\*/|\Z)|\?", re.DOTALL)
_EXECUTE = re.compile(r"\s*+execute\s++\"?(\w++)\"?(?:\s++using\s++(.*))?$", re.IGNORECASE | re.DOTALL)
_PREPARE = re.compile(r"\s*+prepare\s++\"?(\w++)\"?\s++from\s++(.*)$", re.IGNORECASE | re.DOTALL)
_DEALLOCATE = re.compile(r"\s*deallocate\s+prepare\s+\"?(\w+)\"?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Prepared:
    """A prepared statement of a workgroup."""

    name: str
    workgroup: str
    sql: str
    description: str = ""


class PreparedStatements:
    """Prepared statements by workgroup and name."""

    def __init__(self) -> None:
        self._statements: dict[tuple[str, str], Prepared] = {}

    def put(self, statement: Prepared, *, new: bool) -> None:
        """Add (`new`: the name must be free) or replace."""
        key = statement.workgroup, statement.name
        if new and key in self._statements:
            raise ApiError("InvalidRequestException", f"PreparedStatement {statement.name} already exists")
        self._statements[key] = statement

    def get(self, workgroup: str, name: str) -> Prepared:
        """The statement; ApiError ResourceNotFoundException."""
        found = self._statements.get((workgroup, name))
        if not found:
            raise ApiError(
                "ResourceNotFoundException", f"PreparedStatement {name} was not found in workGroup {workgroup}"
            )
        return found

    def delete(self, workgroup: str, name: str) -> None:
        """Remove the statement; ApiError when there is none."""
        self.get(workgroup, name)
        del self._statements[workgroup, name]

    def of(self, workgroup: str) -> list[Prepared]:
        """The statements of a workgroup, by name."""
        return sorted((s for (w, _), s in self._statements.items() if w == workgroup), key=lambda s: s.name)


class Running(Protocol):
    """What is needed of an execution."""

    sql: str
    parameters: list[str] | None

    @property
    def workgroup(self) -> "Named": ...


class Named(Protocol):
    """Something with a name."""

    name: str


def substituted(execution: Running, prepared: PreparedStatements) -> str:
    """The statement with EXECUTE opened and every ? replaced (Athena user guide, "Use parameterized queries")."""
    sql, values = execution.sql.strip().rstrip(";").strip(), execution.parameters or []
    executed = _EXECUTE.match(sql)
    if executed:
        sql = prepared.get(execution.workgroup.name, executed[1]).sql
        values = values or list(split_top(executed[2] or ""))
    marks = [m for m in _TOKEN.finditer(sql) if m[0] == "?"]
    if len(marks) != len(values):
        raise QueryError(
            f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {len(marks)} but found {len(values)}"
        )
    parts, position = [], 0
    for mark, value in zip(marks, values, strict=True):
        parts += [sql[position : mark.start()], value]
        position = mark.end()
    return "".join([*parts, sql[position:]])


def prepare_statement(sql: str, workgroup: str, prepared: PreparedStatements) -> bool:
    """Do PREPARE or DEALLOCATE PREPARE; False when the statement is neither."""
    if made := _PREPARE.match(sql):
        prepared.put(Prepared(made[1], workgroup, made[2].strip()), new=True)
    elif gone := _DEALLOCATE.match(sql):
        prepared.delete(workgroup, gone[1])
    else:
        return False
    return True
