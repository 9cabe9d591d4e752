"""The tiles as a whole: each leads to a page that Dagster's UI has, and each has its class in the answer."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.health.findings import State, worst
from iot_pipeline.console.health.spending import Book
from iot_pipeline.console.health.tiles import all_tiles
from iot_pipeline.definitions import defs
from iot_pipeline_tests.support.console_parts import HeldStore

TILES = {tile.name: tile for tile in all_tiles(Meter(), Book(HeldStore()))}


@pytest.fixture(scope="module")
def ui_paths() -> set[str]:
    """The paths that the installed UI routes."""
    build = Path(str(files("dagster_webserver"))) / "webapp" / "build"
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in build.rglob("*.js"))
    return {found for text in texts for found in re.findall(r'path:"(/[^"]*)"', text)}


@pytest.mark.parametrize("name", TILES)
def test_a_tile_leads_to_a_page_that_there_is(name: str, ui_paths: set[str]) -> None:
    path = TILES[name].acts_at
    if path is None:
        return
    page, _, _ = path.partition("?")
    if page.startswith("/assets/"):
        assert "/assets(/?.*)" in ui_paths
        keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
        assert page.removeprefix("/assets/") in keys
    else:
        assert page in ui_paths


def test_the_warehouse_is_not_woken_more_often_than_the_pipelines_own_check_does() -> None:
    assert TILES["warehouse"].every.total_seconds() >= 600


def test_what_is_not_known_is_between_well_and_a_warning() -> None:
    assert worst() is State.OK
    assert worst(State.OK, State.UNKNOWN) is State.UNKNOWN
    assert worst(State.UNKNOWN, State.WARNING, State.OK) is State.WARNING
    assert worst(State.CRITICAL, State.WARNING) is State.CRITICAL
