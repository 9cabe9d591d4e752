"""Counting what was received finds as many records as judging does, of whatever was sent."""

from datetime import UTC, datetime

from iot_pipeline.contract import CONTRACT
from iot_pipeline.contract.judge import Judge, records_in
from iot_pipeline_tests.support.messages import METER
from iot_pipeline_tests.support.payloads import Payloads
from iot_pipeline_tests.support.verdict_cases import cases


def test_each_line_has_as_many_records_as_it_is_judged_to_have() -> None:
    judge, received = Judge(CONTRACT), datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)
    lines = [*(case.line for case in cases()), *Payloads(3, CONTRACT, received).lines(3_000, METER)]
    assert [line for line in lines if records_in(line) != len(judge.line(line))] == []
