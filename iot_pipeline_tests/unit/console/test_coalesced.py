"""Costly answers: shared, bounded, and never an old error."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from iot_pipeline.console.coalesced import BusyError, Coalesced


class Bench:
    """Something that answers when the test lets it."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked: list[str] = []
        self.at_work = self.most_at_work = 0
        self.lock = threading.Lock()

    def __call__(self, key: str) -> str:
        with self.lock:
            self.asked.append(key)
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
        self.let.wait(30)
        with self.lock:
            self.at_work -= 1
        if key == "bad":
            raise KeyError(key)
        return key.upper()


def test_who_asks_for_the_same_shares_one_answer_and_few_are_worked_on_at_once() -> None:
    bench = Bench()
    answers: Coalesced[str, str] = Coalesced(bench, 2, 60, 30)
    with ThreadPoolExecutor(20) as callers:
        asked = [callers.submit(answers.get, key) for key in "abcd" * 5]
        bench.let.set()
        assert [each.result() for each in asked] == list("ABCD" * 5)
    assert sorted(bench.asked) == list("abcd")
    assert bench.most_at_work <= 2
    assert answers.get("a") == "A"
    assert len(bench.asked) == 4


def test_an_error_is_raised_to_who_asked_and_not_kept() -> None:
    bench = Bench()
    bench.let.set()
    answers: Coalesced[str, str] = Coalesced(bench, 1, 60, 30)
    for _ in range(2):
        with pytest.raises(KeyError):
            answers.get("bad")
    assert bench.asked == ["bad", "bad"]


def test_what_is_not_kept_is_asked_anew() -> None:
    bench = Bench()
    bench.let.set()
    answers: Coalesced[str, str] = Coalesced(bench, 1, 0, 30)
    assert [answers.get("a"), answers.get("a")] == ["A", "A"]
    assert len(bench.asked) == 2


def test_too_many_questions_and_late_answers_are_refused_by_name() -> None:
    bench = Bench()
    answers: Coalesced[str, str] = Coalesced(bench, 1, 60, 0.01)
    for number in range(64):
        with pytest.raises(BusyError, match=r"no answer within 0.01 s"):
            answers.get(str(number))
    with pytest.raises(BusyError, match="too much is asked"):
        answers.get("one more")
    bench.let.set()
