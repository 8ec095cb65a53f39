"""Holds and overrides: what waits to be decided, and each with what may be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for

from admin.given import NUMBER, written
from admin.problems import by_field
from admin.views import View, acting, actor, page, reading, today, told
from app.merit import merit
from app.services import measures
from app.services.agenda import asked_measures
from app.services.authority import KNOWING, Permission
from app.services.errors import Conflict, Invalid, NotActionable
from app.services.history import Act
from app.services.naming import PHASES, TierNames
from app.services.portraits import ShownMeasure, shown_measure
from rules.document import Problem
from rules.messages import N_, Message


@dataclass(frozen=True, slots=True)
class _Verb:
    """Something that can be done about a measure: as a button, as a question, once done."""

    label: str
    question: str
    done: str
    act: Callable[[Act, int, str], None]


_VERBS: dict[str, _Verb] = {
    "grant": _Verb(
        N_("Grant it"),
        N_("Do you grant this?"),
        N_("It is granted."),
        lambda act, number, why: measures.grant(act, merit().rulebook, number, why),
    ),
    "refuse": _Verb(
        N_("Refuse it"),
        N_("Do you refuse this?"),
        N_("It is refused."),
        measures.refuse,
    ),
    "withdraw": _Verb(
        N_("Withdraw it"),
        N_("Do you withdraw this?"),
        N_("It is withdrawn."),
        measures.withdraw,
    ),
    "end": _Verb(
        N_("End it"),
        N_("Do you end this before its last day?"),
        N_("It is ended; today is judged without it."),
        measures.end,
    ),
}


class Measures(View):
    label = N_("Holds and overrides")

    def __init__(self) -> None:
        super().__init__(endpoint="measures", url="/measures")

    @page("/", *KNOWING)
    def index(self) -> str:
        with reading() as session:
            waiting = asked_measures(session, merit().rulebook, actor(), today())
        return self.render("measures/waiting.html", waiting=waiting)

    @page(f"/{NUMBER}", *KNOWING)
    def measure(self, number: int) -> str:
        return self._shown(number)

    @page(f"/{NUMBER}/grant", Permission.GRANT_MEASURE, methods=("POST",))
    def grant(self, number: int) -> Any:
        return self._do(number, "grant")

    @page(f"/{NUMBER}/refuse", Permission.GRANT_MEASURE, methods=("POST",))
    def refuse(self, number: int) -> Any:
        return self._do(number, "refuse")

    @page(f"/{NUMBER}/withdraw", Permission.ASK_MEASURE, methods=("POST",))
    def withdraw(self, number: int) -> Any:
        return self._do(number, "withdraw")

    @page(f"/{NUMBER}/end", Permission.ASK_MEASURE, Permission.GRANT_MEASURE, methods=("POST",))
    def end(self, number: int) -> Any:
        return self._do(number, "end")

    def _do(self, number: int, verb: str) -> Any:
        """Do something about a measure: first it is shown to be checked, then done for good."""
        wanted, why = _VERBS[verb], written("why")
        try:
            if not confirmed():
                with tried() as act:
                    wanted.act(act, number, why)
                return self.render(
                    "measures/check.html", shown=_shown(number), verb=verb, wanted=wanted, why=why
                )
            with acting() as act:
                wanted.act(act, number, why)
        except Invalid as error:
            problems = tuple(Problem("why", each.message) for each in error.problems)
            return self._shown(number, problems), 422
        except (Conflict, NotActionable) as error:
            return self._shown(number, (Problem("", error.message),)), 409
        told(Message(wanted.done))
        return redirect(url_for("measures.measure", number=number))

    def _shown(self, number: int, problems: tuple[Problem, ...] = ()) -> str:
        return self.render(
            "measures/measure.html",
            shown=_shown(number),
            verbs=_VERBS,
            phases=PHASES,
            last_day=measures.last_day,
            given=request.form,
            problems=by_field(problems),
        )


def _shown(number: int) -> ShownMeasure:
    """Return a measure said in words.

    :raises NotThere: if there is none of this number.
    """
    with reading() as session:
        tiers = TierNames(session, merit().rulebook)
        return shown_measure(session, actor(), tiers, today(), number)


def confirmed() -> bool:
    """Tell whether what a form says was shown to be checked before."""
    return written("confirmed") == "yes"


class _Undone(Exception):
    """What was tried could be done; nothing of it is kept."""


@contextmanager
def tried() -> Iterator[Act]:
    """Open the transaction of a use case that is only tried: whatever it does is undone."""
    try:
        with acting() as act:
            yield act
            raise _Undone
    except _Undone:
        pass
