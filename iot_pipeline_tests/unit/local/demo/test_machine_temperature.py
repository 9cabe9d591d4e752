"""The picture of a series with its labelled windows and its alerts."""

from xml.etree import ElementTree as ET

from infra.local.demo.machine_temperature import Found, picture, spans_of

HOUR = 3_600_000


def test_episodes_are_moved_back_to_the_time_of_the_file() -> None:
    episodes = [
        {"rule": "anomaly", "opened_ms": 1000 + 7 * HOUR, "resolved_ms": 1000 + 8 * HOUR},
        {"rule": "anomaly", "opened_ms": 7 * HOUR},
        {"rule": "range", "opened_ms": 0},
    ]
    assert spans_of(episodes, 5 * HOUR, 9 * HOUR) == [(2 * HOUR, 9 * HOUR), (1000 + 2 * HOUR, 1000 + 3 * HOUR)]


def test_the_picture_has_values_windows_and_alerts() -> None:
    points = [(number * HOUR, 70.0 + number % 5) for number in range(100)]
    found = Found(points, windows=[(10 * HOUR, 20 * HOUR), (50 * HOUR, 60 * HOUR)], episodes=[(15 * HOUR, 16 * HOUR)])
    assert (found.hit, found.outside) == (1, 0)
    drawn = ET.fromstring(picture(found, "a series"))
    tags = [each.tag.rpartition("}")[2] for each in drawn]
    assert (tags.count("rect"), tags.count("polyline"), tags.count("line")) == (1 + 2 + 1, 1, 1)
