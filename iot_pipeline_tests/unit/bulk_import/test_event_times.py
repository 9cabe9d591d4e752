"""Times of columns, held against the contract's own reading of a time and against Python's zones."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.bulk_import.event_times import EventTimes
from iot_pipeline.bulk_import.mapping import EventTime, MappingError
from iot_pipeline.contract.event_time import epoch_ms

_ISO = EventTime("at", "iso8601", None, "reject")
_MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2250, 1, 1))  # noqa: DTZ001 - the zone is drawn beside it
_OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def _read(spec: EventTime, values: pa.Array) -> list[int | None]:
    found: list[int | None] = EventTimes(spec).read(values)[0].to_pylist()
    return found


@given(st.lists(st.tuples(_MOMENTS, _OFFSETS), min_size=1, max_size=20), st.sampled_from(["T", " "]))
def test_times_with_a_zone_are_those_of_the_contract(drawn: list[tuple[datetime, timezone]], between: str) -> None:
    texts = [moment.replace(tzinfo=zone).isoformat() for moment, zone in drawn]
    sent = pa.array([text.replace("T", between) for text in texts])
    assert _read(_ISO, sent) == [epoch_ms(text) for text in texts]


@given(
    st.lists(st.text(alphabet="0123456789-:TZ.+ ", min_size=1, max_size=26), min_size=1, max_size=10),
    st.lists(_MOMENTS, max_size=3),
)
def test_what_the_contract_takes_for_no_time_is_none(texts: list[str], moments: list[datetime]) -> None:
    """One bad text changes nothing of its neighbours; what is taken is what the contract would take it for."""
    good = [f"{moment.isoformat()}Z" for moment in moments]
    found = _read(_ISO, pa.array([*texts, *good]))
    assert found[len(texts) :] == [epoch_ms(text) for text in good]
    for text, ms in zip(texts, found, strict=False):
        assert ms is None or ms == epoch_ms(text.replace(" ", "T"))


_BEFORE_2037 = st.datetimes(datetime(1970, 1, 2), datetime(2036, 12, 30))  # noqa: DTZ001 - as above


@given(
    st.lists(_BEFORE_2037, min_size=1, max_size=30),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo"]),
)
def test_local_times_are_those_of_pythons_zones(moments: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    sent = [(moment.replace(tzinfo=UTC).astimezone(zone)) for moment in moments]
    texts = pa.array([local.replace(tzinfo=None).isoformat() for local in sent])
    for ambiguous, fold in (("earlier", 0), ("later", 1)):
        spec = EventTime("at", "iso8601", name, ambiguous)  # type: ignore[arg-type]  # one of its texts
        expected = [
            epoch_ms(local.replace(fold=fold).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z") for local in sent
        ]
        assert _read(spec, texts) == expected


@pytest.mark.parametrize("form", ["iso8601", "%Y-%m-%d %H:%M"])
@pytest.mark.parametrize(
    ("ambiguous", "twice"), [("reject", None), ("earlier", "2026-10-25T00:30Z"), ("later", "2026-10-25T01:30Z")]
)
def test_what_a_change_of_the_clocks_brings(
    form: str, ambiguous: Literal["reject", "earlier", "later"], twice: str | None
) -> None:
    times = EventTimes(EventTime("at", form, "Europe/Berlin", ambiguous))
    found, why = times.read(pa.array(["2026-10-25 02:30", "2026-03-29 02:30", "2026-07-01 12:00", None]))
    assert found.to_pylist() == [twice and epoch_ms(twice), None, epoch_ms("2026-07-01T10:00Z"), None]
    assert "never showed" in why[1]
    assert ("showed this time twice" in why.get(0, "")) == (ambiguous == "reject")
    assert set(why) <= {0, 1}


def test_local_times_that_arrow_would_get_wrong_are_refused() -> None:
    found, why = EventTimes(EventTime("at", "iso8601", "Europe/Berlin", "earlier")).read(
        pa.array(["2038-04-01 02:00:00", "2038-04-01 02:00:00+02:00"])
    )
    assert found.to_pylist() == [None, epoch_ms("2038-04-01T00:00Z")]
    assert "are not read" in why[0]


def test_a_time_without_a_zone_is_none_unless_the_mapping_names_one() -> None:
    found, why = EventTimes(_ISO).read(pa.array(["2026-07-01T12:00:00", "2026-07-01T12:00:00Z"]))
    assert found.to_pylist() == [None, epoch_ms("2026-07-01T12:00:00Z")]
    assert "says no zone" in why[0]


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        ("epoch_ms", ["1767225600123", "-1", "1.5", "x"], [1767225600123, None, None, None]),
        ("epoch_s", ["1767225600", "1767225600.1235", "x", ""], [1767225600000, 1767225600124, None, None]),
        ("epoch_s", [1767225600.5, float("nan"), None], [1767225600500, None, None]),
        ("epoch_s", [1767225600, 2**63 - 1, -(2**63)], [1767225600000, None, None]),
        ("epoch_ms", [1767225600123, 10**14], [1767225600123, None]),
        ("epoch_ms", [1767225600122.5, float("inf")], [1767225600123, None]),
        ("epoch_ms", pa.array([1767225600123, 2**64 - 1], pa.uint64()), [1767225600123, None]),
        ("%d.%m.%Y %H:%M:%S%z", ["01.01.2026 01:00:00+0100", "31.02.2026 00:00:00+0000"], [1767225600000, None]),
    ],
)
def test_other_forms(form: str, values: list[object] | pa.Array, expected: list[int | None]) -> None:
    assert _read(EventTime("at", form, None, "reject"), pa.array(values)) == expected


def test_times_of_parquet_keep_their_zone_and_are_rounded_half_up() -> None:
    plain = EventTime("at", None, None, "reject")
    sent = pa.array([1_767_225_600_000_500, 1_767_225_600_000_499, None], pa.timestamp("us", "America/New_York"))
    assert _read(plain, sent) == [1_767_225_600_001, 1_767_225_600_000, None]
    nanos = pa.array([1_767_225_600_000_500_999], pa.timestamp("ns", "UTC"))
    assert _read(plain, nanos) == [1_767_225_600_001]
    found, why = EventTimes(plain).read(pa.array([0, -(2**63), 2**63 - 1], pa.timestamp("ms", "UTC")))
    assert found.to_pylist() == [0, None, None], "a number that microseconds cannot count is no time"
    assert why == dict.fromkeys((1, 2), "expected a time before the year 10000")
    with pytest.raises(MappingError, match="without a zone"):
        EventTimes(plain).check_type(pa.timestamp("ms"), "a.parquet")
    with pytest.raises(MappingError, match=r"of type int64; expected a ts\.format"):
        EventTimes(plain).check_type(pa.int64(), "a.parquet")
    berlin = EventTime("at", None, "Europe/Berlin", "reject")
    assert _read(berlin, pa.array([0], pa.timestamp("ms"))) == [-3_600_000]
