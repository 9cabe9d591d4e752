"""What is in the outbox survives; what was acknowledged is in the manifest, exactly once."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.contract import Reason
from simulator.faults import choose_faults
from simulator.fleet import make_fleet
from simulator.generator import Batch, Generator
from simulator.manifest import ExpectedLedger, expected_ledger, read_manifest
from simulator.manifest_writer import Manifest
from simulator.outbox import NewMessage, Outbox, Pending
from simulator.plan import history_plan
from simulator.publisher import now_ms
from simulator.rows import Row, rows_table
from simulator.run import fleet_source
from simulator.state import State

ACK, NOT_AUTHORIZED = 0, 135


def append(outbox: Outbox, *messages: list[Row], device_id: str = "d1") -> list[Pending]:
    table = rows_table([row for rows in messages for row in rows])
    index = [i for i, rows in enumerate(messages) for _ in rows]
    position = [k + 1 for rows in messages for k in range(len(rows))]
    table = table.append_column("message_index", pa.array(index, pa.int32()))
    table = table.append_column("position", pa.array(position, pa.int32()))
    new = [
        NewMessage(device_id, i + 1, f"dt/acme/berlin/{device_id}/telemetry", f"message {i}".encode(), 0)
        for i, _ in enumerate(messages)
    ]
    return outbox.append(new, table)


def reading(seq: int, temperature: float = 20.0, ts_ms: int = 1_000, **changes: Any) -> Row:
    return Row(ts_ms, seq, {"temperature": temperature}, **changes)


def settle(outbox: Outbox, pending: list[Pending], reason: int = ACK) -> None:
    outbox.record([(5, message.id) for message in pending], [(6, reason, message.id) for message in pending])


def test_unanswered_messages_are_found_again_with_the_same_bytes(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    first = append(outbox, [reading(1)], [reading(2)])
    outbox.record([(5, first[0].id)], [(6, ACK, first[0].id)])
    outbox.record([(5, first[1].id)], [])
    outbox.close()
    outbox = Outbox(tmp_path)
    left = outbox.unsettled()
    assert [(message.payload, message.sent_ms) for message in left] == [(b"message 1", 5)]
    assert append(outbox, [reading(3)])[0].id > left[0].id
    outbox.close()


def test_a_killed_process_loses_nothing_it_had_stored(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from iot_pipeline_tests.unit.simulator.test_outbox import *\n"
        "outbox = Outbox(Path(sys.argv[1]))\n"
        "settle(outbox, append(outbox, [reading(1)]))\n"
        "append(outbox, [reading(2)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = str(Path(__file__).parents[3])
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path), root], check=False)
    assert killed.returncode == -9
    outbox = Outbox(tmp_path)
    assert [message.payload for message in outbox.unsettled()] == [b"message 0"]
    Manifest(tmp_path, outbox).finish()
    assert read_manifest(tmp_path)["seq"].tolist() == [1]
    outbox.close()


def test_one_simulator_at_a_time(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    with pytest.raises(BlockingIOError, match="another simulator"):
        Outbox(tmp_path)
    outbox.close()
    Outbox(tmp_path).close()


def test_the_manifest_holds_what_was_acknowledged_and_nothing_else(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    settle(outbox, append(outbox, [reading(1), reading(2)]))
    settle(outbox, append(outbox, [reading(3)]), NOT_AUTHORIZED)
    open_batch = append(outbox, [reading(4)], [reading(5)])
    settle(outbox, open_batch[:1])
    outbox.record([(8, open_batch[1].id)], [])
    outbox.record([(9, open_batch[1].id)], [])
    summary = Manifest(tmp_path, outbox).finish()
    assert read_manifest(tmp_path)["seq"].tolist() == [1, 2, 4]
    assert (summary.readings, summary.messages) == (3, 2)
    assert summary.rejected_messages == {"135": 1}
    assert summary.unacknowledged_messages == 1
    outbox.record([], [(10, ACK, open_batch[1].id)])
    Manifest(tmp_path, outbox).finish()
    rows = read_manifest(tmp_path)
    assert rows["seq"].tolist() == [1, 2, 4, 5]
    assert rows["resent"].tolist() == [False, False, False, True]
    assert rows["sends"].tolist() == [1, 1, 1, 2]
    assert rows["position"].tolist() == [1, 2, 1, 1]
    assert outbox.batches() == []
    outbox.close()


def test_a_crash_between_the_file_and_the_outbox_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path)
    settle(outbox, append(outbox, [reading(1)]))

    def crash(*_arguments: Any, **_values: Any) -> None:
        raise KeyboardInterrupt

    manifest = Manifest(tmp_path, outbox)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "forget", crash)
        with pytest.raises(KeyboardInterrupt):
            manifest.finish()
    assert list((tmp_path / "manifest").glob("part-*.parquet"))
    Manifest(tmp_path, outbox).finish()
    assert read_manifest(tmp_path)["seq"].tolist() == [1]
    outbox.close()


COPIES = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3]),  # seq
        st.sampled_from([1_000, 2_000]),  # ts_ms
        st.sampled_from([20.0, 21.0]),
        st.sampled_from([None, '{"co2":417}']),
        st.sampled_from(["valid", str(Reason.OUT_OF_RANGE)]),
    ),
    max_size=12,
)


def brute_force(copies: list[Any]) -> tuple[int, int, int]:
    """(curated, duplicates, conflicts) by the rule's own words."""
    winners = {(seq, ts): (value, extras) for seq, ts, value, extras, outcome in copies if outcome == "valid"}
    valid = [copy for copy in copies if copy[4] == "valid"]
    same = sum(winners[seq, ts] == (value, extras) for seq, ts, value, extras, _ in valid)
    return len(winners), same - len(winners), len(valid) - same


@given(COPIES)
def test_the_ledger_follows_its_rule(tmp_path_factory: pytest.TempPathFactory, copies: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("out")
    outbox = Outbox(folder)
    for seq, ts_ms, value, extras, outcome in copies:
        row = reading(seq, value, ts_ms, extras=extras)
        if outcome != "valid":
            row = row.quarantined("out_of_range", Reason.OUT_OF_RANGE)
        settle(outbox, append(outbox, [row]))
    Manifest(folder, outbox).finish()
    outbox.close()
    curated, duplicates, conflicts = brute_force(copies)
    quarantined = sum(copy[4] != "valid" for copy in copies)
    assert expected_ledger(folder) == ExpectedLedger(
        messages=len(copies),
        readings=len(copies),
        valid=len(copies) - quarantined,
        quarantined={"out_of_range": quarantined} if quarantined else {},
        curated=curated,
        duplicates=duplicates,
        conflicts=conflicts,
        resent_messages=0,
        resent_readings=0,
    )


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--out must be the folder"):
        expected_ledger(tmp_path)


def sent_by(outbox: Outbox, batch: Batch, values: dict[str, Any]) -> None:
    new = [NewMessage(f"d{m.device}", m.number, "dt/a/b/c/telemetry", m.payload, m.due_ms) for m in batch.messages]
    outbox.append(new, batch.rows, **values)


def test_a_run_goes_on_with_sequence_numbers_and_with_an_unfinished_backlog(tmp_path: Path) -> None:
    fleet, none = make_fleet(3), choose_faults("none", [])
    until_ms = now_ms()

    def plan() -> Any:
        return history_plan(3, 30_000, 24, 100, until_ms)

    undisturbed = Generator(fleet, plan(), none, State.start(fleet))
    expected = [undisturbed.next_batch() for _ in range(2)]
    outbox = Outbox(tmp_path)
    source, _, resumed = fleet_source(outbox, fleet, none, {"readings": 30_000}, plan, 1000)
    assert not resumed
    sent_by(outbox, *source.next_batch())
    outbox.close()

    outbox = Outbox(tmp_path)
    source, _, resumed = fleet_source(outbox, fleet, none, {"readings": 30_000}, plan, 1000)
    assert resumed
    assert source.next_batch()[0].messages == expected[1].messages
    other, _, resumed = fleet_source(outbox, fleet, none, {"readings": 60_000}, plan, 1000)
    assert not resumed
    batch, _ = other.next_batch()
    assert batch.rows["seq"].to_pandas().min() == expected[0].rows["seq"].to_pandas().max() + 1
    numbers = pd.Series([message.number for message in batch.messages])
    assert numbers.min() == max(message.number for message in expected[0].messages) + 1
    outbox.close()


def test_a_sensor_stays_stuck_from_one_run_to_the_next(tmp_path: Path) -> None:
    fleet, stuck = make_fleet(devices=2, seed=3), choose_faults("none", ["stuck=1"])
    outbox, told = Outbox(tmp_path), []
    for readings in (20, 40):
        plan = history_plan(2, readings, hours=1, pack=5, until_ms=now_ms())
        source, _, resumed = fleet_source(outbox, fleet, stuck, {"readings": readings}, lambda plan=plan: plan, 1000)  # type: ignore[misc]  # mypy cannot infer bound defaults
        assert not resumed
        batch, state = source.next_batch()
        sent_by(outbox, batch, state)
        frame = batch.rows.to_pandas()
        told.append(frame.assign(device=[batch.messages[index].device for index in frame["message_index"]]))
    outbox.close()
    of_device = pd.concat(told).groupby("device")["temperature"]
    assert (of_device.size() > 10).all()
    assert (of_device.nunique() == 1).all()
