"""Clients: found, and each seen whole on one page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, cast

from flask import redirect, request, url_for

from admin.given import (
    asked,
    asked_day,
    asked_number,
    chosen,
    known_reference,
    written,
    written_day,
)
from admin.history import by_day
from admin.language import words
from admin.links import link
from admin.measures import confirmed, tried
from admin.pictures import Rung, Told, ladder
from admin.problems import by_field
from admin.views import View, acting, actor, page, reading, today, told
from app.merit import merit
from app.services import chronicle, measures, portraits
from app.services.authority import KNOWING, Permission
from app.services.clients import client_named
from app.services.directory import Sought, search
from app.services.errors import Conflict, Invalid
from app.services.naming import GROUNDS, PHASES, STATES, measure_said
from app.services.portraits import portrait, stood
from app.services.rulebook import NoPolicy, PolicyUnusable
from rules.document import Problem
from rules.messages import N_, Message
from rules.policy import Tier
from rules.sentences import Named
from rules.standing import Measure, MeasureKind

_READ = Permission.READ_CLIENTS

_KINDS: dict[MeasureKind, str] = {
    "hold": N_("A hold: the client keeps the tier held, and the clock of a demotion stops"),
    "floor": N_("An override: at least a tier"),
    "ceiling": N_("An override: at most a tier"),
    "exact": N_("An override: exactly a tier"),
}


class Clients(View):
    label = N_("Clients")

    def __init__(self) -> None:
        super().__init__(endpoint="clients", url="/clients")

    @page("/", _READ)
    def index(self) -> str:
        tiers = _tiers()
        sought = Sought(asked("text"), chosen("tier", tiers), chosen("state", STATES))
        with reading() as session:
            found = search(session, actor(), sought, asked("after"))
        return self.render(
            "clients/search.html",
            sought=sought,
            found=found,
            tiers=tiers,
            states=STATES,
            further=_further(found.after),
        )

    @page("/<reference>", _READ)
    def client(self, reference: str) -> str:
        seen = portrait(merit().desk, actor(), known_reference(reference), words())
        return self.render(
            "clients/client.html",
            seen=seen,
            picture=_picture(seen.ladder),
            reasons=_reasons(seen.answer, seen.ladder),
            days=groupby(seen.timeline, lambda each: each.day),
            states=STATES,
            grounds=GROUNDS,
            phases=PHASES,
            last_day=measures.last_day,
        )

    @page("/<reference>/on", _READ)
    def then(self, reference: str) -> str:
        """Show how a client stood on a day gone by, as it was decided."""
        known_reference(reference)
        day = asked_day("day")
        if day is None or day > today():
            raise Invalid([Problem("day", Message("must be a day that is not after today"))])
        answer, rungs = stood(merit().desk, actor(), reference, day, words())
        return self.render(
            "clients/then.html",
            reference=reference,
            day=day,
            answer=answer,
            picture=_picture(rungs),
            reasons=_reasons(answer, rungs),
            states=STATES,
            grounds=GROUNDS,
        )

    @page("/<reference>/history", *KNOWING)
    def history(self, reference: str) -> str:
        wanted = chronicle.Wanted(client=known_reference(reference))
        with reading() as session:
            found = chronicle.read(
                session, merit().rulebook, actor(), wanted, asked_number("before")
            )
        return self.render(
            "clients/history.html",
            reference=reference,
            days=by_day(found.entries),
            before=found.before,
            link=link,
        )

    @page("/<reference>/ask", Permission.ASK_MEASURE, methods=("GET", "POST"))
    def ask(self, reference: str) -> Any:
        """Ask for a hold or an override: first as it will be, to be checked, then for good."""
        known_reference(reference)
        if request.method == "GET":
            with reading() as session:
                client_named(session, reference)
            return self._form(reference)
        try:
            wanted, reason = _wanted(), written("reason")
            if not confirmed():
                with tried() as act:
                    measures.ask(act, merit().rulebook, reference, wanted, reason)
                return self.render(
                    "clients/check.html",
                    reference=reference,
                    said=_said(wanted),
                    wanted=wanted,
                    reason=reason,
                    given=request.form,
                )
            with acting() as act:
                number = measures.ask(act, merit().rulebook, reference, wanted, reason)
        except Invalid as error:
            return self._form(reference, error.problems), 422
        except Conflict as error:
            return self._form(reference, (Problem("", error.message),)), 409
        told(Message("It is asked for, and waits for somebody who grants it."))
        return redirect(url_for("measures.measure", number=number))

    def _form(self, reference: str, problems: tuple[Problem, ...] = ()) -> str:
        return self.render(
            "clients/ask.html",
            reference=reference,
            kinds=_KINDS,
            tiers=_tiers(),
            given={"first": today().isoformat(), **request.form},
            problems=by_field(problems),
            longest=measures.LONGEST,
        )


def _tiers() -> dict[str, Tier]:
    """Return the tiers of the policy in force by their keys, from the highest."""
    with reading() as session:
        try:
            tiers = merit().rulebook.in_force(session).policy.tiers
        except (NoPolicy, PolicyUnusable):
            return {}
    return {each.key: each for each in reversed(tiers)}


def _further(after: str | None) -> str | None:
    """Return the address of the next page of a search."""
    if after is None:
        return None
    kept = {name: asked(name) for name in ("text", "tier", "state") if asked(name)}
    return url_for("clients.index", **kept, after=after)  # type: ignore[arg-type]  # texts


def _picture(steps: Sequence[portraits.Rung]) -> Any:
    say = words().say
    rungs = []
    for each in steps:
        said = Message("is served by this") if each.is_served else Message("is held by the rules")
        note = say(said) if each.is_served or each.is_held else ""
        rungs.append(Rung(say(each.name), each.is_served, note))
    told = Told(
        "ladder",
        say(Message("The ladder, and where the client stands")),
        "; ".join(f"{each.label}: {each.said}" for each in rungs if each.said),
    )
    return ladder(told, rungs)


_WHOSE = {
    ("entry", True): N_("To reach %(name)s"),
    ("keep", True): N_("To keep %(name)s"),
    ("segment", False): N_("For segments"),
    ("unless", False): N_("For exceptions from being stepped down"),
}
"""What conditions belong to: by the part of the rules, and whether it is one tier's."""


def _reasons(
    answer: dict[str, Any] | None, rungs: Sequence[portraits.Rung]
) -> list[tuple[Message, list[dict[str, Any]]]]:
    """Return the conditions by what they belong to, those of the highest tier first."""
    names: dict[str | None, Named] = {each.key: each.name for each in rungs}
    order: list[str | None] = [*names, None]
    found: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for each in () if answer is None else answer["reasons"]:
        found.setdefault((each["criteria"], each.get("tier")), []).append(each)
    ranked = sorted(found, key=lambda each: order.index(each[1]) if each[1] in order else 0)
    return [
        (
            Message(_WHOSE[part, tier is not None], name=names.get(tier or "", tier)),
            found[part, tier],
        )
        for part, tier in ranked
    ]


def _wanted() -> Measure:
    """Return what a form asks for.

    :raises Invalid: naming each field from which it cannot be told.
    """
    kind = written("kind")
    problems = []
    if kind not in _KINDS:
        problems.append(Problem("kind", Message("choose what you ask for")))
    if kind in ("floor", "ceiling", "exact") and written("tier") not in _tiers():
        problems.append(Problem("tier", Message("choose a tier")))
    days = []
    for name in ("first", "last"):
        try:
            days.append(written_day(name))
        except Invalid as error:
            problems += error.problems
    if problems:
        raise Invalid(problems)
    tier = None if kind == "hold" else written("tier")
    return Measure(cast(MeasureKind, kind), days[0], days[1], tier)


def _said(wanted: Measure) -> Message:
    tiers = _tiers()
    return measure_said(wanted.kind, wanted.tier and Named(tiers[wanted.tier].name))
