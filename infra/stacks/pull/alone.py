"""The stack Pull by itself, for vendors whose files lie elsewhere than the repository's."""

from pathlib import Path

import aws_cdk as cdk

from infra.stacks.config import PlatformConfig
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.pull.stack import PullStack


def synthesise_pull(config: PlatformConfig, vendors: Path, out: Path) -> None:
    """Write the cloud assembly of the stack for the vendors of `config`, whose files are in a folder, into another."""
    app = cdk.App(outdir=str(out), analytics_reporting=False, context=dict(RECOMMENDED))
    PullStack(app, config, vendors)
    app.synth()
