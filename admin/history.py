"""The history as people read it: sentences by day, of whom, what and when they want to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from flask import Response, url_for

from admin.given import asked, asked_day, asked_number, chosen, known_reference
from admin.language import words
from admin.links import link
from admin.problems import by_field
from admin.views import View, actor, page, reading
from app.merit import merit
from app.services.authority import Permission
from app.services.chronicle import PEOPLE, Page, Told, Wanted, actors, export, read, systems
from app.services.errors import Invalid, NotThere
from app.services.verbs import KINDS
from rules.document import Problem
from rules.messages import N_, Message

_READ = Permission.READ_HISTORY
_EVERYBODY, _SERVICE = "everybody", "system"
_ASKED = ("what", "who", "client", "version", "first", "last")


class History(View):
    label = N_("History")

    def __init__(self) -> None:
        super().__init__(endpoint="history", url="/history")

    @page("/", _READ)
    def index(self) -> Any:
        """Show what happened; at first what people did, for the service does much each night."""
        with reading() as session:
            known, keys = actors(session), systems(session)
            problems: tuple[Problem, ...] = ()
            found = Page((), None)
            try:
                found = read(
                    session,
                    merit().rulebook,
                    actor(),
                    _wanted(known + keys),
                    asked_number("before"),
                )
            except Invalid as error:
                problems = error.problems
            except NotThere as error:
                problems = (Problem("client", error.message),)
        shown = self.render(
            "history.html",
            days=by_day(found.entries),
            who=[
                (PEOPLE, words().say(Message("People"))),
                (_EVERYBODY, words().say(Message("People, systems and the service"))),
                (_SERVICE, words().say(Message("The service itself"))),
                *known,
                *((name, words().say(Message("Key: %(name)s", name=said))) for name, said in keys),
            ],
            what=KINDS,
            given={name: asked(name) for name in _ASKED},
            further=None if found.before is None else _address("index", before=found.before),
            exported=_address("exported"),
            problems=by_field(problems),
            link=link,
        )
        return (shown, 422) if problems else shown

    @page("/history.csv", _READ)
    def exported(self) -> Response:
        with reading() as session:
            wanted = _wanted(actors(session) + systems(session))
            content = export(session, merit().rulebook, actor(), wanted, words())
        disposition = {"Content-Disposition": 'attachment; filename="history.csv"'}
        return Response(content, content_type="text/csv; charset=utf-8", headers=disposition)


def by_day(entries: Iterable[Told]) -> Iterator[tuple[date, Iterator[Told]]]:
    """Group entries by the day on which they happened."""
    return groupby(entries, lambda each: each.at.date())


def _wanted(known: Sequence[tuple[str, str]]) -> Wanted:
    """Return what an address asks for.

    :raises Invalid: naming what cannot be.
    """
    who = chosen("who", {PEOPLE, _EVERYBODY, _SERVICE, *(name for name, _ in known)}) or PEOPLE
    version = asked_number("version")
    if asked("version") and version is None:
        raise Invalid([Problem("version", Message("must be a number"))])
    client = asked("client") or None
    if client is not None:
        known_reference(client)
    return Wanted(
        what=chosen("what", KINDS),
        actor=None if who == _EVERYBODY else who,
        object=None if version is None else f"policy:{version}",
        client=client,
        first=asked_day("first"),
        last=asked_day("last"),
    )


def _address(name: str, **also: int) -> str:
    kept = {each: asked(each) for each in _ASKED if asked(each)}
    return url_for(f"history.{name}", **kept, **also)  # type: ignore[arg-type]  # texts and numbers
