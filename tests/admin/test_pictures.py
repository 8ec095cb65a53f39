"""Pictures: SVG that says in words what it shows, and whose shapes follow the numbers."""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from admin.pictures import (
    Bar,
    Limit,
    Rung,
    Span,
    Steps,
    Stream,
    Told,
    bars,
    flow,
    ladder,
    line,
    steps,
)

TOLD = Told("p", "A <title>", "What & why")
SPAN = Span(date(2026, 1, 1), date(2026, 12, 31), [(date(2026, 7, 1), "July")])
NAMESPACE = "{http://www.w3.org/2000/svg}"

PICTURES = {
    "bars": bars(TOLD, [Bar("Gold <b>", 3, "3 clients"), Bar("Base", 9, "9 clients")]),
    "no bars": bars(TOLD, []),
    "ladder": ladder(TOLD, [Rung("Gold <b>", True, "here"), Rung("Base", False)]),
    "a high ladder": ladder(TOLD, [Rung(str(each), False) for each in range(30)]),
    "flow": flow(
        TOLD,
        ["Gold", "Base"],
        ["Gold", "Base"],
        [Stream("Gold", "Base", 1, True), Stream("Base", "Base", 999, False)],
    ),
    "no flow": flow(TOLD, [], [], []),
    "steps": steps(
        TOLD,
        SPAN,
        ["Base", "Gold"],
        [
            Steps("Draft", [(date(2026, 1, 1), 0), (date(2026, 6, 1), 1)]),
            Steps("In force", [], is_dashed=True),
        ],
    ),
    "line": line(
        TOLD,
        SPAN,
        [(date(2026, 1, 1), 5), (date(2026, 2, 1), None), (date(2026, 3, 1), 10)],
        [Limit("Gold: 8", 8)],
    ),
    "no line": line(TOLD, SPAN, []),
}


def read(picture: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(picture))  # noqa: S314 - our own


def drawn(name: str) -> str:
    """Return the path of what was held or measured."""
    paths = [each.attrib for each in read(PICTURES[name]).iter(f"{NAMESPACE}path")]
    return next(each["d"] for each in paths if each.get("stroke-width"))


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_says_what_it_shows(name: str) -> None:
    found = read(PICTURES[name])

    named = (found.attrib["aria-labelledby"] or "").split()
    title, description = (
        next(each.text for each in found.iter() if each.attrib.get("id") == one) for one in named
    )
    assert (found.attrib["role"], title, description) == ("img", "A <title>", "What & why")


@pytest.mark.parametrize("name", PICTURES)
def test_no_picture_needs_a_style_or_a_script(name: str) -> None:
    for each in read(PICTURES[name]).iter():
        assert not {"style", "class", "onclick", "href"} & each.attrib.keys()
        assert each.tag.removeprefix(NAMESPACE) not in ("style", "script", "a")


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_lies_outside_the_picture(name: str) -> None:
    found = read(PICTURES[name])
    wide, high = map(int, found.attrib["viewBox"].split()[2:])
    for each in found.iter():
        at = each.attrib
        assert 0 <= int(at.get("x", 0)) + int(at.get("width", 0)) <= wide or each is found
        assert 0 <= int(at.get("y", 0)) + int(at.get("height", 0)) <= high or each is found


def test_bars_are_as_long_as_their_numbers() -> None:
    gold, base = read(PICTURES["bars"]).iter(f"{NAMESPACE}rect")

    assert 3 * int(gold.attrib["width"]) == pytest.approx(int(base.attrib["width"]), abs=3)


def test_a_thin_stream_can_still_be_seen() -> None:
    boxes = list(read(PICTURES["flow"]).iter(f"{NAMESPACE}rect"))

    assert min(int(each.attrib["height"]) for each in boxes) >= 3


def test_steps_turn_on_the_day_on_which_something_else_is_held() -> None:
    path = drawn("steps")

    start, turn = re.findall(r"[MH](\d+)", path)[:2]
    assert int(start) < int(turn) < SPAN.x(date(2026, 6, 2)) + 1
    assert int(turn) == SPAN.x(date(2026, 6, 1))


def test_a_line_is_broken_where_nothing_is_known() -> None:
    path = drawn("line")

    assert re.findall("[ML]", path) == ["M", "M"]
