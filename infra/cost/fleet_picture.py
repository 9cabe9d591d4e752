"""A picture of what a fleet costs by its size, both axes logarithmic, as SVG."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from infra.cost.bills import bill
from infra.cost.design import of_size
from infra.cost.fleet import Fleet
from infra.stacks.sizes import Size

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 900, 480, 70, 250, 40, 50
_FLEETS = tuple(10 ** (step / 4) for step in range(4, 25))
_LINE = 15
_COLOURS = ("#3b6ea5", "#9bbbdc", "#c0392b", "#e5a59d")
Point = tuple[float, float]


def curves() -> Mapping[str, Sequence[Point]]:
    """Devices and dollars a month, by what the curve is called: two sizes, packed and unpacked."""
    return {
        f"{size}, {'25 readings a message' if pack > 1 else 'a message a reading'}": [
            (devices, bill(of_size(size), Fleet(round(devices), 60, pack)).total) for devices in _FLEETS
        ]
        for size in (Size.TEAM, Size.PROTOTYPE)
        for pack in (25, 1)
    }


def picture(of: Mapping[str, Sequence[Point]]) -> str:
    """The curves as SVG, with axes at the powers of ten."""
    points = [point for curve in of.values() for point in curve]
    x = _scale([devices for devices, _ in points], _LEFT, _WIDTH - _RIGHT)
    y = _scale([dollars for _, dollars in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
            'font-size="12">'
        ),
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">US dollars a month by devices, a reading a minute each</text>',
        *_grid([devices for devices, _ in points], x, upright=True),
        *_grid([dollars for _, dollars in points], y, upright=False),
    ]
    labels = _apart({name: y(curve[-1][1]) + 4 for name, curve in of.items()})
    for (name, curve), colour in zip(of.items(), _COLOURS, strict=True):
        path = " ".join(f"{x(devices)},{y(dollars)}" for devices, dollars in curve)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 8}" y="{labels[name]}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _apart(heights: Mapping[str, float]) -> dict[str, float]:
    """The heights of labels from the top down, each below the one before."""
    placed: dict[str, float] = {}
    lowest = float("-inf")
    for name, height in sorted(heights.items(), key=lambda each: each[1]):
        lowest = placed[name] = max(height, lowest + _LINE)
    return placed


def _scale(values: Sequence[float], begin: int, end: int) -> Callable[[float], float]:
    low, high = _decades(values)

    def place(value: float) -> float:
        return round(begin + (math.log10(value) - low) / (high - low) * (end - begin), 1)

    return place


def _decades(values: Sequence[float]) -> tuple[int, int]:
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _grid(values: Sequence[float], place: Callable[[float], float], *, upright: bool) -> Iterator[str]:
    low, high = _decades(values)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for power in range(low, high + 1):
        at = place(10.0**power)
        if upright:
            yield f'<line x1="{at}" x2="{at}" y1="{_TOP}" y2="{bottom}" stroke="#ddd"/>'
            yield f'<text x="{at}" y="{bottom + 18}" text-anchor="middle">{10**power:,}</text>'
        else:
            yield f'<line x1="{_LEFT}" x2="{right}" y1="{at}" y2="{at}" stroke="#ddd"/>'
            yield f'<text x="{_LEFT - 8}" y="{at + 4}" text-anchor="end">{10**power:,}</text>'
