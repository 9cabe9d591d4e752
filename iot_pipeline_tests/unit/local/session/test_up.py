"""What `make up` keeps for as long as it is up."""

import subprocess
import sys


def test_the_cdk_is_not_kept_whose_node_takes_hundreds_of_megabytes() -> None:
    code = "import sys, infra.local.session.up; print('jsii' in sys.modules or 'aws_cdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-Wignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
