"""Costly answers for many: who asks for the same at the same time shares one answer, and few are worked on at once."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
# More answers are not kept, nor more questions taken on.
_MAX = 64


class BusyError(Exception):
    """Too many different things are asked for at the same time, or the answer has not come in time."""


@dataclass(frozen=True)
class _Asked(Generic[V]):
    answer: "Future[V]"
    at: float


class Coalesced(Generic[K, V]):
    """Answers `ask`, on threads of its own, which keep no process from ending. An answer is kept for some seconds, an
    error is not kept.
    """

    def __init__(self, ask: Callable[[K], V], at_once: int, kept_seconds: float, within_seconds: float) -> None:
        self._ask, self._kept, self._within = ask, kept_seconds, within_seconds
        self._turns = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._asked: OrderedDict[K, _Asked[V]] = OrderedDict()

    def get(self, key: K) -> V:
        """The answer, which may be some seconds old. Raises BusyError, and whatever `ask` raises."""
        with self._lock:
            self._forget_old()
            asked = self._asked.get(key)
            if asked is None:
                if len(self._asked) >= _MAX:
                    raise BusyError("too much is asked for at the same time; try again in a moment")
                asked = _Asked(Future(), time.monotonic())
                self._asked[key] = asked
                threading.Thread(target=self._work, args=(key, asked.answer), daemon=True).start()
        try:
            return asked.answer.result(self._within)
        except Late:
            if asked.answer.done():
                raise
            raise BusyError(f"no answer within {self._within:g} s; try again") from None

    def _work(self, key: K, answer: "Future[V]") -> None:
        with self._turns:
            try:
                answer.set_result(self._ask(key))
            except BaseException as error:  # noqa: BLE001  # it is raised again where the answer is waited for
                answer.set_exception(error)

    def _forget_old(self) -> None:
        now = time.monotonic()
        done = [(key, asked) for key, asked in self._asked.items() if asked.answer.done()]
        for key, asked in done:
            if now - asked.at >= self._kept or asked.answer.exception() is not None:
                del self._asked[key]
        full = len(self._asked) - _MAX + 1
        for key, _ in [each for each in done if each[0] in self._asked][: max(0, full)]:
            del self._asked[key]
