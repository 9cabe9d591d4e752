"""Where the cloud assemblies of a test run are: one folder for all its workers, named in the environment."""

import os
import shutil
from tempfile import mkdtemp

SHARED_ASSEMBLIES = "IOT_TEST_ASSEMBLIES"


def share_assemblies() -> None:
    """Make the folder that this process and the workers it starts keep their assemblies in."""
    os.environ[SHARED_ASSEMBLIES] = mkdtemp(prefix="cdk-")


def remove_assemblies() -> None:
    """Remove that folder."""
    shutil.rmtree(os.environ.pop(SHARED_ASSEMBLIES), ignore_errors=True)
