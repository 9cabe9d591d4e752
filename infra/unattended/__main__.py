"""`python -m infra.unattended` writes the section anew; `make docs` calls it."""

import tempfile
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT
from infra.stacks.assembly import build
from infra.stacks.config import DEFAULT_NAME
from infra.stacks.environments import whole
from infra.unattended.page import replaced, section

if __name__ == "__main__":
    operations = CHECKOUT / "docs" / "operations.md"
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), whole(DEFAULT_NAME)).synth()
        made = section(Path(folder))
    operations.write_text(replaced(operations.read_text(encoding="utf-8"), made), encoding="utf-8")
