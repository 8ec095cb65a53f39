"""``history``: the record of what everybody did, read again from its beginning."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from app.cli.speech import said_plainly, say
from app.merit import merit
from app.services.verification import HistoryBroken, size, verify
from app.words import Words
from rules.messages import Message

history_commands = AppGroup("history", help="The record of what people and the system did.")


@history_commands.command("verify")
def verify_history() -> None:
    """Recompute the history from its first entry, and say whether all is as it was recorded.

    Prints how many entries there are and the root of their tree; keep both elsewhere.
    """
    with (
        said_plainly(),
        merit().database.reading() as session,
        click.progressbar(
            length=size(session), label=Words().say(Message("Entries")), file=sys.stderr
        ) as bar,
    ):
        try:
            tree = verify(session, bar.update)
        except HistoryBroken as error:
            raise click.ClickException(Words().sentence(error.message)) from error
    say(
        Message(
            "The history is as it was recorded: %(size)d entries, root %(root)s.",
            size=tree.size,
            root=tree.root.hex(),
        )
    )
