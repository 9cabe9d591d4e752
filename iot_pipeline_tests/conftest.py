"""What all tests share: their marks, and one local AWS a session with slices of the lake for each test.

A session is one process, or one of the workers of `pytest -n`: each worker has a local AWS of its own.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import boto3
import hypothesis
import pytest
from rich.console import Console

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.loopback import free_port
from infra.local.session.console import make_users, start_console
from infra.local.session.platform import Platform, running
from infra.stacks.node import use_packaged_node
from iot_pipeline import settings
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.support import leftovers, time_box
from iot_pipeline_tests.support.assemblies import remove_assemblies, share_assemblies
from iot_pipeline_tests.support.console import TENANTS, RunningConsole
from iot_pipeline_tests.support.emulator import check_saved
from iot_pipeline_tests.support.messages import RawZone

HERE = Path(__file__).parent

# Hypothesis' limit of 200 ms for an example is a guess at a quiet machine.
hypothesis.settings.register_profile("any-machine", deadline=None)
hypothesis.settings.load_profile("any-machine")

# Before any test module imports aws_cdk, which starts a node when it is imported.
use_packaged_node()

# A test's slice must not hold what another's late readings (30 days) touch.
_SLICE = timedelta(days=32)
_slices = count()
_dagster_days = count()


def pytest_configure(config: pytest.Config) -> None:
    """A session that is told to end, as by a CI that ran out of time, stops what it started."""
    time_box.begin(config)
    if not leftovers.is_worker(config):
        leftovers.mark_descendants()
        share_assemblies()
    # A shell has what it starts in the background ignore SIGINT, and Dagster gives SIGTERM the handler of SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _module(item: pytest.Item) -> str:
    return os.path.relpath(item.path, HERE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, so that none is forgotten; today's order."""
    for item in items:
        folder = _module(item).partition("/")[0]
        if folder in {"integration", "e2e"}:
            item.add_marker(folder)
    time_box.arrange(items, {item: _module(item) for item in items})


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture of a test is made."""
    time_box.skip_what_is_left(_module(item))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left for another day."""
    left = time_box.modules_left(terminalreporter.stats.get("skipped", []))
    if left:
        terminalreporter.section("left for another day: the time box is spent")
        for module, count in left.items():
            terminalreporter.line(f"{count:4d} of {module}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run fails if a process that it started outlives it."""
    leftovers.stop_forkserver()
    if leftovers.is_worker(session.config):
        return
    remove_assemblies()
    if left := leftovers.wait_for_descendants():
        print("\nThese processes outlived the tests that started them, and were killed:", *left, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@contextmanager
def started(state: Path) -> Iterator[Platform]:
    """A local AWS, deployed to, with the environment pointing to it."""
    state.mkdir(exist_ok=True)
    with (state / "platform.log").open("w") as log, running(state, CHECKOUT / ".local", Console(file=log)) as platform:
        settings.forget()
        # The default session keeps the credentials it first found, and each local AWS has its own.
        boto3.setup_default_session()
        yield platform
    settings.forget()
    boto3.setup_default_session()
    check_saved(platform.emulator)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole local AWS, once; the session's environment points to it."""
    with started(tmp_path_factory.mktemp("platform")) as platform:
        yield platform


@pytest.fixture(scope="session")
def console(platform: Platform) -> Iterator[RunningConsole]:
    """The console beside the local AWS, with a user for each role and for each of two tenants, once a session."""
    passwords = make_users(platform, TENANTS)
    port = free_port()
    running_console = RunningConsole(partial(start_console, platform, port), passwords)
    try:
        yield running_console
    finally:
        running_console.close()


@pytest.fixture
def empty_platform(tmp_path: Path) -> Iterator[Platform]:
    """A local AWS for one test alone, for those that count all there is."""
    with started(tmp_path / "platform") as platform:
        yield platform


@pytest.fixture(scope="session")
def lake(platform: Platform) -> Lake:
    """The deployed lake, as the Dagster assets open it, asking Athena more often."""
    opened = LakeResource().open()
    opened.athena.poll_seconds = 0.02
    return opened


@pytest.fixture(scope="session")
def raw(lake: Lake) -> RawZone:
    """Writes raw objects, as Firehose would."""
    return RawZone(lake.bucket)


@pytest.fixture
def arrival() -> Hour:
    """An arrival hour with 30 days before it that no other test writes to; before the first Dagster partition."""
    return Hour(datetime(2020, 2, 2, 12, tzinfo=UTC) + next(_slices) * _SLICE)


@pytest.fixture
def dagster_hour() -> Hour:
    """An hour of a day that no other test writes to, and that is a Dagster partition."""
    return Hour(datetime(2026, 3, 1, 12, tzinfo=UTC) + next(_dagster_days) * timedelta(days=1))


@pytest.fixture
def environment(platform: Platform) -> dict[str, str]:
    """For processes that work with the local AWS."""
    return {**os.environ, **platform.environment}
