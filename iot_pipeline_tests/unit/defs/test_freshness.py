"""Each asset says how old it may be, and what follows is given more time than what it follows."""

import dagster as dg
import pytest

from iot_pipeline.definitions import defs
from iot_pipeline.defs.freshness import ARRIVES, HOURLY, LOADED, MODELLED, WITHOUT, with_freshness

SPECS = {spec.key: spec for spec in defs.resolve_all_asset_specs()}


def test_every_asset_has_a_policy_but_the_one_that_is_never_built() -> None:
    assert {key for key, spec in SPECS.items() if spec.freshness_policy is None} == WITHOUT


def test_a_cause_is_stale_before_its_consequence() -> None:
    windows = [(each.warn_window, each.fail_window) for each in (ARRIVES, HOURLY, LOADED, MODELLED)]  # type: ignore[attr-defined]  # of a time window
    assert windows == sorted(windows)
    assert all(warn.to_timedelta() < fail.to_timedelta() for warn, fail in windows)


def test_an_asset_of_an_unknown_group_is_refused() -> None:
    with pytest.raises(KeyError):
        with_freshness(dg.AssetSpec("new", group_name="nobody_decided"))
