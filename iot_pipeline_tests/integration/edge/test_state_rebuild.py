"""A lost table of states, rebuilt from the lines of the raw zone."""

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.state_rebuild import StateRebuild
from iot_pipeline_tests.support.edge import NOON_MS, Edge, event, line, reading

SECOND = 1_000
LINES = [
    line([reading(NOON_MS + n * SECOND, n, temperature=20 + n % 7)], NOON_MS + n * SECOND + 5, device=f"d{n % 3}")
    for n in range(60)
]


def said(state: DeviceState) -> tuple[str, ...]:
    """All of a state but the number of its record in the stream, which the raw zone does not know."""
    state.sequence = 0
    return (state.device, state.tenant, state.site, str(state.arrival_ms), state.encode())


def lose(edge: Edge, *devices: str) -> None:
    table = edge.settings.device_state_table
    for device in devices:
        edge.clients["dynamodb"].delete_item(TableName=table, Key={"device": {"S": device}})


def rebuilt(edge: Edge, lines: list[bytes]) -> tuple[int, list[str]]:
    rebuild = StateRebuild(edge.states, RuleSet(), Judge())
    assert rebuild.take(lines) == len(lines)
    return rebuild.save(NOON_MS)


def test_the_states_are_those_that_were_lost(edge: Edge) -> None:
    edge.handler().take(event(enumerate(LINES, 10**6)))
    before = {device: said(edge.state(device)) for device in ("d0", "d1", "d2")}
    lose(edge, "d0", "d1")
    assert edge.state("d0").version == 0
    assert rebuilt(edge, LINES) == (2, [])
    assert {device: said(edge.state(device)) for device in before} == before
    assert rebuilt(edge, LINES) == (0, [])


def test_lines_may_be_taken_part_by_part(edge: Edge) -> None:
    edge.handler().take(event(enumerate(LINES, 10**6)))
    before = said(edge.state("d0"))
    lose(edge, "d0")
    rebuild = StateRebuild(edge.states, RuleSet(), Judge())
    for part in (LINES[:40], LINES[40:]):
        rebuild.take(part)
    assert rebuild.save(NOON_MS) == (1, [])
    assert said(edge.state("d0")) == before


def test_what_comes_live_goes_on_from_the_rebuilt_state(edge: Edge) -> None:
    handler = edge.handler()
    handler.take(event(enumerate(LINES[:30], 10**6)))
    lose(edge, "d0", "d1", "d2")
    rebuilt(edge, LINES[:30])
    handler.take(event(enumerate(LINES[30:], 2 * 10**6)))
    after = said(edge.state("d1"))
    lose(edge, "d1")
    edge.handler().take(event(enumerate(LINES, 3 * 10**6)))
    assert said(edge.state("d1")) == after


def test_a_device_that_was_heard_of_meanwhile_keeps_what_it_said(edge: Edge) -> None:
    rebuild = StateRebuild(edge.states, RuleSet(), Judge())
    rebuild.take(LINES[:30])
    edge.handler().take(event([(10**6, LINES[30])]))
    live = said(edge.state("d0"))
    assert rebuild.save(NOON_MS) == (2, ["d0"])
    assert said(edge.state("d0")) == live
