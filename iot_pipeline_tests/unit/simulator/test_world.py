"""Fleet, signals, plans, faults' rates: deterministic, plausible, and clear about what they refuse."""

from pathlib import Path

import numpy as np
import pytest

from iot_pipeline.contract import METRICS, topic
from simulator.durations import epoch_ms, seconds
from simulator.faults import FAULTS, choose_faults, strikes
from simulator.fleet import Fleet, Kind, load_fleet, make_fleet
from simulator.plan import LINGER_MS, history_plan, live_plan
from simulator.signals import LEAK_FLOW, Noise, Signals

DAY_MS = 86_400_000
MIDNIGHT_MS = 20_000 * DAY_MS


def measure(fleet: Fleet, days: int = 4, leaking: bool = False) -> dict[str, np.ndarray]:
    step_ms = 60_000
    ts_ms = np.broadcast_to(MIDNIGHT_MS + np.arange(days * 1440) * step_ms, (len(fleet.devices), days * 1440))
    noise = Noise.start(len(fleet.devices), fleet.seed)
    leaks = np.full(len(fleet.devices), leaking)
    return Signals(fleet).measure(ts_ms.astype(np.int64), step_ms, noise, leaks, np.random.default_rng(1))


def test_a_larger_fleet_begins_with_the_smaller_one() -> None:
    small, large = make_fleet(50, tenants=3, sites=2, seed=9), make_fleet(200, tenants=3, sites=2, seed=9)
    assert large.devices[:50] == small.devices
    assert len({device.device_id for device in large.devices}) == 200


def test_devices_are_named_after_tenant_and_site_and_fit_the_topic() -> None:
    for device in make_fleet(60, tenants=4, sites=4).devices:
        assert device.device_id.startswith(f"{device.tenant}-{device.site}-")
        assert topic(device.tenant, device.site, device.device_id).endswith("/telemetry")


def test_a_fleet_survives_its_file(tmp_path: Path) -> None:
    fleet = make_fleet(10)
    fleet.save(tmp_path)
    assert load_fleet(tmp_path) == fleet


@pytest.mark.parametrize("options", [{"devices": 0}, {"devices": 1, "tenants": 9}, {"devices": 1, "sites": 0}])
def test_an_impossible_fleet_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"at least one device|tenants must be"):
        make_fleet(**options)


def test_signals_stay_within_the_contract() -> None:
    values = measure(make_fleet(64, tenants=8, sites=8), days=10, leaking=True)
    assert set(values) == {metric.name for metric in METRICS}, "simulator/signals.py measures what the contract lists"
    for metric in METRICS:
        assert values[metric.name].min() >= metric.minimum
        assert values[metric.name].max() <= metric.maximum
        assert values[metric.name].std() > 0


def test_the_afternoon_is_warmer_and_drier_than_the_night_by_the_sites_own_sun() -> None:
    fleet = make_fleet(32, tenants=4, sites=4)
    values = measure(fleet)
    for d, device in enumerate(fleet.devices):
        solar = (np.arange(4 * 1440) / 60 + device.lon / 15) % 24
        afternoon, night = (solar > 14) & (solar < 16), (solar > 2) & (solar < 4)
        assert values["temperature"][d, afternoon].mean() > values["temperature"][d, night].mean()
        assert values["humidity"][d, afternoon].mean() < values["humidity"][d, night].mean()
        if device.kind is not Kind.WATER_METER:
            assert np.corrcoef(values["temperature"][d], values["humidity"][d])[0, 1] < -0.6


def test_water_flows_by_day_and_never_at_night_unless_it_leaks() -> None:
    fleet = make_fleet(32)
    solar = np.array([(np.arange(4 * 1440) / 60 + device.lon / 15) % 24 for device in fleet.devices])
    sound, leaking = measure(fleet)["flow_rate"], measure(fleet, leaking=True)["flow_rate"]
    assert sound[solar < 5].max() == 0
    assert sound[(solar > 7) & (solar < 8)].mean() > 2
    assert leaking.min() >= LEAK_FLOW


def test_batteries_discharge_and_weather_is_the_sites() -> None:
    fleet = make_fleet(8, tenants=1, sites=1)
    values = measure(fleet, days=40)
    falls = values["battery"][:, -1440:].mean(axis=1) < values["battery"][:, :1440].mean(axis=1)
    assert falls.mean() > 0.6  # a battery or two is replaced meanwhile, and a warm day lifts the voltage
    assert np.corrcoef(values["pressure"])[0].min() > 0.9


def test_noise_remembers_and_does_not_grow() -> None:
    noise = Noise.start(2000, seed=1)
    fleet = make_fleet(2000)
    ts_ms = np.full((2000, 50), MIDNIGHT_MS, dtype=np.int64)
    before = noise.state.copy()
    Signals(fleet).measure(ts_ms, 1000, noise, np.zeros(2000, dtype=bool), np.random.default_rng(2))
    assert noise.state.std() == pytest.approx(1, abs=0.1)
    assert np.corrcoef(before[0], noise.state[0])[0, 1] > 0.8


def test_a_live_plan_keeps_the_rate_and_no_device_waits_long() -> None:
    plan = live_plan(devices=200, rate=10_000, duration_s=60, pack=25, start_ms=MIDNIGHT_MS)
    assert (plan.total_readings, plan.messages * plan.devices) == (600_000, 24_000)
    slow = live_plan(devices=200, rate=100, duration_s=60, pack=25, start_ms=MIDNIGHT_MS)
    assert slow.total_readings == 6_000
    assert slow.pack * slow.step_ms <= LINGER_MS


def test_batches_cover_a_plan_once() -> None:
    plan = history_plan(devices=7, readings=10_001, hours=3, pack=13, until_ms=MIDNIGHT_MS)
    ranges = [plan.batch_range(batch) for batch in range(plan.batches)]
    assert [k for first, end in ranges for k in range(first, end)] == list(range(plan.readings))
    assert plan.total_readings >= 10_001


def test_a_rate_too_low_for_the_fleet_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match="raise --rate or --duration"):
        live_plan(devices=200, rate=1, duration_s=10, pack=25, start_ms=0)


def test_fault_rates_come_from_preset_and_overrides() -> None:
    assert set(choose_faults("none", []).values()) == {0.0}
    rates = choose_faults("all", ["late=0.25", "leak=0"])
    assert rates == {name: fault.rate for name, fault in FAULTS.items()} | {"late": 0.25, "leak": 0.0}


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("some", [], "expected all or none"),
        ("none", ["rust=0.1"], "no fault is called 'rust'"),
        ("none", ["late"], "expected NAME=RATE"),
        ("none", ["late=1.5"], "share from 0 to 1"),
        ("none", ["late=0.6", "duplicate=0.6"], "of readings add up to 1.2"),
    ],
)
def test_bad_faults_are_refused(preset: str, overrides: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_faults(preset, overrides)


def test_lasting_faults_strike_their_share() -> None:
    struck = [strikes(1, "stuck", f"device-{d}", spell, 0.2) for d in range(100) for spell in range(100)]
    assert np.mean(struck) == pytest.approx(0.2, abs=0.02)


def test_durations_and_times() -> None:
    assert [seconds(text) for text in ("90s", "5m", "24h", "7d", "3")] == [90, 300, 86_400, 604_800, 3]
    assert epoch_ms("1970-01-01T01:00:00+01:00") == 0
    for text in ("", "0s", "soon", "-5m"):
        with pytest.raises(ValueError, match="is no duration"):
            seconds(text)
    with pytest.raises(ValueError, match="has no zone"):
        epoch_ms("2026-01-01T00:00:00")
