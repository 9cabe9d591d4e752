"""The files of the vendors that environments pull from. Without the CDK, which takes seconds to import."""

from collections.abc import Sequence
from pathlib import Path

from iot_pipeline.pull.vendor import Vendor
from iot_pipeline.pull.vendor_file import read_vendor

# A vendor's file is called after it.
VENDORS = Path(__file__).resolve().parents[1] / "vendors"


def vendors(names: Sequence[str], folder: Path) -> list[tuple[Vendor, Path]]:
    """The vendors of these names, each with its file. Raises VendorFileError, and ValueError for a name that is not the
    file's own.
    """
    found = []
    for name in names:
        file = folder / f"{name}.toml"
        if not file.is_file():
            known = ", ".join(sorted(path.stem for path in folder.glob("*.toml")))
            raise ValueError(f"vendors: there is no {folder.name}/{name}.toml; there are {known}")
        vendor = read_vendor(file)
        if vendor.name != name:
            raise ValueError(f"{file.name}: name = {vendor.name!r}: expected the file's own, {name!r}")
        found.append((vendor, file))
    return found
