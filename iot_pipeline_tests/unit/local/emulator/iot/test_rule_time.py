"""`parse_time` of rule SQL: what the documentation's examples give, and what is refused by name."""

from datetime import UTC, datetime

import pytest

from infra.local.emulator.iot.rule_sql import Message, compile_expression
from infra.local.emulator.iot.rule_time import CALL, PatternError, formatter
from infra.stacks.ingest.direct import OBJECT_KEY

# 1 January 2026, 00:30:05.007 UTC; in New York it is still last year.
MOMENT = 1_767_227_405_007


@pytest.mark.parametrize(
    ("pattern", "zone", "text"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", None, "2026-01-01T00:30:05.007"),
        ("yyyy/M/d H:m:s", "UTC", "2026/1/1 0:30:5"),
        ("yyyy-MM-dd'T'HH", "America/New_York", "2025-12-31T19"),
        ("'o''clock' HH", None, "o'clock 00"),
        ("''yyyy", None, "'2026"),
        ("", None, ""),
    ],
)
def test_patterns_are_joda_s(pattern: str, zone: str | None, text: str) -> None:
    assert formatter(pattern, zone)(MOMENT) == text


@pytest.mark.parametrize(
    ("pattern", "zone", "said"),
    [
        ("yy", None, "knows no 'yy'"),
        ("MMM", None, "knows no 'MMM'"),
        ("yyyy z", None, "knows no 'z'"),
        ("SS", None, "knows no 'SS'"),
        ("yyyy 'x", None, "an apostrophe that nothing closes"),
        ("yyyy", "Atlantis/Centre", "no time zone 'Atlantis/Centre'"),
        ("yyyy", "../etc/passwd", "no time zone"),
    ],
)
def test_what_is_not_known_is_refused_by_name(pattern: str, zone: str | None, said: str) -> None:
    with pytest.raises(PatternError, match=said):
        formatter(pattern, zone)


def test_an_expression_of_a_message() -> None:
    message = Message("dt/a", b'{"at": 1767227405007, "text": "1"}', None)
    assert compile_expression("""parse_time("yyyy'-'HH", at)""")(message) == "2026-00"
    assert compile_expression("""parse_time("yyyy", at, 'America/New_York')""")(message) == "2025"
    now = compile_expression("""parse_time("yyyy-MM-dd'T'HH:mm:ss", timestamp(), "UTC")""")(message)
    assert abs((datetime.fromisoformat(f"{now}+00:00") - datetime.now(UTC)).total_seconds()) < 60


def test_the_prototype_s_objects_are_in_folders_of_hours() -> None:
    begin, end = OBJECT_KEY.index("${parse_time") + 2, OBJECT_KEY.index("}")
    call = CALL.fullmatch(OBJECT_KEY[begin:end])
    assert call is not None
    assert formatter(call[1], call[3])(MOMENT) == "year=2026/month=01/day=01/hour=00"
