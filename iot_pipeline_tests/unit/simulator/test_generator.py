"""What the generator says about its messages must be what the contract says about their bytes."""

from collections import Counter
from typing import Any

import jsonschema
import orjson
import pandas as pd
import pytest

from iot_pipeline.contract import CONTRACT, MAX_MESSAGE_BYTES, Reason, message_schema
from iot_pipeline.contract.judged_reading import Reading
from iot_pipeline_tests.support.messages import judged
from simulator.faults import FAULTS, Scope, choose_faults, of_scope
from simulator.fleet import make_fleet
from simulator.generator import Batch, Generator
from simulator.plan import Plan, history_plan, live_plan
from simulator.rows import METRIC_NAMES
from simulator.state import State

NOW_MS = 1_795_000_000_000
FLEET = make_fleet(devices=12, seed=3)
NONE = choose_faults("none", [])


def history(readings: int = 6_000, pack: int = 20) -> Plan:
    return history_plan(len(FLEET.devices), readings, hours=24, pack=pack, until_ms=NOW_MS)


def live(duration_s: float = 30) -> Plan:
    return live_plan(len(FLEET.devices), rate=240, duration_s=duration_s, pack=20, start_ms=NOW_MS)


def generate(plan: Plan, rates: dict[str, float], state: State | None = None) -> list[Batch]:
    generator = Generator(FLEET, plan, rates, state or State.start(FLEET))
    batches = []
    while not generator.finished:
        batches.append(generator.next_batch())
    return batches


def payloads(batches: list[Batch]) -> list[bytes]:
    return [message.payload for batch in batches for message in batch.messages]


def rows(batches: list[Batch]) -> pd.DataFrame:
    frame: pd.DataFrame = pd.concat([batch.rows.to_pandas() for batch in batches], ignore_index=True)
    return frame


def truth_of(batches: list[Batch], plan: Plan) -> list[Reading]:
    result = []
    for batch in batches:
        for message in batch.messages:
            received_ms = message.due_ms if plan.paced else plan.end_ms
            result += judged(message.payload, FLEET.devices[message.device].device_id, received_ms)
    return result


def only(fault: str) -> dict[str, float]:
    rate = 0.3 if FAULTS[fault].scope in (Scope.READING, Scope.MESSAGE) else 0.5
    return choose_faults("none", [f"{fault}={rate}"])


def everything() -> dict[str, float]:
    rates = [f"{name}=0.04" for name in of_scope(Scope.READING)]
    rates += [f"{name}=0.05" for name in of_scope(Scope.MESSAGE)]
    return choose_faults("none", [*rates, "stuck=0.3", "outage=0.2", "leak=0.5"])


def assert_as_the_contract_says(batches: list[Batch], plan: Plan) -> None:
    expected, truth = rows(batches), truth_of(batches, plan)
    assert expected["outcome"].tolist() == [str(reading.outcome) for reading in truth]
    for row, reading in zip(expected.to_dict("records"), truth, strict=True):
        if reading.outcome != "valid":
            assert all(pd.isna(row[name]) for name in METRIC_NAMES)
            continue
        assert (row["ts_ms"], row["seq"]) == (reading.event_ms, reading.seq)
        values: dict[str, Any] = {name: row[name] for name in METRIC_NAMES if not pd.isna(row[name])}
        assert values == pytest.approx(reading.values, abs=1e-9)
        for name in ("lat", "lon"):
            assert (None if pd.isna(row[name]) else row[name]) == getattr(reading, name)
        sent = {name: orjson.loads(text or "null") for name, text in (reading.extras or {}).items()}
        assert (None if pd.isna(row["extras"]) else orjson.loads(row["extras"])) == (sent or None)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("plan", [history(2_400), live(10)], ids=["history", "live"])
def test_each_fault_has_the_outcome_that_the_contract_gives_it(fault: str, plan: Plan) -> None:
    batches = generate(plan, only(fault))
    assert_as_the_contract_says(batches, plan)
    if not (fault == "outage" and not plan.paced):
        assert rows(batches)["faults"].str.contains(fault).any(), "the fault never struck"


@pytest.mark.parametrize("plan", [history(), live()], ids=["history", "live"])
def test_faults_together_have_the_outcome_that_the_contract_gives_them(plan: Plan) -> None:
    batches = generate(plan, everything())
    assert_as_the_contract_says(batches, plan)
    no_devices_doing = {Reason.UNREADABLE_OBJECT, Reason.NOT_FROM_INGEST}
    assert set(rows(batches)["outcome"]) == {"valid", *(str(reason) for reason in set(Reason) - no_devices_doing)}


@pytest.mark.parametrize("plan", [history(), live()], ids=["history", "live"])
def test_messages_without_faults_fit_the_schema_and_the_broker(plan: Plan) -> None:
    validator = jsonschema.Draft202012Validator(
        message_schema(CONTRACT), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    for payload in payloads(generate(plan, NONE)):
        validator.validate(orjson.loads(payload))
        assert len(payload) < MAX_MESSAGE_BYTES


def test_the_plan_is_kept_to_the_reading() -> None:
    batches = generate(history(6_000, pack=7), NONE)
    readings = rows(batches)
    assert len(readings) == 6_000
    assert readings["ts_ms"].between(NOW_MS - 24 * 3_600_000, NOW_MS).all()
    by_hour = ((readings["ts_ms"] - NOW_MS) // 3_600_000).value_counts()
    assert by_hour.max() <= 1.1 * by_hour.min()


def test_the_same_seed_and_options_give_the_same_bytes() -> None:
    assert payloads(generate(history(), everything())) == payloads(generate(history(), everything()))


def test_another_seed_gives_other_bytes() -> None:
    other = Generator(make_fleet(devices=12, seed=4), history(), NONE, State.start(make_fleet(12, seed=4)))
    assert payloads([other.next_batch()]) != payloads(generate(history(), NONE)[:1])


def test_a_restart_between_batches_changes_nothing() -> None:
    plan, undisturbed = history(), generate(history(), everything())
    assert len(undisturbed) > 1
    restarted, state = [], State.start(FLEET)
    for _ in undisturbed:
        generator = Generator(FLEET, plan, everything(), state)
        restarted.append(generator.next_batch())
        state = State.from_json(orjson.loads(orjson.dumps(generator.state)))
    assert payloads(restarted) == payloads(undisturbed)


def test_a_key_comes_twice_only_for_duplicates_and_conflicts() -> None:
    batches = generate(history(), everything())
    devices = [batch.messages[index].device for batch in batches for index in batch.rows["message_index"].to_pylist()]
    readings = rows(batches).assign(device=devices)
    valid = readings[(readings["outcome"] == "valid") & ~readings["faults"].str.contains("duplicate|conflict")]
    assert not valid.duplicated(["device", "seq"]).any()


def test_positions_count_the_readings_of_each_message() -> None:
    for batch in generate(history(), everything()):
        sizes = Counter(batch.rows["message_index"].to_pylist())
        assert sorted(sizes) == list(range(len(batch.messages)))
        expected = [position for index in sorted(sizes) for position in range(1, sizes[index] + 1)]
        assert batch.rows["position"].to_pylist() == expected


def test_a_stuck_sensor_repeats_itself_across_batches() -> None:
    readings = rows(generate(history(12_000), choose_faults("none", ["stuck=1"])))
    assert readings["faults"].eq("stuck").all()
    batches = generate(history(12_000), choose_faults("none", ["stuck=1"]))
    first_device = pd.concat(
        [batch.rows.to_pandas()[[m.device == 0 for m in batch.messages for _ in range(20)]] for batch in batches]
    )
    spells = first_device.groupby(first_device["seq"] // 100)[["temperature", "humidity"]].nunique()
    assert len(spells) > 5
    assert (spells["temperature"] == 1).all()
    assert (spells["humidity"] <= 1).all(), "not every device has such a sensor"


def test_a_living_sensor_of_humidity_does_not_repeat_itself() -> None:
    batches = generate(history(12_000), NONE)
    devices = [batch.messages[index].device for batch in batches for index in batch.rows["message_index"].to_pylist()]
    readings = rows(batches).assign(device=devices).dropna(subset="humidity").sort_values(["device", "ts_ms"])
    changes = readings["humidity"].ne(readings["humidity"].shift()).cumsum()
    assert len(readings) > 5000
    assert readings.groupby(["device", changes]).size().max() < 15


def test_an_outage_delays_messages_and_keeps_their_order() -> None:
    rates = choose_faults("none", ["outage=0.5"])
    delayed = [m for batch in generate(live(), rates) for m in batch.messages]
    prompt = [m for batch in generate(live(), NONE) for m in batch.messages]
    assert any(late.due_ms > soon.due_ms for late, soon in zip(delayed, prompt, strict=True))
    for device in range(len(FLEET.devices)):
        dues = [message.due_ms for message in delayed if message.device == device]
        assert dues == sorted(dues)


def test_a_message_too_large_for_the_broker_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match="--pack"):
        history_plan(1, 10, 1, pack=501, until_ms=NOW_MS)
    plan = Plan(len(FLEET.devices), NOW_MS, 1000, 3_000, 3_000, paced=False)
    with pytest.raises(ValueError, match=r"acme-berlin-0001 has .* lower --pack"):
        Generator(FLEET, plan, NONE, State.start(FLEET)).next_batch()
