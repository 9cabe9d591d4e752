"""The CDK app with cdk-nag: `python -m infra.verdict.judged_app OUTDIR ENVIRONMENT...`.

It writes the cloud assembly of each environment into a folder of its name, with cdk-nag's findings in its
`validation-report.json`, and notes cdk-nag's version: a clean report does not name it. All are made by one process:
starting node and jsii takes longer than a synth.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.stacks.assembly import build
from infra.stacks.environments import environment
from infra.verdict.judging import NAG_NOTE


def write_judged(outdir: Path, name: str) -> None:
    """Synthesise one environment. What cdk-nag finds is in the report; any other error is raised."""
    app = build(outdir / name, environment(name))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
    (outdir / name / NAG_NOTE).write_text(json.dumps({"cdk-nag": version("cdk-nag")}))


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        write_judged(Path(sys.argv[1]), wanted)
