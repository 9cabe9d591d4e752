"""TRUNCATE, which commits: https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html.

"TRUNCATE commits the transaction in which it is run; therefore, you can't roll back a TRUNCATE operation". What came
before it in its transaction is committed with it, and what comes after is outside of it.
"""

from infra.local.redshift.copy.command import TruncateCommand
from infra.local.redshift.wire.backend import Backend
from infra.local.redshift.wire.protocol import message


async def run_truncate(backend: Backend, command: TruncateCommand) -> None:
    """Empty the table and commit; answer with CommandComplete. Raises BackendError and SkippedError."""
    await backend.rows(f"TRUNCATE TABLE {command.table}")
    await backend.rows("COMMIT")
    await backend.answer(message(b"C", b"TRUNCATE TABLE\0"))
