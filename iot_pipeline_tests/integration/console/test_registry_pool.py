"""The console's connections to the registry: kept, given back, opened anew, and none where there is no registry."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from iot_pipeline import settings
from iot_pipeline.console import registry_pool
from iot_pipeline.console.registry_pool import RegistryPool

pytestmark = pytest.mark.usefixtures("registry")


@pytest.fixture
def pool() -> Iterator[RegistryPool]:
    with RegistryPool() as opened:
        yield opened


def _process(connection: psycopg.Connection[Any]) -> int:
    return connection.info.backend_pid


def test_one_serves_many_questions_and_is_in_utc(pool: RegistryPool) -> None:
    seen = set()
    for _ in range(5):
        with pool.connect() as connection:
            seen.add(_process(connection))
            assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
    assert len(seen) == 1


def test_an_error_rolls_back_and_the_connection_serves_again(pool: RegistryPool) -> None:
    def fail() -> None:
        with pool.connect() as connection:
            connection.execute("CREATE TEMPORARY TABLE left_behind (a int)")
            connection.execute("SELECT 1 / 0")

    with pool.connect() as connection:
        process = _process(connection)
    with pytest.raises(psycopg.errors.DivisionByZero):
        fail()
    with pool.connect() as connection:
        assert _process(connection) == process
        assert connection.execute("SELECT to_regclass('left_behind')").fetchone() == (None,)


def test_one_that_the_server_has_closed_is_replaced(pool: RegistryPool) -> None:
    with pool.connect() as connection:
        process = _process(connection)
    with pytest.raises(psycopg.OperationalError), pool.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with pool.connect() as connection:
        assert _process(connection) != process


def test_more_than_it_holds_are_served_from_outside_it(pool: RegistryPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool._pool, "timeout", 0.2)
    with ExitStack() as stack:
        opened = [stack.enter_context(pool.connect()) for _ in range(registry_pool._CONNECTIONS + 1)]
        assert len({_process(each) for each in opened}) == len(opened)


def test_without_a_registry_the_error_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_pool, "_FREE_WITHIN_SECONDS", 0.2)
    monkeypatch.setenv("IOT_REGISTRY_PORT", "9")
    settings.forget()
    try:
        with RegistryPool() as pool, pytest.raises(psycopg.OperationalError, match="refused"), pool.connect():
            pass
    finally:
        settings.forget()
