"""How old each asset may be, by how it is kept up to date: the one place that says so.

Freshness is of the asset as a whole, by when it was last materialized: a backfill of an old hour reads as fresh. What
is missing of which hours the check `closed_hours_are_built` says, and which sites are silent `every_site_sends`.
"""

from datetime import timedelta

import dagster as dg

_HOUR = timedelta(hours=1)


def _window(warn: timedelta, fail: timedelta) -> dg.FreshnessPolicy:
    return dg.FreshnessPolicy.time_window(fail_window=fail, warn_window=warn)


# Firehose lands objects within a minute or two of each other while anybody sends.
ARRIVES = _window(timedelta(minutes=10), timedelta(minutes=30))
# The open hour is built every few minutes, and `close_hour` builds one each hour whatever happens.
HOURLY = _window(1.25 * _HOUR, 2.25 * _HOUR)
# Loads follow the build of an hour, models and reports the load, each within minutes.
LOADED = _window(1.5 * _HOUR, 3 * _HOUR)
MODELLED = _window(2 * _HOUR, 4 * _HOUR)
# The export of the alerts, the snapshot of the registry and its rules: every 15 minutes.
QUARTERLY = _window(timedelta(minutes=40), 1.25 * _HOUR)
DAILY = _window(26 * _HOUR, 50 * _HOUR)

_OF_GROUP = {
    "raw": ARRIVES,
    "judged": HOURLY,
    "curated": HOURLY,
    "daily": DAILY,
    "warehouse": LOADED,
    "staging": MODELLED,
    "dimensions": MODELLED,
    "facts": MODELLED,
    "reporting": MODELLED,
    "reports": MODELLED,
    "registry": QUARTERLY,
    "alerts": QUARTERLY,
    "upkeep": DAILY,
}
_OF_ASSET = {dg.AssetKey("dbt_docs"): DAILY}
# The table of alerts is never materialized: its checks say how the edge is.
WITHOUT = frozenset({dg.AssetKey("alert_episodes")})


def with_freshness(*assets: dg.AssetsDefinition | dg.AssetSpec) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The same assets, each with its policy. Raises KeyError for one of a group that has none."""
    return list(dg.map_asset_specs(_with_policy, assets))


def _with_policy(spec: dg.AssetSpec) -> dg.AssetSpec:
    if spec.key in WITHOUT:
        return spec
    policy = _OF_ASSET[spec.key] if spec.key in _OF_ASSET else _OF_GROUP[spec.group_name or ""]
    fresh: dg.AssetSpec = dg.apply_freshness_policy(spec, policy)
    return fresh
