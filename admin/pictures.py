"""Pictures as SVG: readable without scripts, printable, and always with a table beside them.

Pure functions: what stands in a picture is in the reader's words already.  Each has a name of its
own on its page, by which its title and description are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from markupsafe import Markup, escape

_WIDTH = 720
_SHADES = ("#c3d3e2", "#93b1cb", "#5f8bb0", "#386a93", "#1c3d5a", "#0d2438")
_PALE = "#e8edf2"
_INK, _SOFT, _LINE, _ACCENT = "#1d2733", "#4c5a6a", "#c8d0d9", "#a85b00"


@dataclass(frozen=True, slots=True)
class Told:
    """How a picture is called and what it says, for who does not see it."""

    name: str
    title: str
    description: str


# -- who holds what --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is of, how long, and what is written beside it."""

    label: str
    value: int
    said: str


def bars(told: Told, rows: Sequence[Bar]) -> Markup:
    """Draw a bar for each row, one below the other."""
    left, room, pitch = 170, 400, 34
    most = max((each.value for each in rows), default=0) or 1
    parts = []
    for place, each in enumerate(rows):
        y = 8 + place * pitch
        long = max(1, each.value * room // most) if each.value else 0
        parts.append(_text(left - 10, y + 17, each.label, "end"))
        parts.append(_box(left, y, long, 24, _shade(len(rows) - 1 - place, len(rows))))
        parts.append(_text(left + long + 8, y + 17, each.said))
    return _svg(told, 16 + len(rows) * pitch, parts)


# -- where somebody stands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung of a ladder: whether somebody stands on it, and what is written beside it."""

    label: str
    is_here: bool
    said: str = ""


def ladder(told: Told, rungs: Sequence[Rung]) -> Markup:
    """Draw a ladder, the highest rung first, as stairs that lead up to the right."""
    right, pitch = 400, 38
    parts = []
    for place, each in enumerate(rungs):
        x, y = 28 * (len(rungs) - 1 - place), 8 + place * pitch
        x = min(x, right // 2)
        parts.append(_box(x, y, right - x, 30, _SHADES[1] if each.is_here else _PALE))
        parts.append(_text(x + 12, y + 20, each.label))
        said = f"◀ {each.said}" if each.is_here else each.said
        parts.append(_text(right + 12, y + 20, said))
    return _svg(told, 16 + len(rungs) * pitch, parts)


# -- who moves from where to where -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stream:
    """How many go from one place on the left to one on the right, by their labels."""

    start: str
    end: str
    value: int
    moves: bool


def flow(
    told: Told, left: Sequence[str], right: Sequence[str], streams: Sequence[Stream]
) -> Markup:
    """Draw streams between two columns of places, the highest place of each on top.

    Streams that stay where they are, are pale; a stream is never too thin to be seen.
    """
    total = sum(each.value for each in streams) or 1
    thick = {each: max(3, each.value * 260 // total) for each in streams if each.value}
    starts, height = _stacked(left, [(each.start, thick[each]) for each in thick])
    ends, other = _stacked(right, [(each.end, thick[each]) for each in thick])
    parts: list[Markup] = []
    down = {**{(0, key): top for key, (top, _) in starts.items()}}
    down |= {(1, key): top for key, (top, _) in ends.items()}
    ordered = sorted(thick, key=lambda each: (left.index(each.start), right.index(each.end)))
    for each in ordered:
        y, z, high = down[0, each.start], down[1, each.end], thick[each]
        down[0, each.start] += high
        down[1, each.end] += high
        parts.append(_stream(y, z, high, each))
    for x, anchor, beside, stacks in ((190, "end", -8, starts), (516, "start", 22, ends)):
        for key, (top, high) in stacks.items():
            parts.append(_box(x, top, 14, high, _INK))
            parts.append(_text(x + beside, top + high // 2 + 5, key, anchor))
    return _svg(told, max(height, other), parts)


def _stacked(
    keys: Sequence[str], heights: Sequence[tuple[str, int]]
) -> tuple[dict[str, tuple[int, int]], int]:
    """Return where each place begins and how high it is, and how high all are together."""
    found, y = {}, 10
    for key in keys:
        high = sum(each for one, each in heights if one == key)
        if high:
            found[key] = (y, high)
            y += max(high, 18) + 14
    return found, y


def _stream(y: int, z: int, high: int, of: Stream) -> Markup:
    there = f"M204 {y} C360 {y} 360 {z} 516 {z}"
    back = f"V{z + high} C360 {z + high} 360 {y + high} 204 {y + high} Z"
    said = f"{of.start} → {of.end}: {of.value}"
    colour = _ACCENT if of.moves else _SHADES[0]
    return Markup('<path d="{}" fill="{}" fill-opacity="{}"><title>{}</title></path>').format(
        f"{there} {back}", colour, "0.7" if of.moves else "0.9", said
    )


# -- over time -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a picture shows, and those that are named below it."""

    first: date
    last: date
    ticks: Sequence[tuple[date, str]]

    def x(self, day: date) -> int:
        days = max((self.last - self.first).days, 1)
        return _LEFT + min(max((day - self.first).days, 0), days) * (_WIDTH - _LEFT - 14) // days


@dataclass(frozen=True, slots=True)
class Steps:
    """What was held from which days on, by the place of the rung, the lowest 0."""

    label: str
    points: Sequence[tuple[date, int]]
    is_dashed: bool = False


_LEFT = 150


def steps(told: Told, span: Span, rungs: Sequence[str], lines: Sequence[Steps]) -> Markup:
    """Draw over time which rung of a ladder was held, for one or several at once."""
    pitch = 44
    base = 20 + (len(rungs) - 1) * pitch
    parts = list(_grid(span, base + 14))
    for place, rung in enumerate(rungs):
        y = base - place * pitch
        parts.append(_rule(f"M{_LEFT} {y} H{_WIDTH - 14}", _LINE))
        parts.append(_text(_LEFT - 10, y + 5, rung, "end"))
    for number, line in enumerate(lines):
        shift = 3 * number
        parts.append(_stairs(span, line, [base - rung * pitch - shift for _, rung in line.points]))
    parts += _legend(lines, base + 56)
    return _svg(told, base + 66, parts)


def _stairs(span: Span, line: Steps, heights: Sequence[int]) -> Markup:
    path = ""
    for (day, _), y in zip(line.points, heights, strict=True):
        path += f"H{span.x(day)} V{y} " if path else f"M{span.x(day)} {y} "
    return _stroke(f"{path}H{span.x(span.last)}" if path else "", line.is_dashed)


@dataclass(frozen=True, slots=True)
class Limit:
    """A value that matters, and what it is called."""

    label: str
    value: Fraction | int


def line(
    told: Told,
    span: Span,
    points: Sequence[tuple[date, Fraction | int | None]],
    limits: Sequence[Limit] = (),
) -> Markup:
    """Draw a value over time, with the limits it is measured by; what is not known is left out."""
    known = [value for _, value in points if value is not None]
    values = [0, *known, *(each.value for each in limits)]
    low, high = min(values), max(values)
    base, top = 220, 20

    def y(value: Fraction | int) -> int:
        return base - round((value - low) * (base - top) / ((high - low) or 1))

    parts = list(_grid(span, base))
    for each in limits:
        parts.append(_rule(f"M{_LEFT} {y(each.value)} H{_WIDTH - 14}", _ACCENT, "6 4"))
        parts.append(_text(_LEFT - 10, y(each.value) + 5, each.label, "end"))
    path, is_open = "", False
    for day, value in points:
        if value is not None:
            path += f"{'L' if is_open else 'M'}{span.x(day)} {y(value)} "
        is_open = value is not None
    parts.append(_stroke(path, is_dashed=False))
    return _svg(told, base + 36, parts)


def _grid(span: Span, bottom: int) -> Iterator[Markup]:
    for day, said in span.ticks:
        yield _rule(f"M{span.x(day)} 10 V{bottom}", _LINE)
        yield _text(span.x(day), bottom + 18, said, "middle")


def _legend(lines: Sequence[Steps], y: int) -> Iterator[Markup]:
    if len(lines) < 2:
        return
    for place, each in enumerate(lines):
        x = _LEFT + place * 270
        yield _stroke(f"M{x} {y - 5} H{x + 36}", each.is_dashed)
        yield _text(x + 44, y, each.label)


# -- what all are made of --------------------------------------------------------------------------


def _svg(told: Told, height: int, parts: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        'aria-labelledby="{name}-title {name}-desc" xmlns="http://www.w3.org/2000/svg">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{desc}</desc>{parts}</svg>'
    ).format(
        width=_WIDTH,
        height=height,
        name=told.name,
        title=told.title,
        desc=told.description,
        parts=Markup("").join(parts),
    )


def _shade(place: int, number: int) -> str:
    return _SHADES[min(place * len(_SHADES) // max(number, 1) + 1, len(_SHADES) - 1)]


def _box(x: int, y: int, width: int, height: int, colour: str) -> Markup:
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
        x, y, width, height, colour
    )


def _text(x: int, y: int, said: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        x, y, anchor, escape(said)
    )


def _rule(path: str, colour: str, dashes: str = "none") -> Markup:
    return Markup('<path d="{}" stroke="{}" stroke-dasharray="{}"/>').format(path, colour, dashes)


def _stroke(path: str, is_dashed: bool) -> Markup:
    return Markup(
        '<path d="{}" fill="none" stroke="{}" stroke-width="3" stroke-dasharray="{}"/>'
    ).format(path, _SOFT if is_dashed else _SHADES[4], "7 5" if is_dashed else "none")
