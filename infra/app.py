"""The CDK app: `python -m infra.app OUTDIR` writes the cloud assembly there."""

import sys
from pathlib import Path

from infra.stacks.assembly import build
from infra.stacks.config import PlatformConfig

if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else None, PlatformConfig.from_environment()).synth()
