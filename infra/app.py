"""The CDK app.

`python -m infra.app OUTDIR` writes the cloud assembly there. For AWS, from the repository's root and with the CDK's
command line (npm `aws-cdk` 2.x): `cdk bootstrap`, then `cdk deploy --all --app "python -m infra.app"`; account and
region are those of the AWS profile.
"""

import sys
from pathlib import Path

from infra.stacks.assembly import build
from infra.stacks.environments import from_process

if __name__ == "__main__":
    try:
        config = from_process()
    except ValueError as error:
        sys.exit(f"error: {error}")
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else None, config).synth()
