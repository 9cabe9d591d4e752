"""Channels against a real receiver: each told once and in order, and none held up by another that fails."""

import contextlib
import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from iot_pipeline.alerting.channels.channel_letters import Letters, Place
from iot_pipeline.alerting.channels.delivery import GIVE_UP_MS
from iot_pipeline.alerting.channels.document import ChannelsError
from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.episodes import Place as Where
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.rule_kinds import KINDS
from iot_pipeline.defs.pipeline_alerts.kinds import KINDS as PIPELINE_KINDS
from iot_pipeline.edge.dead_letters import DeadLetters, Places
from iot_pipeline.edge.replay import Replayer
from iot_pipeline_tests.support.channels import ROUTING_KEY, Channels
from iot_pipeline_tests.support.edge import NOON_MS, Edge, event, line, make_edge, reading
from iot_pipeline_tests.support.edge_functions import create_functions
from iot_pipeline_tests.support.emulator import LocalAws, eventually, unique
from iot_pipeline_tests.support.inbox import Inbox
from iot_pipeline_tests.support.receiver import Receiver, Reply

MINUTE = 60_000
HOUR = 60 * MINUTE
CLEAR, WARNING, CRITICAL = Severity
# Noon of 2026-11-21 in UTC is 13:00 in Zurich.
NIGHT = {"zone": "Europe/Zurich", "from": "22:00", "to": "07:00"}
NIGHT_MS, MORNING_MS = NOON_MS + 10 * HOUR, NOON_MS + 18 * HOUR


@pytest.fixture
def path() -> str:
    """The path of this test at the receiver."""
    return f"/{unique('hook')}"


def slack(receiver: Receiver, path: str, name: str = "ops", **more: Any) -> dict[str, Any]:
    """A channel of Slack at a path."""
    return {"name": name, "kind": "slack", "address": receiver.url(path), **more}


def pager(receiver: Receiver, path: str, **more: Any) -> dict[str, Any]:
    """A channel of PagerDuty at a path."""
    address = receiver.url(f"{path}/v2/enqueue")
    return {"name": "pager", "kind": "pagerduty", "address": address, "routing_key": ROUTING_KEY, **more}


def titles(receiver: Receiver, path: str) -> list[str]:
    """The titles of what Slack got, without their mark."""
    return [post["text"].partition(" ")[2] for post in receiver.got(path)]


def actions(receiver: Receiver, path: str) -> list[tuple[str, str]]:
    """What PagerDuty was told of which incident."""
    return [(post["event_action"], post["dedup_key"]) for post in receiver.got(f"{path}/v2/enqueue")]


def hot(edge: Edge, number: int, at_ms: int, temperature: float = 400.0) -> None:
    """A reading that opens an alert, or with another temperature ends it."""
    data = line([reading(at_ms, number, temperature=temperature)], at_ms)
    assert edge.handler().take(event([(number, data)])) == {"batchItemFailures": []}


def test_the_functions_tell_of_an_alert_once_and_close_its_incident(local_aws: LocalAws, receiver: Receiver) -> None:
    """The functions themselves, in processes of the local AWS, over TLS."""
    edge, base = make_edge(local_aws), "/functions"
    secret = Channels.of(edge, NOON_MS, pager(receiver, base), slack(receiver, f"{base}/slack")).secret
    edge = replace(edge, settings=replace(edge.settings, channels_secret=secret))
    create_functions(
        edge,
        ((edge.settings.notify_function, "notify", 1), (edge.settings.deliver_function, "deliver", 10)),
        {"SSL_CERT_FILE": receiver.authorities},
    )

    def told(count: int) -> bool:
        paths = (f"{base}/slack", f"{base}/v2/enqueue")
        return eventually(lambda: all(len(receiver.got(path)) == count for path in paths), 30)

    # The handler asks the notifier, and that one the deliverer, for each of the two.
    hot(edge, 1, NOON_MS)
    assert told(1)
    for number in (2, 3):
        hot(edge, number, NOON_MS + 2 * number * MINUTE, temperature=20.0)
    assert told(2)
    (episode,) = edge.episodes()
    assert actions(receiver, base) == [("trigger", episode["id"]), ("resolve", episode["id"])]


def test_each_kind_of_alert_reaches_each_kind_of_channel_once_and_then_its_end(edge: Edge, receiver: Receiver) -> None:
    base = f"/{unique('kinds')}"
    some: dict[str, Any] = {"alerts": ["failed_run", "leak"]}
    teams = {"name": "field", "kind": "teams", "address": receiver.url(f"{base}/teams"), **some}
    mail = {"name": "mail", "kind": "sns", **some}
    channels = Channels.of(edge, NOON_MS, slack(receiver, f"{base}/slack"), teams, pager(receiver, base), mail)
    inbox = Inbox.of(edge)
    places = {rule: Where("acme", "bern", "d1") for rule in KINDS} | {
        rule: Where("#pipeline", rule) for rule in PIPELINE_KINDS
    }
    for severity in (WARNING, CLEAR):
        for rule, place in places.items():
            channels.see(rule, severity, place=place, subject=f"s/{rule}")
        channels.tell()
        channels.tell()
        channels.now_ms += MINUTE
    expected = sorted((what, rule) for what in ("opened", "resolved") for rule in places)
    assert len(places) >= 18
    told = [title.removeprefix("[warning] ").partition(":")[0].split() for title in titles(receiver, f"{base}/slack")]
    assert sorted((what, rule) for rule, what in told) == expected
    of_some = sorted(each for each in expected if each[1] in some["alerts"])
    cards = [
        post["attachments"][0]["content"]["body"][0]["inlines"][0]["text"] for post in receiver.got(f"{base}/teams")
    ]
    assert sorted(cards) == sorted(f"[warning] {rule} {what}: {rule} of s/{rule}" for what, rule in of_some)
    assert sorted((each["what"], each["rule"]) for each in inbox.read()) == of_some
    of_episode = [tuple(action for action, _ in group) for group in _by_episode(actions(receiver, base)).values()]
    assert of_episode == [("trigger", "resolve")] * len(places)


def _by_episode(events: list[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for each in events:
        found.setdefault(each[1], []).append(each)
    return found


def test_while_one_channel_hangs_another_is_told(edge: Edge, receiver: Receiver, path: str) -> None:
    channels = Channels.of(edge, NOON_MS, slack(receiver, f"{path}/hangs", "hangs"), slack(receiver, path))
    receiver.answers(f"{path}/hangs", [Reply(hangs=True)])
    receiver.released.clear()
    for rule in ("failed_run", "long_run"):
        channels.see(rule, WARNING, subject=rule)
    channels.notify()
    assert channels.asked.channels == ["hangs", "ops"]
    channels.seconds = 60
    hanging = threading.Thread(target=channels.deliver, args=("hangs",))
    hanging.start()
    assert eventually(lambda: receiver.got(f"{path}/hangs"))
    channels.deliver("ops")
    assert hanging.is_alive()
    assert len(receiver.got(path)) == 2
    # A second call for the one that hangs takes no place of its own: it sends nothing, though a letter is due.
    assert channels.deliver("hangs").sent == 0
    assert len(receiver.got(f"{path}/hangs")) == 1
    receiver.released.set()
    hanging.join(30)
    assert len(receiver.got(f"{path}/hangs")) == 2
    channels.now_ms += MINUTE
    assert channels.deliver("hangs").sent == 1
    assert (len(receiver.got(f"{path}/hangs")), len(receiver.got(path))) == (3, 2)


@pytest.mark.parametrize("reply", [Reply(hangs=True), Reply(drips=True)], ids=["never", "a byte at a time"])
def test_who_does_not_answer_in_time_is_asked_again(edge: Edge, receiver: Receiver, path: str, reply: Reply) -> None:
    channels = Channels.of(edge, NOON_MS, slack(receiver, path))
    receiver.answers(path, [reply])
    receiver.released.clear()
    channels.see("failed_run", WARNING)
    channels.notify()
    channels.seconds = 0.5
    assert (channels.deliver("ops").failed, channels.deliver("ops").failed) == (1, 0)
    channels.seconds, channels.now_ms = 10, NOON_MS + MINUTE
    assert channels.deliver("ops").sent == 1
    assert len(receiver.got(path)) == 2


def test_what_may_pass_is_tried_again_after_as_long_as_was_asked_for(edge: Edge, receiver: Receiver, path: str) -> None:
    channels = Channels.of(edge, NOON_MS, slack(receiver, path))
    receiver.answers(path, [Reply(500), Reply(429, (("Retry-After", "120"),))])
    channels.see("failed_run", WARNING)
    channels.notify()
    tried = []
    for seconds in (0, 29, 30, 60, 149, 150, 200):
        channels.now_ms = NOON_MS + seconds * 1000
        channels.deliver("ops")
        tried.append((seconds, len(receiver.got(path))))
    assert tried == [(0, 1), (29, 1), (30, 2), (60, 2), (149, 2), (150, 3), (200, 3)]
    assert len({json.dumps(post) for post in receiver.got(path)}) == 1


def test_nothing_is_tried_for_ever_and_what_is_given_up_is_kept_and_can_be_sent_again(
    edge: Edge, receiver: Receiver, path: str
) -> None:
    channels = Channels.of(edge, NOON_MS, pager(receiver, path))
    receiver.always[f"{path}/v2/enqueue"] = Reply(503)
    episode = channels.see("failed_run", CRITICAL, text="delays fact_hours")
    channels.notify()
    while channels.now_ms < NOON_MS + 2 * GIVE_UP_MS:
        channels.deliver("pager")
        channels.now_ms += 15 * MINUTE
    attempts = len(receiver.got(f"{path}/v2/enqueue"))
    assert 20 < attempts < 40
    # Looked at without being hidden from the replay.
    queue = {"QueueUrl": edge.settings.alert_dead_letters_url, "VisibilityTimeout": 0}
    (letter,) = edge.clients["sqs"].receive_message(**queue)["Messages"]
    held = json.loads(letter["Body"])
    assert (held["payload"]["dedup_key"], held["attempts"]) == (episode, attempts)
    assert held["payload"]["payload"]["custom_details"]["Delays downstream"] == "fact_hours"
    assert ROUTING_KEY not in letter["Body"]
    assert held["reason"] == "HTTP 503: ok"
    receiver.always.clear()
    replayer, letters = _dead_letters(channels)
    assert [result for _, result in replayer.run("notification")] == ["replayed"]
    assert channels.deliver("pager").sent == 1
    assert actions(receiver, path)[-1] == ("trigger", episode)
    assert list(letters.list("notification")) == []


def test_what_is_refused_is_given_up_at_once_and_holds_up_nothing(edge: Edge, receiver: Receiver, path: str) -> None:
    channels = Channels.of(edge, NOON_MS, slack(receiver, path))
    receiver.answers(path, [Reply(404, body=f"no_service at {receiver.url(path)}".encode()), Reply(302), Reply(200)])
    for rule in ("failed_run", "long_run", "no_tick"):
        channels.see(rule, WARNING, subject=rule)
    channels.notify()
    done = channels.deliver("ops")
    assert (done.sent, done.given_up) == (1, 2)
    reasons = sorted(letter.reason for letter in _dead_letters(channels)[1].list("notification"))
    assert reasons == [
        "channel ops, after 1 attempts: HTTP 302: ok",
        "channel ops, after 1 attempts: HTTP 404: no_service at ***",
    ]


def _dead_letters(channels: Channels) -> tuple[Replayer, DeadLetters]:
    edge = channels.edge
    url = edge.settings.alert_dead_letters_url
    letters = DeadLetters(edge.clients["sqs"], edge.clients["s3"], Places(url, url, url, "lake", "failures"))
    clients = edge.clients.__getitem__
    return Replayer(letters, edge.states, channels.letters, clients, edge.settings.stream, RuleSet()), letters


def test_an_end_waits_for_its_beginning_and_nothing_else_does(edge: Edge, receiver: Receiver, path: str) -> None:
    """PagerDuty drops an end that comes first, and the beginning behind it would stay open for ever."""
    channels = Channels.of(edge, NOON_MS, pager(receiver, path))
    receiver.answers(f"{path}/v2/enqueue", [Reply(500)])
    first = channels.see("failed_run", CRITICAL, subject="a")
    channels.tell()
    channels.now_ms += 1000
    channels.see("failed_run", CLEAR, subject="a")
    second = channels.see("failed_run", CRITICAL, subject="b")
    channels.tell()
    assert actions(receiver, path) == [("trigger", first), ("trigger", second)]
    channels.now_ms += MINUTE
    channels.tell()
    assert actions(receiver, path)[2:] == [("trigger", first), ("resolve", first)]


def test_what_begins_and_ends_together_is_told_in_that_order(edge: Edge, receiver: Receiver, path: str) -> None:
    """Though the outbox groups what is told by rule and site, and one of the group has ended before."""
    channels = Channels.of(edge, NOON_MS, pager(receiver, path))
    old = channels.see("failed_run", CRITICAL, subject="a")
    channels.tell()
    channels.now_ms += 1000
    new = channels.see("failed_run", CRITICAL, subject="b")
    for subject in ("a", "b"):
        channels.see("failed_run", CLEAR, subject=subject)
    channels.tell()
    told = actions(receiver, path)
    assert told.index(("trigger", new)) < told.index(("resolve", new))
    assert Counter(told) == Counter([("trigger", old), ("trigger", new), ("resolve", old), ("resolve", new)])


def test_taking_an_alert_on_is_told_to_whoever_shows_it_and_mailed_to_nobody(
    edge: Edge, receiver: Receiver, path: str
) -> None:
    mail = {"name": "mail", "kind": "sns"}
    channels = Channels.of(edge, NOON_MS, pager(receiver, path), slack(receiver, path), mail)
    inbox = Inbox.of(edge)
    episode = channels.see("failed_run", CRITICAL)
    channels.tell()
    edge.alerts.acknowledge(episode, "ada", "on my way", NOON_MS + 1)
    channels.tell()
    assert actions(receiver, path) == [("trigger", episode), ("acknowledge", episode)]
    assert titles(receiver, path)[1] == "[critical] failed_run acknowledged: failed_run of s"
    assert "by ada: on my way" in json.dumps(receiver.got(path)[1])
    assert [each["what"] for each in inbox.read()] == ["opened"]


@pytest.mark.parametrize(("killed_in", "times"), [("sent", [1, 1, 2]), ("claim", [1, 1, 1])])
def test_a_sender_that_is_killed_repeats_at_most_the_one_it_was_at(
    edge: Edge, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch, killed_in: str, times: list[int]
) -> None:
    channels = Channels.of(edge, NOON_MS, slack(receiver, path))
    for rule in ("failed_run", "long_run", "no_tick"):
        channels.see(rule, WARNING, subject=rule)
    channels.notify()
    with monkeypatch.context() as patched:
        patched.setattr(Letters, killed_in, _killed_at_second_call(getattr(Letters, killed_in)))
        with contextlib.suppress(ConnectionError):
            channels.deliver("ops")
    for _ in range(3):
        channels.now_ms += MINUTE
        channels.tell()
    assert sorted(Counter(titles(receiver, path)).values()) == times


def test_a_notifier_that_is_killed_repeats_nothing(
    edge: Edge, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = Channels.of(edge, NOON_MS, slack(receiver, path), slack(receiver, f"{path}/other", "other"))
    for rule in ("failed_run", "long_run"):
        channels.see(rule, WARNING, subject=rule)
    with monkeypatch.context() as patched:
        patched.setattr(Letters, "write", _killed_at_second_call(Letters.write))
        with contextlib.suppress(ConnectionError):
            channels.tell()
    for _ in range(2):
        channels.now_ms += MINUTE
        channels.tell()
    for each in (path, f"{path}/other"):
        assert len(titles(receiver, each)) == len(set(titles(receiver, each))) == 2


def _killed_at_second_call(method: Callable[..., Any]) -> Callable[..., Any]:
    calls = itertools.count(1)

    def killed(*args: Any, **more: Any) -> Any:
        if next(calls) == 2:
            raise ConnectionError("killed")
        return method(*args, **more)

    return killed


def test_a_night_is_told_of_in_the_morning_grouped_and_what_is_critical_at_once(
    edge: Edge, receiver: Receiver, path: str
) -> None:
    channels = Channels.of(edge, NIGHT_MS, slack(receiver, path, quiet_hours=NIGHT))
    for subject in ("a", "b"):
        channels.see("long_run", WARNING, subject=subject)
    channels.tell()
    channels.see("failed_run", CRITICAL)
    channels.tell()
    assert titles(receiver, path) == ["[critical] failed_run opened: failed_run of s"]
    channels.now_ms += HOUR
    channels.see("long_run", CLEAR, subject="a")
    channels.now_ms = MORNING_MS - 1
    channels.tell()
    assert len(titles(receiver, path)) == 1
    for _ in range(2):
        channels.now_ms += 1
        channels.tell()
    assert titles(receiver, path)[1:] == ["[quiet hours] 1 alerts still open, 1 over"]
    text = json.dumps(receiver.got(path)[1])
    assert "still open: warning: long_run at long_run of b since 2026-11-21T22:00:00.000Z" in text
    assert (
        "opened and resolved meanwhile, resolved 2026-11-21T23:00:00.000Z: warning: long_run at long_run of a" in text
    )
    channels.see("long_run", CLEAR, subject="b")
    channels.tell()
    assert titles(receiver, path)[2:] == ["[warning] long_run resolved: long_run of b"]


@pytest.mark.parametrize("killed_in", ["told", "move", "write"])
def test_a_crash_at_the_end_of_quiet_hours_loses_and_repeats_nothing(
    edge: Edge, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    channels = Channels.of(edge, NIGHT_MS, slack(receiver, path, quiet_hours=NIGHT))
    for rule in ("failed_run", "long_run", "no_tick"):
        channels.see(rule, WARNING, subject=rule)
    channels.tell()
    channels.now_ms = MORNING_MS
    method = getattr(Letters, killed_in)

    def killed(*args: Any, **more: Any) -> Any:
        method(*args, **more)
        raise ConnectionError("killed right after it")

    with monkeypatch.context() as patched:
        patched.setattr(Letters, killed_in, killed)
        with contextlib.suppress(ConnectionError):
            channels.tell()
    for _ in range(2):
        channels.tell()
    assert titles(receiver, path) == ["[quiet hours] 3 alerts still open, 0 over"]


def test_a_pager_s_night_opens_what_is_still_so_and_notes_what_is_over(
    edge: Edge, receiver: Receiver, path: str
) -> None:
    all_night = NIGHT | {"breaks_through": "nothing"}
    channels = Channels.of(edge, NOON_MS, pager(receiver, path, quiet_hours=all_night))
    before = channels.see("failed_run", CRITICAL, subject="before")
    channels.tell()
    channels.now_ms = NIGHT_MS
    still = channels.see("long_run", WARNING, subject="still")
    channels.see("no_tick", WARNING, subject="over")
    channels.tell()
    channels.now_ms += HOUR
    for rule, subject in (("failed_run", "before"), ("no_tick", "over")):
        channels.see(rule, CLEAR, subject=subject)
    channels.see("long_run", CRITICAL, subject="still")
    channels.tell()
    # That an incident is over wakes nobody: it is closed at night too, and one that never was is no matter.
    told = actions(receiver, path)
    assert told[:2] == [("trigger", before), ("resolve", before)]
    assert not [each for each in told if each == ("trigger", still)]
    channels.now_ms = MORNING_MS
    channels.tell()
    channels.tell()
    assert [each for each in actions(receiver, path) if each[1] == still] == [("trigger", still)]
    (over,) = receiver.got(f"{path}/v2/change/enqueue")
    assert over["payload"]["summary"] == "[quiet hours] 0 alerts still open, 1 over"
    assert "no_tick of over" in over["payload"]["custom_details"]["Details"]


def test_a_digest_once_a_day_also_after_a_pause(edge: Edge, receiver: Receiver, path: str) -> None:
    daily = {"zone": "Europe/Zurich", "at": "08:00"}
    digested = slack(receiver, path, quiet_hours=NIGHT, digest=daily, alerts=["pipeline"])
    channels = Channels.of(edge, NOON_MS, digested)
    channels.tell()
    assert titles(receiver, path) == [], "of the time before there was a channel nothing is told"
    channels.see("failed_run", CRITICAL, subject="a")
    channels.see("silence", CRITICAL, place=Where("acme", "bern", "d1"), subject="device")
    channels.tell()
    channels.now_ms = NIGHT_MS
    channels.see("long_run", WARNING, subject="b")
    channels.tell()
    channels.now_ms += HOUR
    channels.see("failed_run", CLEAR, subject="a")
    channels.tell()
    # At 08:00 nothing runs, nor at the end of the night.
    channels.now_ms = MORNING_MS + 3 * HOUR
    channels.see("no_tick", WARNING, subject="c")
    for _ in range(2):
        channels.tell()
        channels.now_ms += MINUTE
    (digest,) = (post for post in receiver.got(path) if "[digest]" in post["text"])
    assert digest["text"].endswith("[digest] 2026-11-22 08:00 CET: 2 opened, 1 resolved, 2 still open")
    text = json.dumps(digest)
    assert "*Held back in quiet hours*: 1 notifications" in text
    assert "pipeline failed_run: 1 opened, 1 resolved, 0 open" in text
    assert "silence" not in text, "of alerts that the channel does not want"
    channels.now_ms += 24 * HOUR
    channels.tell()
    digests = [title for title in titles(receiver, path) if title.startswith("[digest]")]
    assert digests[1] == "[digest] 2026-11-23 08:00 CET: 1 opened, 0 resolved, 2 still open"


def test_a_bad_edit_changes_nothing_and_two_of_them_keep_all_waiting(edge: Edge, receiver: Receiver, path: str) -> None:
    channels = Channels.of(edge, NOON_MS, slack(receiver, path))
    secrets = edge.aws.client("secretsmanager")
    secrets.put_secret_value(SecretId=channels.secret, SecretString='{"channels": [{"name": "ops"}]}')
    channels.see("failed_run", WARNING)
    assert channels.notify()["channels_broken"] == 1
    channels.deliver("ops")
    assert len(titles(receiver, path)) == 1
    good = secrets.get_secret_value(SecretId=channels.secret, VersionStage="AWSPREVIOUS")["SecretString"]
    secrets.put_secret_value(SecretId=channels.secret, SecretString="{")
    channels.see("long_run", WARNING, subject="b")
    with pytest.raises(ChannelsError):
        channels.notify()
    secrets.put_secret_value(SecretId=channels.secret, SecretString=good)
    assert channels.notify()["channels_broken"] == 0
    channels.deliver("ops")
    assert len(titles(receiver, path)) == 2


def test_without_a_document_the_topics_alone_are_told(edge: Edge) -> None:
    inbox = Inbox.of(edge)
    channels = Channels(edge, "", NOON_MS)
    channels.see("failed_run", WARNING)
    channels.tell()
    unwritten = Channels(edge, unique("unwritten"), NOON_MS)
    edge.aws.client("secretsmanager").create_secret(Name=unwritten.secret)
    unwritten.see("long_run", WARNING, subject="b")
    unwritten.tell()
    edge.aws.client("secretsmanager").put_secret_value(SecretId=unwritten.secret, SecretString="a first, bad document")
    unwritten.see("no_tick", WARNING, subject="c")
    assert unwritten.notify()["channels_broken"] == 1
    assert [each["rule"] for each in inbox.read()] == ["failed_run", "long_run", "no_tick"]
    assert list(unwritten.letters.all("ops", Place.WAITING)) == []
