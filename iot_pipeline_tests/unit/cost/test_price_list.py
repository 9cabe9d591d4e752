"""The list of prices: each with its origin, and refused by name where it is not."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from infra.cost.price_list import Confidence, PriceList, price_list

_GOOD = """\
[price.a]
service = "S"
what = "a thing"
unit = "thing"
per = 1_000
usd = 2.0
region = "eu-west-1"
date = "2026-01"
source = "a page"
confidence = "published"
"""


def _read(tmp_path: Path, text: str) -> PriceList:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    return price_list(file)


def test_every_price_has_a_unit_a_region_a_date_a_source_and_a_confidence() -> None:
    listed = price_list()
    assert len(listed.prices) > 40
    for price in listed.prices.values():
        assert price.unit
        assert price.what
        assert price.region in {"eu-west-1", "us-east-1"}
        assert len(price.source) > 10
        assert price.dollars(price.per) > 0
        _check_date(price.date)
        assert price.note or price.confidence is not Confidence.UNVERIFIED, f"{price.name}: say why it is unverified"
    for free in listed.free.values():
        assert len(free.source) > 10
        _check_date(free.date)


def _check_date(text: str) -> None:
    """A day, a month or a year until now, or that there is none."""
    if text != "undated":
        assert date.fromisoformat((text + "-01-01")[:10]) <= datetime.now(UTC).date()


def test_a_good_entry_is_read(tmp_path: Path) -> None:
    assert _read(tmp_path, _GOOD)["a"].dollars(500) == 1.0


def test_units_beyond_a_tier_cost_the_next(tmp_path: Path) -> None:
    tiers = "tiers = [{ up_to = 1_000, usd = 2.0 }, { up_to = 3_000, usd = 1.0 }, { usd = 0.5 }]\n"
    price = _read(tmp_path, _GOOD + tiers)["a"]
    assert [price.dollars(units) for units in (1_000, 1_001, 3_000, 5_000)] == pytest.approx([2.0, 2.001, 4.0, 5.0])


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('source = "a page"', 'source = ""', "[price.a] source: missing or empty"),
        ('date = "2026-01"\n', "", "[price.a] date: missing or empty"),
        ('"published"', '"certain"', "[price.a] confidence = 'certain': expected one of published, second hand"),
        ("per = 1_000", "per = 0", "[price.a] per = 0: expected a number above 0"),
        ('unit = "thing"', 'unit = "thing"\ncolour = "red"', "[price.a] colour: there is no such key"),
        ("usd = 2.0", "usd = 2.0\ntiers = [{ usd = 3.0 }]", "[price.a] tiers: expected to begin with usd = 2.0"),
        ("[price.a]", "[free.b]\nunits = 1\n[price.a]", "[free.b] confidence: missing"),
        ("[price.a]", "[price.a", "prices.toml: "),
    ],
)
def test_a_wrong_entry_is_refused_by_its_name(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"prices\.toml") as refused:
        _read(tmp_path, _GOOD.replace(was, becomes))
    assert said in str(refused.value)


def test_what_is_free_has_a_price(tmp_path: Path) -> None:
    free = '[free.b]\nunits = 1\nkind = "always"\ndate = "2026"\nsource = "a page"\nconfidence = "published"\n'
    with pytest.raises(ValueError, match="there is no price of that name"):
        _read(tmp_path, _GOOD + free)
