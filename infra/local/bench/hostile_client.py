"""`make bench-hostile-client`: 50 clients of the local Redshift, one of them hostile; the others' p99 against quiet."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.bench.hostile_statements import hostile
from infra.local.postgres.process import start_postgres
from infra.local.redshift.process import Redshift, start_redshift

GOAL = 2.0
QUIET = ("SELECT 1", "SELECT count(*) FROM pg_class", "SELECT dateadd(day, 1, '2026-01-31')", "SELECT 2.0 / 3")


def _ask(dsn: str, pause: float, over: threading.Event, took: list[float], lock: threading.Lock) -> None:
    """One quiet client: a short statement, again and again."""
    mine = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        for sql in cycle(QUIET):
            if over.wait(pause):
                break
            began = time.perf_counter()
            connection.execute(sql.encode()).fetchall()
            mine.append((time.perf_counter() - began) * 1000)
    with lock:
        took.extend(mine)


def _attack(dsn: str, texts: Iterator[str], over: threading.Event, sent: list[int]) -> None:
    """The hostile client: one text after the other, and on where it was when it was stopped."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not over.is_set():
            sql = next(texts)
            with suppress(psycopg.Error):
                connection.execute(sql.encode())
            sent.append(len(sql))


@contextmanager
def _warehouse() -> Iterator[Redshift]:
    with bench_session("hostile-client") as folder, ExitStack() as stack:
        postgres = start_postgres(folder / "postgres", databases=["telemetry"])
        stack.callback(postgres.stop)
        redshift = start_redshift(folder / "redshift", postgres)
        stack.callback(redshift.stop)
        yield redshift


def _round(dsn: str, clients: int, seconds: float, pause: float, texts: Iterator[str] | None) -> tuple[float, int]:
    """(the others' p99 in milliseconds, the hostile client's statements); it is quiet without `texts`."""
    took: list[float] = []
    sent: list[int] = []
    over, lock = threading.Event(), threading.Lock()
    threads = [threading.Thread(target=_ask, args=(dsn, pause, over, took, lock)) for _ in range(clients - 1)]
    threads.append(
        threading.Thread(target=_attack, args=(dsn, texts, over, sent))
        if texts
        else threading.Thread(target=_ask, args=(dsn, pause, over, [], lock))
    )
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    over.set()
    for thread in threads:
        thread.join()
    return statistics.quantiles(took, n=100)[98], len(sent)


def measure(
    clients: Annotated[int, typer.Option(help="How many are connected, the hostile one among them.")] = 50,
    rounds: Annotated[int, typer.Option(help="How often it is quiet, and then not.")] = 5,
    seconds: Annotated[float, typer.Option(help="How long each time.")] = 10.0,
    pause: Annotated[float, typer.Option(help="Between two statements of a client, in seconds.")] = 0.2,
) -> None:
    """Ask with and without the hostile client, in turns; print."""
    console, table = Console(), Table("round", "quiet p99, ms", "with the hostile one, ms", "times", "its statements")
    ratios, texts = [], cycle(hostile().values())
    with _warehouse() as redshift:
        _round(redshift.dsn, clients, seconds / 2, pause, texts)  # processes and caches are warm
        for number in range(1, rounds + 1):
            quiet, _ = _round(redshift.dsn, clients, seconds, pause, None)
            loud, sent = _round(redshift.dsn, clients, seconds, pause, texts)
            ratios.append(loud / quiet)
            table.add_row(str(number), f"{quiet:.1f}", f"{loud:.1f}", f"{loud / quiet:.2f}", str(sent))
    console.print(table)
    middle = statistics.median(ratios)
    console.print(f"median {middle:.2f} times its quiet value; at most {GOAL:g} is the goal")
    raise typer.Exit(int(middle > GOAL))


if __name__ == "__main__":
    typer.run(measure)
