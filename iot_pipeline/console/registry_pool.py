"""Connections to the registry for a service that asks often: signing in takes longer than most questions do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from iot_pipeline.connections.registry import conninfo, open_registry

# What opens a connection, such as `open_registry` and a pool's `connect`.
Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
# Few questions take as long as a millisecond; more at once would take the database's connections from others.
_CONNECTIONS = 4
# A password is rotated while the service runs: connections of before end within its grace.
_LIFETIME_SECONDS = 15 * 60.0
_IDLE_SECONDS = 5 * 60.0
_FREE_WITHIN_SECONDS = 2.0


class RegistryPool:
    """Opens connections when they are first needed and keeps them for some minutes. To be used in a `with` block."""

    def __init__(self) -> None:
        self._pool = ConnectionPool(
            conninfo,
            min_size=0,
            max_size=_CONNECTIONS,
            open=False,
            check=ConnectionPool.check_connection,
            max_lifetime=_LIFETIME_SECONDS,
            max_idle=_IDLE_SECONDS,
            timeout=_FREE_WITHIN_SECONDS,
            # Whoever asks next tries anew.
            reconnect_timeout=_FREE_WITHIN_SECONDS,
            name="registry",
        )

    def __enter__(self) -> Self:
        self._pool.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection in UTC; committed at the end of a `with` block, rolled back by an error, then free for others.

        Raises as `open_registry` does.
        """
        try:
            connection = self._pool.getconn()
        except PoolTimeout:
            # All are in use, or none can be had: one outside the pool serves, or says why not.
            with open_registry() as own:
                yield own
            return
        try:
            with connection:
                yield connection
        finally:
            self._pool.putconn(connection)
