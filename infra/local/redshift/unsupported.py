"""How a statement is refused: what Redshift itself rejects, and what the local Redshift does not know."""

SYNTAX_ERROR = "42601"
TOO_COMPLEX = "54001"
FEATURE_NOT_SUPPORTED = "0A000"
LOCAL = "not supported by the local Redshift: "


class UnsupportedError(Exception):
    """A statement that is not passed on.

    `message` names the construct and what to do instead; `sqlstate` is 0A000 (not supported), 42601 (syntax), 42883 (no
    such function), 22023 (a length out of range) or 54001 (nested too deep). A message that starts with `LOCAL` is our
    gap, any other is Redshift's own refusal.
    """

    def __init__(self, message: str, sqlstate: str = FEATURE_NOT_SUPPORTED) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate
