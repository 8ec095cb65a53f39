"""``measure``: holds and overrides of clients, asked for by one person and granted by another.

Who acts signs in; listing does not ask, for who runs commands can read the database.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import click
from flask.cli import AppGroup

from app.cli.acting import acting_as, signed_in
from app.cli.figures import DayParameter
from app.cli.speech import said_plainly, say
from app.clock import business_date
from app.merit import merit
from app.services import measures
from app.services.history import Act
from app.services.measures import KINDS, Shown
from rules.messages import N_, Message
from rules.standing import Measure, MeasureKind

measure_commands = AppGroup("measure", help="Holds and overrides of clients.")

_number = click.argument("number", type=click.IntRange(1, 2**31 - 1))


@measure_commands.command("ask")
@click.argument("reference")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--tier", help="Of an override: the key of a tier of the policy in force.")
@click.option("--first", type=DayParameter(), help="The first day; today if not given.")
@click.option("--last", type=DayParameter(), required=True, help="The last day.")
@click.option("--reason", required=True, help="Why; it is kept.")
@acting_as
def ask(  # noqa: PLR0913, PLR0917 - one for each option
    reference: str,
    kind: MeasureKind,
    tier: str | None,
    first: date | None,
    last: date,
    reason: str,
    who: str,
) -> None:
    """Ask that a client be held, or served by a floor, a ceiling or exactly a tier."""
    with said_plainly():
        found = merit()
        first = first or business_date(found.clock, found.fixed.time_zone)
        with found.acting(signed_in(who)) as act:
            wanted = Measure(kind, first, last, tier)
            number = measures.ask(act, found.rulebook, reference, wanted, reason)
    say(Message("Measure %(number)d waits for somebody to grant it.", number=number))


def _verb(
    name: str, option: str, done: str, help_: str, verb: Callable[[Act, int, str], None]
) -> None:
    @measure_commands.command(name, help=help_)
    @_number
    @click.option(option, "why", required=True, help="Why; it is kept.")
    @acting_as
    def run(number: int, why: str, who: str) -> None:
        with said_plainly(), merit().acting(signed_in(who)) as act:
            verb(act, number, why)
        say(Message(done, number=number))


_verb(
    "grant",
    "--comment",
    N_("Measure %(number)d is granted."),
    "Grant what somebody else asked for, from today on if it was to begin earlier.",
    lambda act, number, why: measures.grant(act, merit().rulebook, number, why),
)
_verb(
    "refuse",
    "--comment",
    N_("Measure %(number)d is refused."),
    "Refuse what somebody else asked for.",
    measures.refuse,
)
_verb(
    "withdraw",
    "--comment",
    N_("Measure %(number)d is withdrawn."),
    "Take back what you asked for, before anybody decided about it.",
    measures.withdraw,
)
_verb(
    "end",
    "--reason",
    N_("Measure %(number)d is ended; today is judged without it."),
    "End a measure before its last day.",
    measures.end,
)


@measure_commands.command("list")
@click.argument("reference", required=False)
def list_(reference: str | None) -> None:
    """List what waits to be granted; or all there is of the client REFERENCE.

    Number, client, kind, tier, first and last day, how far it has come, who asked, and why.
    """
    with said_plainly():
        found = merit()
        today = business_date(found.clock, found.fixed.time_zone)
        with found.database.reading() as session:
            listed = (
                measures.waiting(session)
                if reference is None
                else measures.of_client(session, reference)
            )
    for each in listed:
        click.echo(_line(each, today))
        click.echo(f"{'':<6}{' '.join(each.measure.reason.split())}")


def _line(shown: Shown, today: date) -> str:
    measure = shown.measure
    what = f"{measure.kind} {measure.tier or ''}".strip()
    days = f"{measure.first_day} to {measures.last_day(measure)}"
    phase = measures.phase(measure, today).replace("_", " ")
    return f"{measure.id:>4}  {shown.client:<16}{what:<20}{days:<26}{phase:<11}{shown.asked_by}"
