"""What two people said of the same place, each in words, for one of them to choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.services.drafting import Clash, readable
from rules.compare import Difference, compare
from rules.describe import Line
from rules.document.merge import ABSENT
from rules.document.merge import Clash as Place
from rules.document.strict_json import dumps
from rules.messages import Message


@dataclass(frozen=True, slots=True)
class Shown:
    """A clash: where, and what is said there by others and by oneself."""

    path: str
    subject: object
    theirs: tuple[Line, ...]
    mine: tuple[Line, ...]


def shown(clash: Clash) -> list[Shown]:
    """Return every clash in words."""
    return [_shown(clash, each) for each in clash.clashes]


def _shown(clash: Clash, place: Place) -> Shown:
    theirs = readable(clash.merged).policy
    mine = readable(clash.merged_with(place.path)).policy
    found = compare(theirs, mine) if theirs and mine else ()
    if not found:
        subject = Message("%(path)s", path=place.path)
        return Shown(place.path, subject, _plainly(place.theirs), _plainly(place.mine))
    return Shown(
        place.path, found[0].subject, _side(found, before=True), _side(found, before=False)
    )


def _side(found: tuple[Difference, ...], *, before: bool) -> tuple[Line, ...]:
    lines = [line for each in found for line in (each.before if before else each.after)]
    return tuple(lines) or (Line(0, Message("nothing")),)


def _plainly(value: Any) -> tuple[Line, ...]:
    if value is ABSENT:
        return (Line(0, Message("nothing")),)
    text = value if isinstance(value, str) else dumps(value)
    return (Line(0, Message("%(text)s", text=text)),)
