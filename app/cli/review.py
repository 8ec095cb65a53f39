"""``review``: all clients, or one, on a business date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, get_args

import click
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.attending import Work, see_through
from app.cli.figures import DayParameter, lease_option, show_tiers
from app.cli.speech import said_plainly, say
from app.cli.stopping import stop_when_told
from app.clock import business_date
from app.merit import Merit, merit
from app.models import Client, Job
from app.services import jobs
from app.services.authority import SYSTEM
from app.services.counts import number_of_clients
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.jobs import Batch
from app.services.review import NOTHING, missed, review
from app.services.standings import REVIEW, NoTier, decide, reviewed_until
from app.services.tally import count
from app.words import Words
from rules.document import Problem
from rules.messages import Message
from rules.standing import EventKind


@click.command("review")
@click.option("--date", "day", type=DayParameter(), help="The business date; today if not given.")
@click.option("--client", "reference", help="Only the client of this reference.")
@click.option(
    "--only", is_flag=True, help="This date only: those missed since the last review stay so."
)
@lease_option
@with_appcontext
def review_command(day: date | None, reference: str | None, only: bool, lease: float) -> None:
    """Decide how all clients stand on a date, and on those missed since the last review.

    However often it is started, stopped or run beside itself, each client is decided about once
    for each date. Dates that stay unevaluated cost nobody anything.
    """
    found = merit()
    with said_plainly():
        today = business_date(found.clock, found.fixed.time_zone)
        day = day or today
        if day > today:
            raise Invalid([Problem("--date", Message("must not be after today"))])
        if reference is not None:
            _review_one(found, reference, day, catches_up=not only)
            return
        stop = stop_when_told()
        with found.database.reading() as session:
            number = number_of_clients(session)
        for each in _to_review(found, day, only=only):
            work = _work(
                each, partial(review, found.rulebook, found.fixed, catches_up=not only), number
            )
            see_through(found, work, timedelta(seconds=lease), stop)
            if each != day:
                _show(found, each)
        _show(found, day)
        show_tiers(_report(found, day)["tiers"])


def _to_review(found: Merit, day: date, *, only: bool) -> list[date]:
    """Add the jobs of the dates that are to be reviewed, and return them in order."""
    with found.acting(SYSTEM) as act:
        last = reviewed_until(act.session, day)
        if last is not None and day <= last:
            if _job(act.session, day) is None:
                raise NotActionable(
                    "Everybody has been reviewed until %(last)s; what was decided is never "
                    "rewritten.",
                    last=last.isoformat(),
                )
            return []
        days = [*([] if only else missed(act, day)), day]
        for each in days:
            if not jobs.add(act, REVIEW, f"{REVIEW}:{each}", act.at):
                jobs.hurry(act, f"{REVIEW}:{each}")
    return days


def _job(session: Session, day: date) -> Job | None:
    return session.execute(select(Job).where(Job.key == f"{REVIEW}:{day}")).scalar()


def _report(found: Merit, day: date) -> Mapping[str, Any]:
    with found.database.reading() as session:
        job = _job(session, day)
    return job.report if job and job.report else NOTHING


def _show(found: Merit, day: date) -> None:
    """Print what a review came to, and what happened by it."""
    report = _report(found, day)
    say(
        Message(
            "%(day)s: %(clients)d clients, %(decisions)d decisions, %(good)d stood well already.",
            day=day.isoformat(),
            clients=report["clients"],
            decisions=report["decisions"],
            good=report["already_good"],
        )
    )
    for kind in get_args(EventKind):
        if number := report["events"].get(kind):
            click.echo(f"  {kind:<24}{number:>9}")
    if report["failed"]:
        failed = Message(
            "Clients of whom no tier could be named: %(count)d", count=report["failed"]
        )
        say(failed, err=True)


def _review_one(found: Merit, reference: str, day: date, *, catches_up: bool) -> None:
    words = Words.negotiated([found.fixed.language])
    with found.acting(SYSTEM) as act:
        client = act.session.execute(select(Client.id).where(Client.reference == reference))
        client_id = client.scalar()
        if client_id is None:
            raise NotThere("There is no client %(reference)s.", reference=reference)
        in_force, decided = decide(
            act, found.rulebook, [client_id], day, words, catches_up=catches_up
        )
    count(in_force, decided)
    if client_id in decided.failed:
        raise NoTier(decided.failed[client_id])
    row = decided.standings[client_id]
    say(
        Message(
            "%(reference)s: %(tier)s since %(since)s, %(state)s, as of %(day)s; "
            "%(count)d decisions.",
            reference=reference,
            tier=row.tier,
            since=row.since.isoformat(),
            state=row.state,
            day=row.as_of.isoformat(),
            count=decided.decided,
        )
    )
    for kind, number in sorted(decided.events.items()):
        click.echo(f"  {kind:<24}{number:>9}")


def _work(day: date, batch: Batch, length: int) -> Work:
    label = Message("Reviewing %(day)s", day=day.isoformat())
    name = Message("The review of %(day)s", day=day.isoformat())
    return Work(REVIEW, f"{REVIEW}:{day}", label, name, length, batch)
