"""Which pages a draft has, what is on each, and on which of them a place of the document is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import url_for

from admin.editor import examples, figures, parts
from admin.editor.desk import Desk, new_named
from admin.editor.items import Actions, Item, Link, New, Row, Said
from admin.editor.readback import read_back
from app.services.starts import LETTERS
from rules.document.merge import ABSENT
from rules.document.paths import NoSuchPlace, counted, parse
from rules.messages import N_, Message


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a draft: about the whole, or about a list whose entries have pages, too.

    ``path`` is that of the list; ``add`` and ``button`` are what its form for another one says.
    """

    part: str
    title: str
    about: str
    build: Callable[[Desk, str], list[Item]]
    path: str = ""
    add: str = ""
    button: str = ""


PAGES = {
    page.part: page
    for page in (
        Page(
            "policy",
            N_("The policy itself"),
            N_("Its name, its languages, and what is recorded late."),
            parts.basics,
        ),
        Page(
            "figures",
            N_("What is measured"),
            N_("The figures about a client that the rules look at."),
            figures.figure,
            "metrics",
            N_("Name of another figure"),
            N_("Add the figure"),
        ),
        Page(
            "tiers",
            N_("Tiers"),
            N_("The rungs of the ladder, from the lowest; who reaches and keeps each."),
            parts.tier,
            "tiers",
            N_("Name of another tier"),
            N_("Add the tier"),
        ),
        Page(
            "rising",
            N_("How clients rise"),
            N_("At once or on given days; and whose tier a group’s is."),
            parts.rising,
        ),
        Page(
            "ways-down",
            N_("How a tier is lost"),
            N_("Step by step, with the time between and the letters."),
            parts.demotion,
            "demotion_policies",
            N_("Name of another way down"),
            N_("Add the way down"),
        ),
        Page(
            "promises",
            N_("Promises"),
            N_("What clients of a tier or segment are promised, and who answers for it."),
            parts.standard,
            "standards",
            N_("Another promise, as clients read it"),
            N_("Add the promise"),
        ),
        Page(
            "segments",
            N_("Segments"),
            N_("Groups of clients without a rank, such as newcomers."),
            parts.segment,
            "segments",
            N_("Name of another segment"),
            N_("Add the segment"),
        ),
        Page(
            "letters",
            N_("Letters"),
            N_("What clients are written about their tier."),
            parts.letter,
            "letters",
            N_("Short name of another letter"),
            N_("Add the letter"),
        ),
        Page(
            "transition",
            N_("Whom the change moves"),
            N_("What becomes of those who hold a tier by the rules before."),
            parts.transition,
        ),
        Page(
            "examples",
            N_("Examples"),
            N_("Clients, and the tier the rules should give them. Each is tried at every save."),
            examples.example,
            "examples",
            N_("Name of another example"),
            N_("Add the example"),
        ),
    )
}

_ON = {page.path: part for part, page in PAGES.items() if page.path} | {
    "promotion": "rising",
    "groups": "rising",
    "transition": "transition",
}


def page_of(path: str) -> tuple[str, int | None]:
    """Return on which page a place of the document is, and on that of which entry of its list."""
    try:
        place = parse(path)
    except NoSuchPlace:
        place = ()
    part = _ON.get(str(place[0]), "policy") if place else "policy"
    index = place[1] if len(place) > 1 and PAGES[part].path else None
    return part, index if isinstance(index, int) else None


def address(number: int, part: str, desk: Desk, index: int | None = None) -> str:
    """Return the address of a page; an entry is named by its key where it has one of its own."""
    if index is None:
        return url_for("editor.part", number=number, part=part)
    entries = desk.entries(PAGES[part].path)
    entry = entries[index] if index < len(entries) else None
    key = entry.get("key") if isinstance(entry, dict) else None
    keys = [each.get("key") for each in entries if isinstance(each, dict)]
    named = isinstance(key, str) and key and not key.isdigit() and keys.count(key) == 1
    ref = str(key) if named and "/" not in str(key) else str(index)
    return url_for("editor.entry", number=number, part=part, ref=ref)


def place_of(page: Page, desk: Desk, ref: str) -> str | None:
    """Return the path of the entry that an address names, if it is there."""
    try:
        return counted(desk.document, f"{page.path}[{ref}]")
    except NoSuchPlace:
        return None


def items_of(page: Page, desk: Desk, path: str | None) -> list[Item]:
    """Return what stands on a page: of the whole, or of one entry of its list."""
    if page.path and path is None:
        return _list(page, desk)
    said = read_back(desk, page.part, path or "")
    return [*([Said(said)] if said else []), *page.build(desk, path or "")]


def _list(page: Page, desk: Desk) -> list[Item]:
    entries = desk.entries(page.path)
    items: list[Item] = []
    for index, entry in enumerate(entries):
        place = f"{page.path}[{index}]"
        name = _titled(page, desk, entry)
        link = Link(address(desk.number, page.part, desk, index), name)
        movers = Actions(desk.movers(place, index, len(entries), name))
        row = Row([link, movers])
        wrong = sum(each.path.startswith(place) for each in desk.problems)
        said = read_back(desk, page.part, place, brief=True)
        hint = Message("Problems: %(n)d", n=wrong) if wrong else ""
        read = [Said(said)] if said else []
        items.append(desk.box("", [row, *read], place, hint=hint))
    items.append(_another(page))
    if page.part == "examples":
        found = examples.proposals_of(desk)
        items.append(desk.box(Message("Proposed at each limit"), found, folded=True))
    return items


def _another(page: Page) -> Item:
    if page.part != "letters":
        return new_named(page.path, Message(page.add), Message(page.button))
    options = [(key, Message(said)) for key, said in LETTERS.items()]
    return New(f"add {page.path}", Message(page.add), Message(page.button), options)


def title_of(page: Page, desk: Desk, path: str | None) -> object:
    """Return the heading of a page."""
    if path is None:
        return Message(page.title)
    return _titled(page, desk, desk.get(path))


def _titled(page: Page, desk: Desk, entry: Any) -> object:
    if entry is ABSENT:
        return Message(page.title)
    return desk.name(entry)
