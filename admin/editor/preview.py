"""A letter as it would read, with something made up in the place of every name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from admin.editor.desk import Desk
from app.words import Words
from rules.letters import PLACEHOLDERS, fill, template_problems
from rules.messages import Message
from rules.sentences import Named

_MADE_UP = {
    "client": Message("Maria Kovalenko"),
    "contact": Message("your manager"),
    "rule": Message("(what keeping the tier asks for)"),
    "figures": Message("(each figure, and what is asked for)"),
    "gap": Message("(what is missing)"),
    "to_stay": Message("(the nearest way to stay)"),
    "to_rise": Message("(the nearest way up)"),
    "ahead": Message("(what comes next, and when)"),
    "benefits": Message("(the benefits it is about)"),
    "service": Message("(the benefits and promises of the tier)"),
}


def previewed(desk: Desk, template: str, language: str) -> list[str]:
    """Return the lines of a letter; none if its names are not right yet."""
    if any(template_problems(template, frozenset(PLACEHOLDERS))):
        return []
    words = Words.of(language)
    values = {name: [words.say(text)] for name, text in _values(desk)}
    return [line for line in fill(template, values).split("\n") if line]


def _values(desk: Desk) -> Iterator[tuple[str, object]]:
    tiers: list[Any] = [Named(each["name"]) for each in _whole(desk.entries("tiers"))]
    lower, upper = (tiers[0], tiers[-1]) if tiers else ("…", "…")
    yield from _MADE_UP.items()
    yield "programme", desk.name({"name": desk.get("name")})
    yield "date", desk.day
    yield "as_of", desk.day
    yield "deadline", desk.day + timedelta(days=60)
    yield "tier", upper
    yield "former_tier", lower
    yield "tier_after", lower


def _whole(entries: list[Any]) -> list[dict[str, Any]]:
    return [
        each
        for each in entries
        if isinstance(each, dict)
        and isinstance(each.get("name"), dict)
        and each["name"]
        and all(isinstance(text, str) for text in each["name"].values())
    ]
