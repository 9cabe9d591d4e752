"""What the console depends on, asked so that an error names which of it has not answered."""

from collections.abc import Iterator
from contextlib import contextmanager

_MAX_REASON = 300


class DownError(Exception):
    """A dependency has not answered as it should: which, and its own words in one line."""

    def __init__(self, dependency: str, reason: str) -> None:
        super().__init__(f"{dependency}: {reason}")
        self.dependency, self.reason = dependency, reason


def reason_of(error: BaseException) -> str:
    """An error in one line: its class, and what it says."""
    text = " ".join(str(error).split())[:_MAX_REASON]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def asking(dependency: str) -> Iterator[None]:
    """Inside, a dependency is asked: what is raised becomes a DownError that names it, but for mistakes of our own."""
    try:
        yield
    except (DownError, AssertionError, AttributeError, TypeError):
        raise
    except Exception as error:
        raise DownError(dependency, reason_of(error)) from error
