"""Numbers: those that a file may mean, with either decimal mark, and none of what only Python takes for one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.replay.decimals import COMMA, POINT, is_ambiguous, mark_of, number
from simulator.replay.flaws import CellError

marks = st.sampled_from([POINT, COMMA])


@given(st.decimals(-(10**6), 10**6, allow_nan=False, places=4), marks)
def test_a_number_is_what_its_digits_say(value: Decimal, mark: str) -> None:
    assert number(f"{value:f}".replace(POINT, mark), mark) == float(value)


@pytest.mark.parametrize(
    "text",
    [
        *("1_5", "nan", "NaN", "-nan", "inf", "-inf", "Infinity", "1e999", "-1e999", "1e-999", "0x10", "0b1", "1j"),
        *(
            "\u0663",
            "\uff11\uff15",
            "1\u066b5",
            "\u00bd",
            "\u00b2",
            "\u22125",
            "\u20135",
            "1 000",
            "1\u00a0000",
            "1'000",
            "--5",
            "5-",
            "+",
            "-",
            ".",
            ",",
            "e5",
        ),
        *(
            "1.5.2",
            "1,234.5",
            "1.234,5",
            "1,234,567",
            "True",
            "None",
            "null",
            "NA",
            "?",
            "20.5 C",
            "5%",
            "\n5",
            "1e5.5",
        ),
    ],
)
@pytest.mark.parametrize("mark", [POINT, COMMA, None])
def test_what_only_python_reads_is_refused_with_a_remedy(text: str, mark: str | None) -> None:
    with pytest.raises(CellError, match=r"expected a number.*; (if it stands|give --decimal|correct)"):
        number(text, mark)


@given(st.text(max_size=12), st.sampled_from([POINT, COMMA, None]))
def test_any_text_is_a_plain_number_or_refused(text: str, mark: str | None) -> None:
    try:
        value = number(text, mark)
    except CellError:
        return
    assert set(text) <= set("0123456789+-eE" + (mark or ""))
    assert value == float(Decimal(text.replace(COMMA, POINT)))


@given(st.integers(1, 999), st.integers(0, 999), marks)
def test_three_digits_after_a_mark_may_be_thousands(whole: int, rest: int, mark: str) -> None:
    text = f"{whole}{mark}{rest:03}"
    assert is_ambiguous(text)
    assert mark_of(text, ";") is None
    assert mark_of(text, ",") == (POINT if mark == POINT else None)


@given(st.integers(0, 10**6), st.text("0123456789", min_size=1, max_size=8), marks)
def test_other_digits_after_a_mark_are_decimals(whole: int, rest: str, mark: str) -> None:
    text = f"{whole}{mark}{rest}"
    grouped = len(rest) == 3 and 1 <= whole <= 999
    assert mark_of(text, ";") == (None if grouped else mark)
