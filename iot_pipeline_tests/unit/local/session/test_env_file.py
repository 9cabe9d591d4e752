"""The .env file of `make up`."""

import stat
from pathlib import Path

from infra.local.session.env_file import remove_env_file, write_env_file


def test_a_persons_own_file_stays_and_the_environment_is_written_elsewhere(tmp_path: Path) -> None:
    own, other = tmp_path / ".env", tmp_path / "env"
    own.write_text("MY_SECRET=1\n")
    assert write_env_file({"A": "1"}, own, other) == other
    assert (own.read_text(), other.read_text().splitlines()[1:]) == ("MY_SECRET=1\n", ["A=1"])
    remove_env_file(own)
    assert own.exists()


def test_our_own_file_is_replaced_private_and_removed(tmp_path: Path) -> None:
    ours, other = tmp_path / ".env", tmp_path / "env"
    assert write_env_file({"A": "1"}, ours, other) == ours
    ours.chmod(0o644)
    assert write_env_file({"A": "2"}, ours, other) == ours
    assert ours.read_text().splitlines()[1:] == ["A=2"]
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
    remove_env_file(ours)
    remove_env_file(ours)
    assert not ours.exists()
