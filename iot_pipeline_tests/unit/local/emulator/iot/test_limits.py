"""AWS general reference, "AWS IoT Core message broker and protocol limits and quotas"; MQTT 3.1.1 and MQTT 5, 4.7
(topic names and filters); AWS IoT developer guide, "Shared subscriptions".
"""

import pytest

from infra.local.emulator.iot import limits


@pytest.mark.parametrize(
    ("requested", "granted"),
    [(0, 1200), (1, 30), (29, 30), (30, 30), (31, 31), (1200, 1200), (1201, 1200), (65535, 1200)],
)
def test_keep_alive(requested: int, granted: int) -> None:
    assert limits.keep_alive(requested) == granted


@pytest.mark.parametrize(
    "topic",
    [
        "a",
        "/",
        " ",
        "a//b",
        "1/2/3/4/5/6/7/8",
        "t" * 256,
        "ä" * 128,
        "$aws/things/thing/shadow/name/shadow/update",
        "$aws/rules/rule/1/2/3/4/5/6/7/8",
        "$aws/rules/rule/" + "t" * 256,
    ],
)
def test_topics_that_are_fine(topic: str) -> None:
    assert limits.topic_problem(topic) is None


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("", "at least one character"),
        ("a/+/b", "wildcard"),
        ("a/#", "wildcard"),
        ("a+", "wildcard"),
        ("1/2/3/4/5/6/7/8/9", "7 slashes, not 8"),
        ("t" * 257, "256 bytes, not 257"),
        ("ä" * 129, "256 bytes, not 258"),
        ("a\0b", "U+0000"),
        ("$aws/rules/rule/1/2/3/4/5/6/7/8/9", "7 slashes, not 8"),
        ("$aws/rules/rule/" + "t" * 257, "256 bytes, not 257"),
    ],
)
def test_topics_that_are_refused(topic: str, said: str) -> None:
    assert said in str(limits.topic_problem(topic))


FINE = ["#", "+", "/", "+/+", "a/#", "/#", "a/+/b", "+/1/2/3/4/5/6/#", "f" * 256, "$aws/things/+/shadow/#"]
SHARED = ["$share/g/a", "$share/g/#", "$share/g//", "$share/g/1/2/3/4/5/6/7/8", f"$share/{'g' * 128}/{'f' * 256}"]


@pytest.mark.parametrize("topic_filter", [*FINE, *SHARED])
def test_filters_that_are_fine(topic_filter: str) -> None:
    assert limits.filter_problem(topic_filter) is None


@pytest.mark.parametrize(
    ("topic_filter", "said"),
    [
        ("", "at least one character"),
        ("a#", "whole last level"),
        ("#/a", "whole last level"),
        ("a/#/b", "whole last level"),
        ("##", "whole last level"),
        ("a+/b", "whole level"),
        ("++", "whole level"),
        ("a\0", "U+0000"),
        ("f" * 257, "256 bytes"),
        ("1/2/3/4/5/6/7/8/9", "7 slashes"),
        ("$share/", "share name"),
        ("$share//a", "share name"),
        ("$share/g", "at least one character"),
        ("$share/g/", "at least one character"),
        ("$share/+/a", "share name"),
        ("$share/g#/a", "share name"),
        (f"$share/{'g' * 129}/a", "share name"),
        ("$share/g/1/2/3/4/5/6/7/8/9", "7 slashes"),
        ("$share/g/a#", "whole last level"),
    ],
)
def test_filters_that_are_refused(topic_filter: str, said: str) -> None:
    assert said in str(limits.filter_problem(topic_filter))


@pytest.mark.parametrize("client_id", ["", "c", "c" * 128, "ä" * 64, "a b/c#+"])
def test_client_ids_that_are_fine(client_id: str) -> None:
    assert limits.client_id_problem(client_id) is None


@pytest.mark.parametrize(
    ("client_id", "said"), [("c" * 129, "128 bytes, not 129"), ("ä" * 65, "not 130"), ("$c", "`$`"), ("a\0", "U+0000")]
)
def test_client_ids_that_are_refused(client_id: str, said: str) -> None:
    assert said in str(limits.client_id_problem(client_id))
