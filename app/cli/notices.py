"""``notices``: the letters to clients, listed for who sends them, and marked as sent.

Who marks one signs in; listing does not ask, for who runs commands can read the database.
"""

from __future__ import annotations

from typing import get_args

import click
from flask.cli import AppGroup

from app.cli.acting import acting_as, signed_in
from app.cli.letters import show_letter
from app.cli.speech import said_plainly, say
from app.merit import merit
from app.models import Notice
from app.services import notices
from app.services.notices import Channel
from rules.messages import Message
from rules.standing import EventKind

notice_commands = AppGroup("notices", help="Letters to clients about their standing.")

_number = click.argument("number", type=click.IntRange(1, 2**63 - 1))


@notice_commands.command("list")
@click.option("--client", help="Only those to this client.")
@click.option("--event", type=click.Choice(get_args(EventKind)), help="Only those of this kind.")
def list_(client: str | None, event: EventKind | None) -> None:
    """List the letters that wait to be sent, the oldest first.

    Number, day of issue, client, event, language and subject.
    """
    with said_plainly(), merit().database.reading() as session:
        for reference, notice in notices.waiting(session, client, event):
            click.echo(_line(reference, notice))


def _line(reference: str, notice: Notice) -> str:
    about = f"{reference:<20}{notice.event:<20}{notice.language:<6}"
    return f"{notice.id:>6}  {notice.issued.isoformat()}  {about}{notice.subject}"


@notice_commands.command("show")
@_number
@click.option("--html", is_flag=True, help="As HTML, for a mail; nothing else is printed.")
def show(number: int, *, html: bool) -> None:
    """Print a letter."""
    with said_plainly(), merit().database.reading() as session:
        _, notice = notices.notice_named(session, number)
        if html:
            click.echo(notice.html)
        else:
            show_letter(notice.issued, notice)


@notice_commands.command("sent")
@_number
@click.option(
    "--channel",
    type=click.Choice([each.value for each in Channel]),
    required=True,
    help="How it went.",
)
@acting_as
def sent(number: int, channel: str, who: str) -> None:
    """Note that a letter was sent, once."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        notices.mark_sent(act, number, Channel(channel))
    say(Message("Notice %(number)d is marked as sent.", number=number))
