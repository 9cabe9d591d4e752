"""Choosing a real Trino, and what is said where it cannot run."""

import os
from pathlib import Path

import pytest

from infra.local.servers.local_server import LocalError
from infra.local.trino import distribution
from infra.local.trino.distribution import java
from infra.local.trino.process import CHOICE, is_chosen


def test_duckdb_is_what_nobody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHOICE, raising=False)
    assert not is_chosen()
    monkeypatch.setenv(CHOICE, "trino")
    assert is_chosen()


def test_another_engine_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOICE, "presto")
    with pytest.raises(LocalError, match="IOT_LOCAL_ATHENA is 'presto': duckdb or trino was expected"):
        is_chosen()


def test_a_java_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\" 2025-04-15' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(distribution, "_JVM_FOLDER", tmp_path / "none")
    monkeypatch.setattr(distribution, "find_spec", lambda _: None)
    with pytest.raises(LocalError, match=rf"needs Java 24 or newer: set JAVA_HOME.*\({old} is 17\)"):
        java()


def test_without_maven_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(distribution, "CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(LocalError, match="fetched by Maven, and there is no mvn on PATH"):
        distribution.trino_home()
