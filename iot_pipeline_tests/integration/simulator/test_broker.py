"""The simulator against a broker with certificates and policies: nothing acknowledged is lost, whatever is killed."""

import json
import select
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from iot_pipeline_tests.support.broker import REGION, Broker
from iot_pipeline_tests.support.messages import judged
from simulator.faults import choose_faults
from simulator.fleet import load_fleet
from simulator.generator import Generator
from simulator.manifest import expected_ledger, read_manifest
from simulator.plan import history_plan
from simulator.publisher import now_ms
from simulator.state import State

pytestmark = pytest.mark.integration

DEVICES = 20


@pytest.fixture(scope="module")
def fleet(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    broker.onboard(folder, DEVICES)
    return folder


@pytest.fixture
def quiet(broker: Broker) -> Broker:
    """The broker with nothing left in the queue."""
    broker.received()
    return broker


class _Network:
    """A TCP relay to a port that can cut every connection, once or for good."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._commands, self._control = socket.socketpair()
        self._thread = threading.Thread(target=self._relay)
        self._thread.start()

    def cut(self, for_good: bool = False) -> None:
        self._control.send(b"x" if for_good else b"c")

    def close(self) -> None:
        self._control.send(b"q")
        self._thread.join()

    def _relay(self) -> None:
        listening = True
        while True:
            waiting = [self._commands, *self._pairs, *([self._listener] if listening else [])]
            for ready in select.select(waiting, [], [])[0]:
                if ready is self._commands:
                    command = self._commands.recv(1)
                    self._drop(list(self._pairs))
                    if command == b"q":
                        return
                    if command == b"x":
                        listening = False
                        self._listener.close()
                    break
                if ready is self._listener:
                    device, _ = self._listener.accept()
                    broker_side = socket.create_connection(("127.0.0.1", self._target))
                    self._pairs |= {device: broker_side, broker_side: device}
                elif ready in self._pairs:
                    self._forward(ready)

    def _forward(self, ready: socket.socket) -> None:
        try:
            data = ready.recv(65536)
            if data:
                self._pairs[ready].sendall(data)
                return
        except ConnectionError:
            pass  # ended by either side: both are dropped below
        self._drop([ready, self._pairs[ready]])

    def _drop(self, sockets: list[socket.socket]) -> None:
        for item in sockets:
            self._pairs.pop(item, None)
            item.close()


@pytest.fixture
def network(quiet: Broker) -> Iterator[_Network]:
    relay = _Network(quiet.mqtt_port)
    yield relay
    relay.close()


def assert_all_arrived(received: Counter[tuple[str, bytes]], out: Path, received_ms: int) -> pd.DataFrame:
    """Every acknowledged message arrived, none was invented, and only those marked `resent` came twice."""
    manifest = read_manifest(out)
    messages = manifest.drop_duplicates("publish_order")
    extra = received.total() - len(messages)
    assert 0 <= extra <= (messages["sends"] - 1).sum()
    expected = Counter(zip(manifest["device_id"], manifest["outcome"], strict=True))
    once: Counter[tuple[str, str]] = Counter()
    again: Counter[tuple[str, str]] = Counter()
    for (topic, payload), times in received.items():
        device_id = topic.split("/")[3]
        for reading in judged(payload, device_id, received_ms):
            once[device_id, str(reading.outcome)] += 1
            again[device_id, str(reading.outcome)] += times - 1
    # Two messages without content of their own may have the same bytes, so `again` is not only what was resent.
    assert not expected - (once + again)
    assert not once - expected
    return manifest


def test_a_live_run_with_all_faults_arrives_as_the_manifest_says(quiet: Broker, fleet: Path, tmp_path: Path) -> None:
    faults = ["--faults", "all", "--fault", "malformed=0.05", "--fault", "not_a_message=0.05", "--fault", "outage=0.1"]
    quiet.simulate("run", str(fleet), "--rate", "1000", "--duration", "5s", "--out", str(tmp_path), *faults)
    manifest = assert_all_arrived(quiet.received(), tmp_path, now_ms())
    assert not manifest["resent"].any()
    assert len(manifest["outcome"].unique()) > 10
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["devices"] == DEVICES
    assert summary["readings"] == len(manifest) == sum(summary["by_outcome"].values())
    assert json.loads(quiet.simulate("summary", str(tmp_path), "--json"))["readings"] == len(manifest)


def test_a_simulator_killed_in_the_middle_ends_as_an_undisturbed_one(
    quiet: Broker, fleet: Path, tmp_path: Path
) -> None:
    until = pd.Timestamp.now("UTC").floor("ms")
    options = ["--history", "24h", "--readings", "60000", "--until", until.isoformat(), "--faults", "all"]
    command = ["run", str(fleet), "--out", str(tmp_path), "--pack", "50", "--inflight", "60", *options]
    kills = 0
    for at_least in (150, 400, 700):
        process = quiet.simulator(*command)
        while quiet.waiting() < at_least and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills == 3, "the simulator ended before it could be killed"
    quiet.simulate("summary", str(tmp_path))
    assert 0 < len(read_manifest(tmp_path)) < 60_000
    quiet.simulate(*command)

    manifest = assert_all_arrived(quiet.received(), tmp_path, now_ms())
    assert 0 < manifest.drop_duplicates("publish_order")["resent"].sum() <= 3 * 60
    for _, messages in manifest.drop_duplicates("publish_order").groupby("device_id"):
        assert messages["message"].tolist() == list(range(1, len(messages) + 1))
    loaded = load_fleet(fleet)
    plan = history_plan(DEVICES, 60_000, 24, 50, int(until.timestamp() * 1000))
    generator = Generator(loaded, plan, choose_faults("all", []), State.start(loaded))
    batches = []
    while not generator.finished:
        batches.append(generator.next_batch().rows.to_pandas())
    undisturbed = pd.concat(batches, ignore_index=True)
    columns = ["ts_ms", "seq", "position", "temperature", "battery", "lat", "extras", "faults", "outcome"]
    pd.testing.assert_frame_equal(manifest[columns], undisturbed[columns], check_dtype=False)


def test_an_interrupt_ends_a_run_in_order(quiet: Broker, fleet: Path, tmp_path: Path) -> None:
    process = quiet.simulator("run", str(fleet), "--rate", "500", "--duration", "10m", "--out", str(tmp_path))
    while quiet.waiting() == 0 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert_all_arrived(quiet.received(), tmp_path, now_ms())


def test_sequence_numbers_are_not_used_again(quiet: Broker, fleet: Path, tmp_path: Path) -> None:
    for _ in range(2):
        quiet.simulate("run", str(fleet), "--rate", "200", "--duration", "1s", "--out", str(tmp_path))
    manifest = read_manifest(tmp_path)
    assert not manifest.duplicated(["device_id", "seq"]).any()
    assert manifest["seq"].max() == len(manifest) / DEVICES


def test_a_csv_file_is_replayed(quiet: Broker, fleet: Path, tmp_path: Path) -> None:
    lines = [f"2013-12-02 21:{minute:02}:00,{70 + minute}" for minute in (*range(30), 7)]
    (tmp_path / "machine.csv").write_text("\n".join(["timestamp,value", *lines, "soon,1"]))
    output = quiet.simulate(
        *("replay", str(tmp_path / "machine.csv"), str(fleet), "--map", "temperature=value", "--unit", "temperature=F"),
        *(
            "--time-zone",
            "UTC",
            "--rebase",
            "--seq-from-time",
            "--skip-bad-rows",
            "--pack",
            "10",
            "--out",
            str(tmp_path),
        ),
    )
    assert "line 33, column 'timestamp' (#1): 'soon', expected an ISO-8601 time" in output
    manifest = assert_all_arrived(quiet.received(), tmp_path, now_ms())
    assert manifest["outcome"].tolist() == ["valid"] * 31
    assert manifest["temperature"].iloc[0] == pytest.approx((70 - 32) * 5 / 9)
    ledger = expected_ledger(tmp_path)
    assert (ledger.messages, ledger.curated, ledger.duplicates, ledger.conflicts) == (4, 30, 1, 0)


def test_lost_connections_are_made_again_and_nothing_is_lost(
    quiet: Broker, network: _Network, fleet: Path, tmp_path: Path
) -> None:
    process = quiet.simulator(
        *("run", str(fleet), "--history", "1h", "--readings", "40000", "--pack", "20", "--inflight", "100"),
        *("--out", str(tmp_path), "--endpoint", f"localhost:{network.port}"),
    )
    for at_least in (200, 800):
        while quiet.waiting() < at_least and process.poll() is None:
            time.sleep(0.01)
        network.cut()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    manifest = assert_all_arrived(quiet.received(), tmp_path, now_ms())
    assert manifest["resent"].any()
    assert len(manifest) == 40_000


def test_what_the_broker_refuses_is_counted_and_not_tried_for_ever(quiet: Broker, tmp_path: Path) -> None:
    arn = f"arn:aws:iot:{REGION}:000000000000:*"
    statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    quiet.iot.create_policy(policyName="connect-only", policyDocument=document)
    quiet.onboard(tmp_path, 2, "--seed", "5", "--tenants", "1", "--sites", "1", policy="connect-only")
    process = quiet.simulator("run", str(tmp_path), "--rate", "40", "--duration", "1s", "--drain-timeout", "5s")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "messages rejected by the broker, MQTT reason 135" in output
    assert expected_ledger(tmp_path / "out").readings == 0
    assert not quiet.received()


def test_an_unreachable_broker_is_reported_and_the_outbox_kept(
    quiet: Broker, network: _Network, fleet: Path, tmp_path: Path
) -> None:
    process = quiet.simulator(
        *("run", str(fleet), "--rate", "400", "--duration", "3s", "--drain-timeout", "1s"),
        *("--out", str(tmp_path), "--endpoint", f"localhost:{network.port}"),
    )
    while quiet.waiting() == 0 and process.poll() is None:
        time.sleep(0.01)
    network.cut(for_good=True)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "messages are unacknowledged" in output
    quiet.simulate("run", str(fleet), "--rate", "20", "--duration", "1s", "--out", str(tmp_path))
    manifest = assert_all_arrived(quiet.received(), tmp_path, now_ms())
    assert len(manifest) == 400 * 3 + 20
