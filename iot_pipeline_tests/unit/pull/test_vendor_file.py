"""A vendor's file: what it says, and each mistake by where it stands and what was expected."""

from pathlib import Path

import pytest

from iot_pipeline.pull.checked_table import VendorFileError
from iot_pipeline.pull.vendor import OAuth, PagingKind, Placed
from iot_pipeline.pull.vendor_file import read_vendor
from iot_pipeline_tests.support.layers import CHECKOUT
from iot_pipeline_tests.support.pulled import WATER, vendor_of
from simulator.vendor_file import WEATHER

URL, START = "https://api.example.com", "2026-11-01T00:00:00Z"


def test_two_vendors_of_different_shape_are_their_files_alone(tmp_path: Path) -> None:
    first = vendor_of(tmp_path, WEATHER, URL, START)
    assert (first.auth, first.devices["ST-1"]) == (
        OAuth(f"{URL}/token", "observations:read"),
        Placed("weather-north", "north"),
    )
    second = vendor_of(tmp_path, WATER, URL, START, "water")
    assert [each.paging.kind for each in second.resources] == [PagingKind.PAGE, PagingKind.LINK]
    with pytest.raises(ValueError, match="water has no resource 'x'; it has flows, levels"):
        second.resource("x")


@pytest.mark.parametrize("file", sorted((CHECKOUT / "infra" / "vendors").glob("*.toml")), ids=lambda path: path.stem)
def test_the_files_of_this_repository_are_right(file: Path) -> None:
    assert read_vendor(file).name == file.stem


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('name = "weather"', 'name = "Weather"', r"v.toml: name = 'Weather': expected lower-case letters"),
        ("every_minutes = 15", "every_minutes = 0", "every_minutes = 0: expected a whole number from 1 to 1440"),
        ("every_minutes = 15", "every_minutes = true", "every_minutes = True: expected a whole number"),
        (f"{URL}/v1", "http://api.example.com", "base_url = .*: expected a URL that begins with https://"),
        (f"{URL}/v1", "https://u:p@example.com", "base_url = .*: expected a URL that begins with https://"),
        (f"{URL}/token", "http://169.254.169.254/", "token_url = .*: expected a URL that begins with https://"),
        ('kind = "oauth2"', 'kind = "basic"', r"v.toml:.auth kind = 'basic': expected one of oauth2, key"),
        ('scope = "', 'scopes = "', r"v.toml:.auth: there is no field scopes"),
        ('"weather-south"', '"weather-north"', "weather-north stands for several of the vendor's devices"),
        (
            '"weather-south"',
            '"weather.south"',
            r"devices.ST-2 device = 'weather.south': expected a device's id: letters",
        ),
        ('site = "south"', 'site = "so/uth"', r"devices.ST-2 site = 'so/uth': expected a site's name"),
        ('kind = "cursor"', 'kind = "offset"', "paging kind = 'offset': expected one of cursor, page, link"),
        ('next = "/meta/next_cursor"', 'next = "meta"', "next = 'meta': expected a JSON pointer"),
        ('next = "/meta/next_cursor"', "", "next is missing: expected a JSON pointer"),
        ("size = 4", "size = 0", "size = 0: expected a whole number from 1 to 10000"),
        ("minutes = 60", "minutes = 7", "minutes = 7: expected a part of a day"),
        (f"start = {START}", "start = 2026-11-01T00:30:00Z", "start = .*: expected a time at which one of the windows"),
        (f"start = {START}", "start = 2026-11-01T00:00:00", "start = .*: expected a date and time with a zone"),
        ('ts_format = "iso8601"', 'ts_format = "rfc822"', "ts_format = 'rfc822': expected one of iso8601"),
        ("temperature = {", "warmth = {", "metrics.warmth: the contract has no such metric; it has temperature"),
        ('unit = "F"', 'unit = "K"', "metrics.temperature unit = 'K': expected one of C, F"),
        ("[resources.observations]", "[resources.Obs]\npath = 1\n[resources.observations]", "the name must be lower"),
        ('path = "/observations"', 'path = "/observations?x=1"', "a path alone; parameters stand in"),
        ("[auth]", "[auth", "v.toml: .*line"),
    ],
)
def test_a_mistake_is_told_by_where_it_stands(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    text = WEATHER.format(name="weather", url=URL, start=START)
    assert right in text
    file = tmp_path / "v.toml"
    file.write_text(text.replace(right, wrong))
    with pytest.raises(VendorFileError, match=told):
        read_vendor(file)
