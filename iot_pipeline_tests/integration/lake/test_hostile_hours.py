"""An hour of all that a device can send: it is built whole, its books balance, and what is curated loads."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.warehouse.load import Loader
from iot_pipeline_tests.support.hours import loaded_rows
from iot_pipeline_tests.support.messages import JUDGE, METER, RawZone, build, curated, line, message, reading
from iot_pipeline_tests.support.payloads import CHARACTERS, Payloads


def at_the_edges(at: datetime) -> Iterator[bytes]:
    """Valid lines with every character that stores take, and the longest texts, in as many bytes as they can have."""
    taken = [character for character in CHARACTERS if character != "\0"]
    for number, character in enumerate(taken):
        sent = reading(at, number, temperature=20, x=character, **{character: [character]})
        yield line(message(sent, fw=character), at, METER)
        plain = json.dumps({"v": 1, "readings": [sent], "fw": "1"}, ensure_ascii=False)
        if character >= " ":
            yield line(plain.encode(), at + timedelta(seconds=1), METER)
    for number, character in enumerate("x\x01é\uffff🌡", len(taken)):
        longest = 15_998 // (len(json.dumps(character, ensure_ascii=False)) - 2)
        sent = reading(at, number, temperature=20, x=character * longest, **{character * 16_000: 1})
        yield line(message(sent, fw=character * 64), at, METER)


def hostile_lines(at: datetime) -> list[bytes]:
    """With duplicates and conflicts among them."""
    generated = list(Payloads(3, CONTRACT, at).lines(3_000, METER))
    others = [each.replace(b'"humidity":', b'"Humidity":') for each in generated[:1_000] if b'"humidity":' in each]
    return [*generated, *generated[:500], *others, *at_the_edges(at)]


def test_an_hour_of_hostile_lines_balances_and_loads(loader: Loader, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    lines = hostile_lines(arrival.start + timedelta(minutes=11, milliseconds=123))
    raw.put(arrival, lines[::2])
    raw.put(arrival, lines[1::2])
    event_hours = build(lake, [arrival])
    verdicts = [judged.outcome for each in lines for judged in JUDGE.line(each)]
    valid = verdicts.count("valid")
    (books,) = lake.arrival_balances([arrival])
    assert books.balances
    assert (books.received, books.valid, books.quarantined) == (len(verdicts), valid, len(verdicts) - valid)
    balances = lake.event_balances(event_hours)
    assert [str(balance) for balance in balances if not balance.balances] == []
    assert sum(balance.valid for balance in balances) == valid
    assert sum(balance.built.duplicates for balance in balances) > 0
    assert sum(balance.built.conflicts for balance in balances) > 0
    loaded = loader.load(event_hours)
    assert {hour.hour: hour.rows for hour in loaded} == {balance.hour: balance.built.rows for balance in balances}
    for hour in event_hours:
        assert loaded_rows(loader.connection, hour) == curated(lake, [hour])
