"""Translating in other processes: the same answers, a bound to each, and a client that goes takes nothing with it."""

import asyncio

import pytest

from infra.local.redshift import translating
from infra.local.redshift.dialect import translate
from infra.local.redshift.translating import LONG, SHORT, Translator
from infra.local.redshift.wire.protocol import SqlError

pytestmark = pytest.mark.timeout(120)
TEXTS = {
    "short": "select 1",
    "longer": "select " + "a, " * SHORT + "a from t",
    "long": "select '" + "x" * LONG + "'",
    "refused": "select generate_series(1, 2) " + " " * SHORT,
}


def answers(*texts: str) -> list[str]:
    """What each becomes, or why it is refused."""

    async def ask() -> list[str]:
        translator = Translator()
        found = []
        for text in texts:
            try:
                found.append((await translator.translate(text)).sql)
            except SqlError as error:
                found.append(f"{error.sqlstate} {error.message}")
        translator.close()
        return found

    return asyncio.run(ask())


def test_the_answers_are_the_same_wherever_they_are_made() -> None:
    *translated, refused = answers(*TEXTS.values())
    assert translated == [translate(TEXTS[name]).sql for name in ("short", "longer", "long")]
    assert refused.startswith("0A000 not supported by Redshift: generate_series")


def test_one_that_takes_too_much_of_the_processor_is_refused_and_the_next_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask() -> tuple[str, str]:
        translator = Translator()
        with pytest.raises(SqlError) as refused:
            await translator.translate("select " + "1 + " * 4_000 + "1")
        answered = (await translator.translate(TEXTS["longer"])).sql
        translator.close()
        return refused.value.message, answered

    started, bounds = translating._started, iter([0.05, 20.0])
    monkeypatch.setattr(translating, "_started", lambda *, long: started(long=long, most_cpu_seconds=next(bounds)))
    message, answered = asyncio.run(ask())
    assert "of the processor to read" in message
    assert answered == translate(TEXTS["longer"]).sql


def test_a_lost_process_is_told_as_that_and_its_text_is_read_when_it_is_sent_again() -> None:
    async def ask() -> tuple[SqlError, str]:
        translator = Translator()
        process = await translating._started(long=False)
        process.kill()
        await process.wait()
        for _ in range(translating.PROCESSES[False]):
            translator._free[False].get_nowait()
        translator._free[False].put_nowait(process)
        with pytest.raises(SqlError) as lost:
            await translator.translate(TEXTS["longer"])
        answered = (await translator.translate(TEXTS["longer"])).sql
        translator.close()
        return lost.value, answered

    told, answered = asyncio.run(ask())
    assert (told.sqlstate, "see its log" in told.message) == ("XX000", True)
    assert answered == translate(TEXTS["longer"]).sql


def test_a_client_that_goes_leaves_the_process_to_the_others() -> None:
    async def ask() -> str:
        translator = Translator()
        gone = [asyncio.create_task(translator.translate(f"select {n}, " + "1, " * 5_000 + "1")) for n in range(4)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        answered = (await translator.translate(TEXTS["longer"])).sql
        translator.close()
        return answered

    assert asyncio.run(ask()) == translate(TEXTS["longer"]).sql
