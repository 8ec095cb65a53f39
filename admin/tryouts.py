"""A client tried on a version: a real one or one that is made up, today or over the past year."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from flask import request
from markupsafe import Markup
from sqlalchemy.orm import Session

from admin.editor.values import KINDS, OF_TYPES, Manner, fits, read
from admin.given import NUMBER, asked, known_reference
from admin.language import words
from admin.pictures import Span, Steps, Told, steps
from admin.problems import by_field
from admin.views import View, page, reading, today
from app.merit import merit
from app.models import PolicyVersion
from app.services.authority import Permission
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.governance import version_named
from app.services.naming import event_said
from app.services.policies import PolicyInForce, as_draft
from app.services.trying import Tried, Trying, Year
from rules.document import DocumentInvalid, Problem
from rules.document.merge import ABSENT
from rules.messages import N_, Message
from rules.policy import Metric, Policy
from rules.sentences import Named
from rules.vocabulary import MetricType
from rules.windows import add_months

_CLIENTS = Permission.READ_CLIENTS
_FACT = "fact:"

_HINTS = {
    MetricType.MONEY: N_("An amount of money, such as 1250"),
    MetricType.COUNT: N_("A whole number"),
    MetricType.DECIMAL: N_("A number, such as 4.5"),
    MetricType.DAYS: N_("A number of days"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One figure to be typed; ``options`` where one of several is chosen."""

    name: str
    label: str
    hint: str
    value: str
    type: str
    options: Sequence[tuple[str, str]]


class TryPages(View):
    """Nothing of this is stored: all that was asked stands in the address."""

    @page(f"/{NUMBER}/try", _CLIENTS)
    def try_out(self, number: int) -> Any:
        """Show a client under the version and under the policy in force, side by side."""
        found: Tried | None = None
        problems: tuple[Problem, ...] = ()
        with reading() as session:
            version = version_named(session, number)
            draft = _draft(version)
            if draft is not None:
                try:
                    found = _tried(session, draft)
                except Invalid as error:
                    problems = error.problems
                except (NotThere, NotActionable) as error:
                    problems = (Problem("client", error.message),)
        shown = self.render(
            "versions/try.html",
            version=version,
            tried=found,
            client=asked("client"),
            fields=[] if draft is None else list(_fields(draft.policy)),
            is_readable=draft is not None,
            problems=by_field(problems),
        )
        return (shown, 422) if problems else shown

    @page(f"/{NUMBER}/try/year", _CLIENTS)
    def year(self, number: int) -> Any:
        """Show how a client would have stood over the past year by the version."""
        reference = known_reference(asked("client"))
        with reading() as session:
            version = version_named(session, number)
            draft = _draft(version)
            if draft is None:
                raise NotActionable("Something in the version is wrong; nobody can be tried on it.")
            found = Trying(session, merit().rulebook, draft).past_year(reference, today())
        policy = draft.policy
        return self.render(
            "versions/year.html",
            version=version,
            client=reference,
            year=found,
            picture=_picture(found, policy, number),
            rows=list(_rows(found, policy)),
            events=[
                (each.day, event_said(each.kind, _named(policy, each.tier)))
                for each in found.events
            ],
        )


def _draft(version: PolicyVersion) -> PolicyInForce | None:
    try:
        return as_draft(version.document, version.id)
    except DocumentInvalid:
        return None


def _tried(session: Session, draft: PolicyInForce) -> Tried | None:
    """Return what an address asks to be tried, if anything.

    :raises Invalid: naming each figure that does not fit, by its field.
    """
    trying = Trying(session, merit().rulebook, draft)
    if asked("client"):
        return trying.client(asked("client"), today(), words())
    if "invented" not in request.args:
        return None
    try:
        return trying.facts(_stated(draft.policy), today(), words())
    except Invalid as error:
        raise Invalid(
            Problem(f"{_FACT}{each.path}", each.message) for each in error.problems
        ) from error


def _stated(policy: Policy) -> dict[str, object]:
    """Return the figures that were typed, as JSON writes them.

    :raises Invalid: naming each that cannot be read.
    """
    manner = Manner(words().language, policy.currency)
    typed = {
        key: read(OF_TYPES[metric.type], [request.args.get(f"{_FACT}{key}", "")], manner)
        for key, metric in policy.metrics.items()
    }
    stated = {key: value for key, value in typed.items() if value is not ABSENT}
    types = {key: policy.metrics[key].type for key in stated}
    if problems := [
        Problem(key, Message(KINDS[OF_TYPES[types[key]]].wanted))
        for key, value in stated.items()
        if not fits(types[key], value)
    ]:
        raise Invalid(problems)
    return stated


def _fields(policy: Policy) -> Iterator[Field]:
    for key, metric in policy.metrics.items():
        name = f"{_FACT}{key}"
        hint = _HINTS.get(metric.type, "")
        yield Field(
            name,
            words().name(metric.name),
            words().say(Message(hint)) if hint else "",
            request.args.get(name, ""),
            "date" if metric.type is MetricType.DATE else "text",
            list(_options(metric)),
        )


def _options(metric: Metric) -> Iterator[tuple[str, str]]:
    say = words().say
    if metric.type is MetricType.BOOLEAN:
        yield from (("", ""), ("yes", say(Message("yes"))), ("no", say(Message("no"))))
    if metric.type is MetricType.CHOICE:
        yield "", ""
        yield from ((key, words().name(names)) for key, names in metric.options.items())


# -- the past year ---------------------------------------------------------------------------------


def _named(policy: Policy, key: str) -> Named | str:
    return next((Named(each.name) for each in policy.tiers if each.key == key), key)


def _picture(year: Year, policy: Policy, number: int) -> Markup:
    places = {tier.key: place for place, tier in enumerate(policy.tiers)}
    say = words().say

    def rung(key: str) -> int:
        return places.get(policy.transition.tiers.get(key, key), 0)

    lines = [
        Steps(
            say(Message("By version %(number)d", number=number)),
            [(day, rung(key)) for day, key in year.held],
        )
    ]
    if year.decided:
        points = [(day, rung(key)) for day, key in year.decided]
        lines.append(Steps(say(Message("As it was")), points, is_dashed=True))
    title = Message("The tier held over the past year")
    description = Message(
        "From %(first)s to %(last)s; the table says the same.", first=year.first, last=year.last
    )
    return steps(
        Told("year", say(title), say(description)),
        Span(year.first, year.last, list(_months(year))),
        [words().name(tier.name) for tier in policy.tiers],
        lines,
    )


def _months(year: Year) -> Iterator[tuple[date, str]]:
    """Yield the first day of every other month, and how it is called."""
    first = add_months(year.first.replace(day=1), 1)
    for months in range(0, 12, 2):
        day = add_months(first, months)
        if day <= year.last:
            yield day, format_date(day, "MMM", locale=words().language)


def _rows(year: Year, policy: Policy) -> Iterator[tuple[date, Named | str, Named | str]]:
    """Yield the days on which something else was held, by the version or really, and what."""
    held, decided = dict(year.held), dict(year.decided)
    by_version: Named | str = ""
    really: Named | str = ""
    for day in sorted({*held, *decided}):
        by_version = _named(policy, held[day]) if day in held else by_version
        really = _named(policy, decided[day]) if day in decided else really
        yield day, by_version, really
