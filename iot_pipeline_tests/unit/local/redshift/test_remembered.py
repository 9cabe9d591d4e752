"""Translations that are remembered: a few megabytes, those that were asked for last."""

import asyncio
import tracemalloc

from infra.local.redshift.dialect import Translation
from infra.local.redshift.translating import Asked, Remembered, Translator


def text(number: int, characters: int = 3_000) -> Asked:
    return f"select {number} -- ".ljust(characters, "x"), ()


def test_it_stays_within_three_megabytes() -> None:
    remembered = Remembered()
    tracemalloc.start()
    for number in range(3_000):
        asked = text(number)
        remembered.keep(asked, Translation(asked[0].upper()))
    size, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 3_000_000
    assert remembered.get(text(2_999)) == Translation(text(2_999)[0].upper())
    assert remembered.get(text(0)) is None


def test_what_is_asked_for_again_is_forgotten_last() -> None:
    remembered = Remembered()
    for number in range(1_000):
        remembered.keep(text(number), Translation("asked"))
        assert remembered.get(text(0)) == Translation("asked")
    assert remembered.get(text(1)) is None


def test_a_text_that_is_kept_twice_is_counted_once() -> None:
    remembered = Remembered()
    for _ in range(1_000):
        remembered.keep(text(0), Translation("asked"))
    assert remembered.get(text(0)) == Translation("asked")


def test_a_very_long_text_is_not_kept() -> None:
    remembered = Remembered()
    remembered.keep(text(0, 20_000), Translation("asked"))
    assert remembered.get(text(0, 20_000)) is None


def test_a_text_is_translated_once() -> None:
    translator = Translator()
    first, second = (asyncio.run(translator.translate("SELECT 41 + 1")) for _ in range(2))
    assert first is second
