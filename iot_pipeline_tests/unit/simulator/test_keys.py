"""Where a device's key lies."""

from pathlib import Path

import pytest

from simulator.keys import credentials


@pytest.mark.parametrize("device_id", ["../outside", "a/b", "..", "", "a\x00b", "x" * 129])
def test_no_device_id_leaves_the_folder_of_keys(device_id: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be a device id"):
        credentials(tmp_path, device_id)


def test_a_things_name_is_the_files_name(tmp_path: Path) -> None:
    assert credentials(tmp_path, "acme-berlin:00_1").key == tmp_path / "devices" / "acme-berlin:00_1.key"
