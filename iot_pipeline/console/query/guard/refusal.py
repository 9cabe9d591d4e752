"""Why a text is not run, and where in it."""


class RefusedError(Exception):
    """A text that is not run. `kind` is a name that scripts can compare; `message` says what to write instead.

    `line` and `column` count from 1, in characters, as editors do.
    """

    def __init__(self, kind: str, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.kind, self.message, self.line, self.column = kind, message, line, column


def refused(kind: str, message: str, sql: str, offset: int) -> RefusedError:
    """The refusal at an offset (from 0) of a text."""
    before = sql[: max(offset, 0)]
    return RefusedError(kind, message, before.count("\n") + 1, len(before) - before.rfind("\n"))
