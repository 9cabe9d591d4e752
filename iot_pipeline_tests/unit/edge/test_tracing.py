"""Subsegments as X-Ray's daemon gets them."""

import json
import socket
from collections.abc import Iterator

import pytest

from iot_pipeline.edge import tracing

_ROOT, _PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={_ROOT};Parent={_PARENT};Sampled=1;Lineage=a:0")
        yield listening


def _received(daemon: socket.socket) -> tuple[dict[str, object], dict[str, object]]:
    header, _, document = daemon.recv(65_536).partition(b"\n")
    return json.loads(header), json.loads(document)


def test_a_subsegment_belongs_to_the_trace_of_its_invocation(daemon: socket.socket) -> None:
    with tracing.subsegment("verdict") as metadata:
        metadata["messages"] = 3
    header, document = _received(daemon)
    assert header == {"format": "json", "version": 1}
    assert (document["trace_id"], document["parent_id"], document["type"]) == (_ROOT, _PARENT, "subsegment")
    assert (document["name"], document["metadata"]) == ("verdict", {"iot": {"messages": 3}})
    assert len(str(document["id"])) == 16
    begin, end = document["start_time"], document["end_time"]
    assert isinstance(begin, float)
    assert isinstance(end, float)
    assert begin <= end
    assert "fault" not in document
    assert tracing.trace_id() == _ROOT


def test_what_raises_is_a_fault_and_raises(daemon: socket.socket) -> None:
    with pytest.raises(ValueError, match="no"), tracing.subsegment("write"):
        raise ValueError("no")
    assert _received(daemon)[1]["fault"] is True


def test_metadata_that_no_datagram_holds_is_left_out(daemon: socket.socket) -> None:
    with tracing.subsegment("write") as metadata:
        metadata["traces"] = ["x" * 40] * 10_000
    assert _received(daemon)[1]["metadata"] == {"iot": "too large"}


@pytest.mark.parametrize(
    "header", ["", f"Root={_ROOT};Parent={_PARENT};Sampled=0", f"Root={_ROOT}", "Self=1;Root"], ids=repr
)
def test_what_is_not_sampled_sends_nothing(daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    with tracing.subsegment("verdict"):
        pass
    daemon.setblocking(False)
    with pytest.raises(BlockingIOError):
        daemon.recv(1)


def test_without_a_daemon_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS", raising=False)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={_ROOT};Parent={_PARENT};Sampled=1")
    with tracing.subsegment("verdict"):
        pass
