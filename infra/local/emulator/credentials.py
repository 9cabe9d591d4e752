"""The credentials of the local AWS's root: random, so that no other user's program and no web page can know them."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.servers.private_files import write_private


@dataclass(frozen=True)
class Credentials:
    """An access key as AWS makes them."""

    access_key_id: str
    secret_access_key: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables from which an AWS SDK reads them."""
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}


def credentials_of(state_dir: Path) -> Credentials:
    """The credentials of the local AWS with this state; they are made once, so that a .env file stays true."""
    path = state_dir / "credentials.json"
    if path.exists():
        return Credentials(**json.loads(path.read_text()))
    made = Credentials(f"LOCAL{secrets.token_hex(8).upper()}", secrets.token_hex(20))
    write_private(path, json.dumps(asdict(made)))
    return made
