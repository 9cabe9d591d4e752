"""Dagster's private modules are used in one place, which says for which release it was written."""

import re
from importlib.metadata import version

import pytest

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.defs.dagster_internals import WRITTEN_FOR, DagsterVersionError, require_version

HERE = "iot_pipeline/defs/dagster_internals.py"
# It writes what the daemon would.
IN_TESTS = "iot_pipeline_tests/support/dagster_daemon.py"
# A launcher is given what a daemon gives it: an origin, and the arguments of a run.
OF_LAUNCHERS = "iot_pipeline_tests/unit/test_run_tasks.py"
# The parts of the daemon, whose loops no public name runs once.
OF_SIMULATION = "infra/local/bench/quarter/daemon_steps.py"


def test_another_release_of_dagster_is_refused_with_both_versions() -> None:
    require_version(WRITTEN_FOR)
    with pytest.raises(DagsterVersionError, match=rf"Dagster 9\.0\.1 is installed; .* of Dagster {WRITTEN_FOR}\."):
        require_version("9.0.1")


def test_it_was_written_for_the_release_that_is_pinned_and_installed() -> None:
    pins = re.findall(r"^dagster==(\S+)$", (CHECKOUT / "requirements.txt").read_text(), re.MULTILINE)
    assert [WRITTEN_FOR] == pins == [version("dagster")]


def test_nothing_else_imports_from_private_modules() -> None:
    private = re.compile(r"^\s*(?:from|import) dagster(?:\.\w+)*\._", re.MULTILINE)
    sources = [
        path
        for folder in ("iot_pipeline", "infra", "simulator", "iot_pipeline_tests")
        for path in (CHECKOUT / folder).rglob("*.py")
    ]
    users = {str(path.relative_to(CHECKOUT)) for path in sources if private.search(path.read_text())}
    assert users == {HERE, IN_TESTS, OF_LAUNCHERS, OF_SIMULATION}
