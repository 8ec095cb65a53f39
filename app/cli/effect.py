"""``policy effect``: who would move where if a version were in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import click

from app.cli.acting import acting_as, signed_in
from app.cli.attending import Work, see_through
from app.cli.figures import DayParameter, lease_option
from app.cli.governance import policy_commands
from app.cli.speech import said_plainly, say
from app.cli.stopping import stop_when_told
from app.merit import Merit, merit
from app.services import effect as service
from app.services.counts import number_of_clients
from app.services.effect import Cell, Estimate
from app.services.errors import NotActionable
from app.services.estimating import Working
from app.words import Words
from rules.messages import Message

__all__ = ["policy_commands"]

_NOBODY, _UNMEASURED = "-", "?"


@policy_commands.command("effect")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@click.option("--date", "day", type=DayParameter(), help="In force on this date, not today.")
@click.option("--metric", help="What says how much revenue is concerned; else the first money.")
@click.option("--names", type=click.Path(path_type=Path), help="Write who would move, as CSV.")
@lease_option
@acting_as
def effect(  # noqa: PLR0913 - one argument per option is how click gives them
    number: int,
    *,
    day: date | None,
    metric: str | None,
    names: Path | None,
    lease: float,
    who: str,
) -> None:
    """Work out who would move where if version NUMBER were in force, and print it.

    Each line has the tier held now, the one that the version gives, how many clients, how many of
    them move on the first day, after a notice, and later, how many the policy in force would move
    there as well, and what they bring in.
    """
    with said_plainly():
        found = merit()
        with found.acting(signed_in(who)) as act:
            begun = service.begin(act, number, day, metric)
        _see_through(found, begun, timedelta(seconds=lease))
        with found.database.reading() as session:
            came_to = service.estimate(session, begun)
            moving = service.moves(session, begun) if names else []
        if not came_to.is_finished:
            raise NotActionable("This effect has been overtaken; begin again.")
        for line in _table(came_to):
            click.echo(line)
        if names:
            names.write_bytes(service.names_table(moving))
            say(Message("Who would move is in %(path)s.", path=str(names)))


def _see_through(found: Merit, begun: int, lease: timedelta) -> None:
    with found.database.reading() as session:
        key = service.key_of(service.estimate(session, begun).effect)
        length = number_of_clients(session)
    work = Work(
        service.KIND,
        key,
        Message("Judging"),
        Message("Effect %(number)d", number=begun),
        length,
        Working(found.rulebook),
    )
    see_through(found, work, lease, stop_when_told())


def _table(found: Estimate) -> Iterator[str]:
    summary = found.summary
    message = Message(
        "%(day)s: %(moving)d of %(clients)d clients would move.",
        day=found.effect.day.isoformat(),
        moving=summary.moving,
        clients=summary.clients,
    )
    yield Words().say(message)
    for cell in summary.cells:
        yield _line(cell)


def _line(cell: Cell) -> str:
    held, gives = cell.held or _NOBODY, cell.gives or _UNMEASURED
    numbers = [cell.clients, cell.at_once, cell.notice, cell.later, cell.anyway]
    return (
        f"  {held:<20}  {gives:<20}"
        + "".join(f"{each:>9}" for each in numbers)
        + (f"{cell.amount:>16}")
    )
