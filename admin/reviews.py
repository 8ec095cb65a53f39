"""A version on its way into force: submitted, reviewed, scheduled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

from flask import redirect, request, url_for
from sqlalchemy.orm import Session

from admin.editor.pages import page_of
from admin.effects import matrix_of
from admin.given import NUMBER, written
from admin.language import words
from admin.problems import by_field
from admin.states import tag
from admin.views import View, acting, actor, may, page, reading, stays_fresh, told
from app.merit import merit
from app.services import governance, reviewing
from app.services.authority import Permission
from app.services.errors import Invalid
from app.services.governance import Verdict
from app.services.local_time import NotOnce, read_instant
from app.services.policies import ExamplesFail
from app.services.reviewing import Laid, Shown
from app.services.trial import TrialFailed
from rules.describe import example_sentence
from rules.document import DocumentInvalid, Problem
from rules.examples import failures
from rules.messages import N_, Message
from rules.reference import Reference

_READ, _DRAFT = Permission.READ_POLICY, Permission.DRAFT_POLICY
_REVIEW = Permission.REVIEW_POLICY

_TO_WRITE = timedelta(minutes=15)
"""How long writing a comment may take without the password being asked for before it is sent."""

VERDICTS: dict[Verdict, str] = {
    "approved": N_("Approve it: it may come into force as it is"),
    "changes_requested": N_("Ask for changes: it becomes a draft again"),
    "rejected": N_("Reject it for good"),
}

_DONE: dict[Verdict, str] = {
    "approved": N_("Version %(number)d is approved. Now say from when it is to be in force."),
    "changes_requested": N_("Version %(number)d is a draft again; its editors see your comment."),
    "rejected": N_("Version %(number)d is rejected."),
}


WHENS = {
    "at": N_("At a date and time"),
    "now": N_("Now, as soon as it is checked once more"),
}


class ReviewPages(View):
    """What is done with a version by one person after the other."""

    # -- laid before the reviewers -------------------------------------------------------------

    @page(f"/{NUMBER}/submit", _DRAFT)
    def submit(self, number: int, problems: tuple[Problem, ...] | None = None) -> Any:
        with reading() as session:
            version = governance.version_named(session, number)
            governance.require_state(version, "submitted")
            laid = reviewing.lay_out(session, number)
            given = () if problems is None else problems
            shown = self.render(
                "versions/submit.html",
                version=version,
                laid=laid,
                given=request.form,
                problems=by_field(tuple(each for each in given if each.path == "reason")),
                findings=[each for each in given if each.path != "reason"] or laid.problems,
                place=place_in_editor,
            )
        return shown if problems is None else (shown, 422)

    @page(f"/{NUMBER}/submit", _DRAFT, methods=("POST",))
    def submitted(self, number: int) -> Any:
        """Submit a draft; what it does not pass stands on the page, and it stays a draft."""
        found = merit()
        try:
            governance.submit(found.database, actor(), number, written("reason"), found.clock())
        except (DocumentInvalid, ExamplesFail, Invalid) as error:
            return ReviewPages.submit(self, number, error.problems)
        except TrialFailed as error:
            return ReviewPages.submit(self, number, (Problem("", error.message),))
        told(
            Message(
                "Version %(number)d is in review. Nobody can change it now; somebody who wrote "
                "none of it decides.",
                number=number,
            )
        )
        return redirect(url_for("versions.version", number=number))

    # -- reviewed ------------------------------------------------------------------------------

    @page(f"/{NUMBER}/review", _READ)
    def review(self, number: int, problems: tuple[Problem, ...] | None = None) -> Any:
        """Show all there is to be seen of a version, and ask for a verdict."""
        with reading() as session:
            laid = reviewing.lay_out(session, number)
            wrote_any = reviewing.wrote_any(session, actor(), number)
            can = may(_REVIEW) and laid.version.state == "in_review"
            shown = self.render(
                "versions/review.html",
                version=laid.version,
                laid=laid,
                tag=tag(laid.version, governance.approvals(session, number)),
                was_in_force=laid.version.in_force_from is not None,
                examples=_examples(laid),
                **_effect(session, laid),
                wrote_any=wrote_any,
                can_decide=can and not wrote_any,
                is_fresh=stays_fresh(_TO_WRITE),
                verdicts=_said(VERDICTS),
                given=request.form,
                problems=by_field(problems or ()),
            )
        return shown if problems is None else (shown, 422)

    @page(f"/{NUMBER}/review", _REVIEW, methods=("POST",), fresh=True)
    def reviewed(self, number: int) -> Any:
        verdict = written("verdict")
        if verdict not in get_args(Verdict):
            message = Message("Choose what you decide.")
            return ReviewPages.review(self, number, (Problem("verdict", message),))
        shown = Shown(written("digest"), _number("against"), _number("effect"))
        try:
            with acting() as act:
                reviewing.review(act, number, shown, cast(Verdict, verdict), written("comment"))
        except Invalid as error:
            return ReviewPages.review(self, number, error.problems)
        told(Message(_DONE[cast(Verdict, verdict)], number=number))
        return redirect(
            url_for(
                "versions.schedule" if verdict == "approved" else "versions.version", number=number
            )
        )

    # -- scheduled -----------------------------------------------------------------------------

    @page(f"/{NUMBER}/schedule", _REVIEW)
    def schedule(
        self,
        number: int,
        problems: tuple[Problem, ...] | None = None,
        choices: tuple[str, ...] = (),
    ) -> Any:
        with reading() as session:
            version = governance.version_named(session, number)
            governance.require_state(version, "scheduled")
            shown = self.render(
                "versions/schedule.html",
                version=version,
                choices=[(each, _offset(each)) for each in choices],
                whens=_said(WHENS),
                is_fresh=stays_fresh(_TO_WRITE),
                given=request.form,
                now=merit().clock().astimezone(ZoneInfo(merit().fixed.time_zone)),
                problems=by_field(problems or ()),
            )
        return shown if problems is None else (shown, 422)

    @page(f"/{NUMBER}/schedule", _REVIEW, methods=("POST",), fresh=True)
    def scheduled(self, number: int) -> Any:
        """Schedule a version; a time that clocks show never or twice is asked about."""
        try:
            with acting() as act:
                governance.schedule(act, number, _instant(act.at), written("comment"))
        except NotOnce as error:
            return ReviewPages.schedule(self, number, (_asked_back(error),), error.choices)
        except Invalid as error:
            return ReviewPages.schedule(self, number, error.problems)
        told(Message("Version %(number)d is scheduled.", number=number))
        return redirect(url_for("versions.version", number=number))


def _effect(session: Session, laid: Laid) -> dict[str, Any]:
    """Return what is shown of the effect, if it is of the version as it is."""
    if laid.effect is None or laid.effect_shown is None:
        return {}
    return {"matrix": matrix_of(session, laid.effect)[0]}


def _said(options: Mapping[Any, str]) -> list[tuple[str, str]]:
    return [(key, words().say(Message(said))) for key, said in options.items()]


def place_in_editor(number: int, path: str) -> str:
    """Return the address of the page of a draft on which a place of its document is."""
    part, index = page_of(path)
    if index is None:
        return url_for("editor.part", number=number, part=part)
    return url_for("editor.entry", number=number, part=part, ref=index)


def _asked_back(error: NotOnce) -> Problem:
    """Say that one of two instants has to be chosen, and why."""
    if error.is_twice:
        message = Message(
            "The clocks are put back then, so this time comes twice. Choose which one you mean."
        )
    else:
        message = Message(
            "The clocks are put forward then, so this time never comes. Choose one beside it."
        )
    return Problem("choice", message)


def _instant(now: datetime) -> datetime:
    """Return from when a version is to be in force.

    :raises NotOnce: if local clocks show what was written never or twice.
    :raises Invalid: if nothing was written, or no time.
    """
    if written("when") == "now":
        return now
    text = written("choice") or written("at")
    if not text:
        raise Invalid([Problem("at", Message("is missing"))])
    return read_instant("at", text, merit().fixed.time_zone)


def _offset(written: str) -> str:
    """Write an instant such that two of the same time of day are told apart."""
    at = datetime.fromisoformat(written)
    return words().say(
        Message(
            "%(day)s, %(time)s (UTC%(offset)s)",
            day=at.date(),
            time=at.strftime("%H:%M"),
            offset=written[-6:],
        )
    )


def _examples(laid: Laid) -> list[tuple[Message, Message | None]]:
    """Return the examples of a version as sentences, each with what is wrong with it."""
    if laid.policy is None:
        return []
    failed = failures(laid.policy, Reference(laid.policy).judge)
    wrong = {each.place: each.sentence for each in failed}
    return [
        (example_sentence(laid.policy, each), wrong.get(place))
        for place, each in enumerate(laid.policy.examples)
    ]


def _number(name: str) -> int | None:
    text = written(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
