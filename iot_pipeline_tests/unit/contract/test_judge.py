"""The judge alone: what it needs, what it says of a message, and that nothing a device sends makes it raise."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.contract import CONTRACT, Reason
from iot_pipeline.contract.event_time import epoch_ms
from iot_pipeline.contract.judge import Judge
from iot_pipeline_tests.support.messages import METER, line, message, reading
from iot_pipeline_tests.support.verdict_cases import MS, RECEIVED, Case, cases, row_of

CHECKOUT = Path(__file__).resolve().parents[3]
JUDGE = Judge()


def test_the_judge_needs_the_standard_library_alone() -> None:
    """Without site-packages any other import fails. Prints the time of the import, which a Lambda pays at its start."""
    code = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); import iot_pipeline.contract.judge"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    total = next(text for text in ran.stderr.splitlines() if text.endswith(" iot_pipeline.contract.judge"))
    print(f"import of iot_pipeline.contract.judge: {int(total.split('|')[1]) / 1000:.0f} ms")


def test_a_reading_says_what_was_sent_and_who_sent_it() -> None:
    sent = reading(RECEIVED, 7, temperature=212, unit={"temperature": "F"}, location={"lat": 53.5, "lon": -10}, x="é")
    (judged,) = JUDGE.line(line(message(sent, fw="1.4"), RECEIVED, trace="t-1"))
    assert (judged.outcome, judged.detail, judged.record, judged.position) == ("valid", None, None, 1)
    assert judged.values == {"temperature": pytest.approx(100.0)}
    assert (judged.event_time, judged.event_ms, judged.seq) == (RECEIVED, MS, 7)
    assert (judged.lat, judged.lon, judged.extras, judged.extras_text) == (53.5, -10.0, {"x": '"é"'}, '{"x":"\\"é\\""}')
    sender = judged.message
    assert (sender.tenant, sender.site, sender.device_id) == (METER.tenant, METER.site, METER.device)
    assert (sender.message_id, sender.fw, sender.received_at) == ("t-1", "1.4", RECEIVED)


def test_what_is_not_valid_is_kept_as_sent() -> None:
    (judged,) = JUDGE.line(line(message({"seq": 1, "b": 1e21, "a": [1.0]}), RECEIVED))
    assert (judged.outcome, judged.record) == (Reason.MISSING_TS, '{"a":[1.0],"b":1.0E21,"seq":1}')
    (judged,) = JUDGE.line(line(b"hello\xff", RECEIVED))
    assert (judged.outcome, judged.record, judged.position) == (Reason.MALFORMED_JSON, "hello\ufffd", 1)
    assert base64.b64decode(judged.message.payload_base64 or "") == b"hello\xff"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_table_of_cases(case: Case) -> None:
    assert case.differences(row_of(judged, CONTRACT) for judged in JUDGE.line(case.line)) == []


def test_a_number_beyond_a_double_is_kept_as_the_engine_writes_it() -> None:
    sent = message(*[{"temperature": "vast"}] * 5).replace(b'"vast"', b"1e400")
    assert [judged.record for judged in JUDGE.line(line(sent, RECEIVED))] == ['{"temperature":"Infinity"}'] * 5


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_line_makes_it_raise(sent: bytes | str) -> None:
    assert [each.outcome for each in JUDGE.line(sent)] in ([Reason.MALFORMED_JSON], [Reason.NOT_FROM_INGEST])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["v", "readings", "device_id", "fw", "iot_tenant", "iot_received_at", "iot_payload", "FW", "V"])


@given(st.dictionaries(NAMES, JSON), st.booleans())
def test_no_message_makes_it_raise(sent: dict[str, Any], from_ingest: bool) -> None:
    sender = METER.fields(RECEIVED, None) if from_ingest else {}
    for judged in JUDGE.line(json.dumps(sent | sender)):
        assert judged.outcome in set(Reason)
        assert judged.record is not None


@given(st.datetimes(timezones=st.timezones()))
def test_every_iso_time_with_a_zone_is_read(at: datetime) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    since = (at.astimezone(UTC) if at.year > 1 else at) - datetime(1970, 1, 1, tzinfo=UTC)
    text = at.isoformat(timespec="milliseconds")
    whole_minutes = (at.utcoffset() or timedelta()).total_seconds() % 60 == 0
    in_range = timedelta(days=-719_162) <= since <= timedelta(days=2_932_896)
    assert epoch_ms(text) == (since // timedelta(milliseconds=1) if whole_minutes and in_range else None)


@given(st.datetimes(), st.sampled_from(["seconds", "milliseconds"]))
def test_the_usual_form_of_a_time_is_what_the_others_are(at: datetime, timespec: str) -> None:
    text = at.isoformat(timespec=timespec)
    assert epoch_ms(text + "Z") == epoch_ms(text + "+00:00") is not None


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-18T24:00:30.000Z",
        "2026-11-18T24:01:00.000Z",
        "2026-11-18T09:46:60.000Z",
        "2026-11-18T09:60:00.000Z",
        "2026-11-31T09:46:40.000Z",
        "0000-11-18T09:46:40.000Z",
        "2026-11-18T09:46.000000Z",
        "2026-11-18T09:46:4\u0660.000Z",
        "2026-11-18T09:46:40.00\u0661Z",
        "2026-11-18T09:46:+1.000Z",
        "2026-11-18T09:46:40.000z",
        "2026-11-18T09:46:40.0000",
        "2026-11-18 09:46:40.000Z",
        "20261118T094640.0000000Z",
        "2026-W47-3T09:46:40.000Z",
        "2026-11-18T09:46:4Z.000Z",
    ],
)
def test_what_is_as_long_as_the_usual_form_of_a_time_may_be_none(text: str) -> None:
    assert len(text) == 24
    assert epoch_ms(text) is None


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize(("levels", "outcome"), [(97, "valid"), (98, Reason.MALFORMED_JSON)])
def test_of_many_readings_each_level_counts(separators: tuple[str, str], levels: int, outcome: str) -> None:
    deep: Any = "},{"
    for _ in range(levels):
        deep = [deep]
    readings = [{"ts": MS, "seq": seq, "temperature": 20.5, "further": deep} for seq in range(150)]
    text = json.dumps({"v": 1, "readings": readings, **METER.fields(RECEIVED, None)}, separators=separators)
    assert {judged.outcome for judged in JUDGE.line(text)} == {outcome}


def test_both_forms_of_a_time_are_one() -> None:
    for text in ("2026-11-18T09:46:40Z", "2026-11-18T09:46:40,000Z", "2026-11-18T11:16:40.0004999+01:30"):
        assert epoch_ms(text) == epoch_ms(MS) == MS
    assert epoch_ms("2026-11-18T24:00:00Z") == epoch_ms("2026-11-19T00:00Z")
    for bad in (True, 1.5, -1, 10**14, "", "2026-11-18", "2026-11-18T09:46:40", "2026-W47-3T09:46:40Z", [MS], None):
        assert epoch_ms(bad) is None
