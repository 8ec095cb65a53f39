"""What a draft can begin from: an empty ladder, or a policy that is ready to be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.services.errors import NotThere
from app.services.installation import Fixed
from app.words import Words
from rules.document.strict_json import loads
from rules.messages import N_, Message

_FOLDER = Path(__file__).parent.parent / "starts"

READY_IN = ("en", "uk")
"""The languages of the policies that are ready."""


@dataclass(frozen=True, slots=True)
class Start:
    """Something to begin from: its name, and for whom it is."""

    key: str
    name: Message
    about: Message


STARTS = (
    Start(
        "empty",
        Message("An empty ladder"),
        Message("One tier, for everybody. You say all the rest."),
    ),
    Start(
        "activity",
        Message("How recently and how often"),
        Message(
            "Clients rise by ordering often and lately. Newcomers, one-off and lost clients are "
            "named, so that somebody can look after them."
        ),
    ),
    Start(
        "revenue",
        Message("Revenue and potential"),
        Message(
            "Clients rise by what they buy and by what they could buy. Twice a year is looked who "
            "no longer does; they are told, and have 90 days."
        ),
    ),
    Start(
        "points",
        Message("Points by calendar year"),
        Message(
            "Clients collect points and hold a tier until the end of the next year. Who has too "
            "few is warned in time and goes down one tier at a time."
        ),
    ),
)


def starting_document(key: str, here: Fixed, languages: Sequence[str]) -> dict[str, Any]:
    """Return a document to begin from, in the installation's currency and time zone.

    :param languages: those that names are wanted in, the main one first.  What is ready is there
        in some; with none of these it is in English.
    :raises NotThere: if there is nothing of this key to begin from.
    """
    if key not in {each.key for each in STARTS}:
        raise NotThere("There is nothing called %(key)s to begin from.", key=key)
    place = {"currency": here.currency, "time_zone": here.time_zone}
    if key == "empty":
        return _empty(languages) | place
    document: Any = loads((_FOLDER / f"{key}.json").read_bytes())
    letters = [each for each in _letters() if each["key"] in document["letters"]]
    ready = [each for each in languages if each in READY_IN] or ["en"]
    made: dict[str, Any] = _in_languages({**document, "letters": letters}, ready)
    return made | place | {"languages": ready}


LETTERS = {
    "notice": N_("a notice"),
    "less": N_("a withdrawal"),
    "ending": N_("a warning"),
    "down": N_("a demotion"),
    "up": N_("a promotion"),
    "kept": N_("a reinstatement"),
}
"""The letters that are ready, and for what each is."""


def ready_letter(key: str, languages: Sequence[str]) -> dict[str, Any]:
    """Return a letter to begin from, without its key, in those languages that it is there in.

    In the first language there is always something, be it English.

    :raises NotThere: if there is none of this key.
    """
    letter = next((each for each in _letters() if each["key"] == key), None)
    if letter is None:
        raise NotThere("There is no letter %(key)s to begin from.", key=key)
    return {
        part: {languages[0]: texts.get(languages[0], texts["en"])}
        | {each: texts[each] for each in languages if each in texts}
        for part, texts in letter.items()
        if part != "key"
    }


def _letters() -> list[Any]:
    found: Any = loads((_FOLDER / "letters.json").read_bytes())
    return list(found)


def _empty(languages: Sequence[str]) -> dict[str, Any]:
    names = {
        part: {each: Words.of(each).say(text) for each in languages}
        for part, text in (("policy", Message("Our clients")), ("tier", Message("Standard")))
    }
    return {
        "format": 1,
        "key": "clients",
        "name": names["policy"],
        "languages": list(languages),
        "metrics": [],
        "tiers": [{"key": "standard", "name": names["tier"]}],
    }


def _in_languages(part: Any, languages: Sequence[str]) -> Any:
    """Return a part of a document with its texts in some of their languages only."""
    if isinstance(part, list):
        return [_in_languages(each, languages) for each in part]
    if not isinstance(part, dict):
        return part
    if part and set(part) <= set(READY_IN):
        return {each: part[each] for each in languages}
    return {name: _in_languages(each, languages) for name, each in part.items()}
