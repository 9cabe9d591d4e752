"""`python -m infra.unattended` writes the section anew; `make docs` calls it."""

from infra.local.deploy.synth import synthesise
from infra.local.servers.checkout import CHECKOUT
from infra.unattended.page import replaced, section

if __name__ == "__main__":
    operations = CHECKOUT / "docs" / "operations.md"
    made = section(synthesise(CHECKOUT / ".local"))
    operations.write_text(replaced(operations.read_text(encoding="utf-8"), made), encoding="utf-8")
