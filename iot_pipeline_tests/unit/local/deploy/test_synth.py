"""The cached synthesis: by content, by two processes at once, and without writing anywhere else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.deploy.stacks import templates
from infra.local.deploy.synth import REPOSITORY, source_digest, synthesise
from iot_pipeline_tests.support.templates import STACKS

SYNTHESISE = "import sys; from pathlib import Path; from infra.local.deploy.synth import synthesise; "
SYNTHESISE += "print(synthesise(Path(sys.argv[1])))"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    copy = tmp_path / "repository"
    for folder in ("infra/stacks", "iot_pipeline/contract"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "infra/app.py", copy / "infra/app.py")
    return copy


def test_digest_is_that_of_the_sources(repository: Path) -> None:
    assert source_digest(repository) == source_digest()


@pytest.mark.parametrize("source", ["infra/app.py", "infra/stacks/ingest/stack.py", "iot_pipeline/contract/metrics.py"])
def test_digest_follows_every_source(repository: Path, source: str) -> None:
    before = source_digest(repository)
    path = repository / source
    path.write_text(path.read_text() + "\n# changed\n")
    assert source_digest(repository) != before


def test_digest_follows_a_new_file_and_ignores_others(repository: Path) -> None:
    before = source_digest(repository)
    (repository / "infra/stacks/README.md").write_text("not a source")
    assert source_digest(repository) == before
    (repository / "infra/stacks/new.py").write_text("")
    assert source_digest(repository) != before


def test_two_processes_synthesise_once_each_and_write_nowhere_else(tmp_path: Path) -> None:
    state, home, scratch = (tmp_path / name for name in ("state", "home", "tmp"))
    for folder in (home, scratch):
        folder.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(scratch),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # Nothing to reach: a proxy that refuses every connection.
    environment |= {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    home.chmod(0o500)
    command = [sys.executable, "-c", SYNTHESISE, str(state)]
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [process.communicate()[0].strip() for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assembly = state / "cdk" / f"{source_digest()}-telemetry"
    assert answers == [str(assembly)] * 2
    assert list((state / "cdk").iterdir()) == [assembly], "no scratch folder may stay behind"
    assert list(templates(assembly)) == list(STACKS)
    assert list(home.iterdir()) == []
    assert list(scratch.iterdir()) == []


def test_what_is_there_is_used_again(tmp_path: Path) -> None:
    kept = tmp_path / "cdk" / f"{source_digest()}-telemetry"
    kept.mkdir(parents=True)
    assert synthesise(tmp_path) == kept
    assert list(kept.iterdir()) == []
