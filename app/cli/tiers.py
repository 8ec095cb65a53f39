"""``tiers``: how many clients' facts give what tier on a date."""

from __future__ import annotations

from datetime import date

import click
from flask.cli import with_appcontext

from app.cli.figures import DayParameter, bar, show_tiers
from app.cli.speech import said_plainly
from app.clock import business_date
from app.merit import merit
from app.services.counts import number_of_clients, tiers_on
from app.words import Words
from rules.messages import Message


@click.command("tiers")
@click.option("--date", "day", type=DayParameter(), help="The business date; today if not given.")
@with_appcontext
def tiers(day: date | None) -> None:
    """Count what tiers all clients' facts give on a date, by the policy in force.

    Nothing is recorded. A client of whom no tier can be named is listed on standard error, and
    the exit status is 1.
    """
    found = merit()
    with said_plainly():
        day = day or business_date(found.clock, found.fixed.time_zone)
        with (
            found.database.reading() as session,
            bar(Words().say(Message("Judging")), number_of_clients(session)) as advance,
        ):
            _, counts, failed = tiers_on(session, found.rulebook, day, advance)
    show_tiers(counts)
    for reference, why in failed.items():
        message = Message("client %(reference)s: %(reason)s", reference=reference, reason=why)
        click.echo(Words().say(message), err=True)
    if failed:
        raise click.exceptions.Exit(1)
