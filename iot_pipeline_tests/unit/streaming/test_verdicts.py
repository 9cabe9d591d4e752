"""What a part of a micro-batch comes to: one row for each key and values, all else counted or kept."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.contract.aggregation import UserRecord, aggregated
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.reasons import Reason
from iot_pipeline.streaming.verdicts import StreamRecord, Verdicts, judge_records
from iot_pipeline_tests.support.messages import JUDGE, Sender, line, message, reading

AT = datetime(2026, 11, 5, 12, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1000)


def _judged(*lines: bytes) -> Verdicts:
    return judge_records([StreamRecord(str(number), data) for number, data in enumerate(lines)], JUDGE)


def test_repeated_readings_are_one_row_with_the_latest_arrival() -> None:
    first = line(message(reading(AT, 1), reading(AT, 2), fw="1.0"), AT)
    again = line(message(reading(AT, 2), fw="1.1"), AT + timedelta(seconds=1))
    found = _judged(first, again)
    assert found.outcomes == {"valid": 3}
    rows = {row["seq"]: row for row in found.versions}
    assert [(seq, row["receptions"]) for seq, row in sorted(rows.items())] == [(1, 1), (2, 2)]
    assert (rows[2]["received_at"], rows[2]["position"], rows[2]["fw"]) == (AT_MS + 1000, 1, "1.1")
    assert (found.first_received, found.last_received) == (AT_MS, AT_MS + 1000)


def test_an_older_arrival_that_comes_later_changes_only_the_count() -> None:
    late = line(message(reading(AT, 1)), AT + timedelta(seconds=5))
    early = line(message(reading(AT, 9), reading(AT, 1)), AT)
    (row,) = [row for row in _judged(late, early).versions if row["seq"] == 1]
    assert (row["received_at"], row["position"], row["receptions"]) == (AT_MS + 5000, 1, 2)


def test_other_values_of_a_key_stay_apart_and_so_do_the_two_zeros() -> None:
    values = (20.0, 21.0, 0.0, -0.0)
    found = _judged(*(line(message(reading(AT, 1, temperature=value)), AT) for value in values))
    assert [(row["temperature"], math.copysign(1, row["temperature"])) for row in found.versions] == [
        (value, math.copysign(1, value)) for value in values
    ]


def test_values_are_in_canonical_units_and_times_in_epoch_milliseconds() -> None:
    sent = {**reading("2026-11-05T13:00:00+01:00", 7, temperature=50.0), "unit": {"temperature": "F"}, "colour": "red"}
    (row,) = _judged(line(message(sent), AT, Sender("d", "t", "s"))).versions
    assert row["temperature"] == pytest.approx(10.0)
    assert (row["event_time"], row["extras"], row["humidity"]) == (AT_MS, '{"colour":"\\"red\\""}', None)
    assert (row["tenant"], row["site"], row["device_id"]) == ("t", "s", "d")


def test_an_aggregated_record_is_taken_apart_as_firehose_does() -> None:
    sent = [line(message(reading(AT, 1), reading(AT, 2)), AT), line(message(reading(AT, 3)), AT), b"{"]
    found = _judged(aggregated([UserRecord("device", data) for data in sent]))
    assert [row["seq"] for row in found.versions] == [1, 2, 3]
    assert found.outcomes == {"valid": 3, Reason.MALFORMED_JSON: 1}
    assert (found.records, found.unjudged) == (1, [])


def test_what_breaks_the_contract_is_counted_by_its_reason() -> None:
    found = _judged(line(message(reading(None, 1), reading(AT, 2, temperature=9999)), AT), b"{", b"")
    assert found.versions == []
    assert found.outcomes == {Reason.MISSING_TS: 1, Reason.OUT_OF_RANGE: 1, Reason.MALFORMED_JSON: 2}
    assert found.unjudged == []


def test_a_line_that_breaks_the_judge_costs_itself() -> None:
    class Breaking(Judge):
        def line(self, line: bytes | str) -> list:  # type: ignore[type-arg]  # what it would return is never made
            if b"bad" in bytes(line):  # type: ignore[arg-type]  # records are bytes
                raise ZeroDivisionError("no")
            return super().line(line)

    good = line(message(reading(AT, 1)), AT)
    found = judge_records([StreamRecord("1", b"bad\n"), StreamRecord("2", good)], Breaking())
    (kept,) = found.unjudged
    assert (kept.sequence, kept.data, kept.error) == ("1", b"bad", "ZeroDivisionError('no')")
    assert (found.records, len(found.versions)) == (2, 1)
