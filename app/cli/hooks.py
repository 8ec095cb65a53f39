"""``hook``: who is told of standings that change, and what has become of what they were told.

Who acts signs in; listing does not ask, for who runs commands can read the database.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import click
from flask.cli import AppGroup

from app.cli.acting import acting_as, signed_in
from app.cli.speech import said_plainly, say
from app.merit import merit
from app.models import HookDelivery
from app.services import hooks
from app.services.hooks import Listed, NewSecret
from app.services.keys import LONGEST
from app.services.sending import checked, send
from rules.messages import Message

hook_commands = AppGroup("hook", help="Web hooks: who is told of standings that change.")

_receiver = click.argument("receiver", metavar="ID")


@hook_commands.command("add")
@click.argument("url")
@acting_as
def add(url: str, who: str) -> None:
    """Have URL told of every standing that changes, and print the secret that signs, once."""
    with said_plainly():
        actor, found = signed_in(who), merit()
        if not list(hooks.url_problems(url)):
            checked(urlsplit(url), found.hook_networks)
        with found.acting(actor) as act:
            new = hooks.add_receiver(act, found.secret, url)
    _show(new)


@hook_commands.command("list")
def list_receivers() -> None:
    """List all receivers: id, state, messages waiting, delivered and given up, address."""
    with said_plainly(), merit().database.reading() as session:
        for each in hooks.receivers(session):
            click.echo(_receiver_line(each))


def _receiver_line(listed: Listed) -> str:
    receiver, numbers = listed.receiver, listed.numbers
    counted = [
        f"{name.replace('_', ' ')} {numbers.get(name, 0):<8}"
        for name in ("waiting", "delivered", "given_up")
    ]
    parts = [receiver.id, f"{receiver.state:<9}", *counted, receiver.url]
    if listed.oldest is not None:
        parts.append(f"(waiting since {listed.oldest:%Y-%m-%d %H:%M} UTC)")
    if receiver.former_until and hooks.has_two_secrets(receiver, merit().clock()):
        parts.append(f"(two secrets until {receiver.former_until:%Y-%m-%d %H:%M} UTC)")
    return "  ".join(parts)


@hook_commands.command("deliveries")
@_receiver
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
def list_deliveries(receiver: str, limit: int) -> None:
    """List what was to be sent to the receiver ID, the newest first, and what became of it."""
    with said_plainly(), merit().database.reading() as session:
        for each in hooks.deliveries(session, receiver, limit):
            click.echo(_delivery_line(each))


def _delivery_line(delivery: HookDelivery) -> str:
    when = delivery.ended_at or delivery.due_at
    said = delivery.error or ("" if delivery.status is None else f"status {delivery.status}")
    parts = [delivery.message_id, f"{delivery.state.replace('_', ' '):<9}"]
    parts += [f"{when:%Y-%m-%d %H:%M:%S} UTC", f"attempts {delivery.attempts}", said]
    return "  ".join(parts).rstrip()


@hook_commands.command("rotate")
@_receiver
@click.option(
    "--overlap-days",
    type=click.IntRange(0, LONGEST.days),
    required=True,
    help="How long messages are signed with the old secret, too; 0 if it is known to others.",
)
@acting_as
def rotate(receiver: str, overlap_days: int, who: str) -> None:
    """Give the receiver ID a new secret and print it, once."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        overlap = timedelta(days=overlap_days)
        new = hooks.rotate_secret(act, merit().secret, receiver, overlap)
    _show(new)


@hook_commands.command("disable")
@_receiver
@acting_as
def disable(receiver: str, who: str) -> None:
    """Send the receiver ID nothing more until it is enabled; what waits for it goes on waiting."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        hooks.disable_receiver(act, receiver)
    say(Message("The receiver %(id)s is sent nothing more.", id=receiver))


@hook_commands.command("enable")
@_receiver
@acting_as
def enable(receiver: str, who: str) -> None:
    """Send the receiver ID again what waits for it and what comes."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        hooks.enable_receiver(act, receiver)
    say(Message("The receiver %(id)s is sent messages again.", id=receiver))


@hook_commands.command("remove")
@_receiver
@acting_as
def remove(receiver: str, who: str) -> None:
    """Forget the receiver ID and all that waits for it."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        hooks.remove_receiver(act, receiver)
    say(Message("The receiver %(id)s is forgotten.", id=receiver))


@hook_commands.command("retry")
@_receiver
@acting_as
def retry(receiver: str, who: str) -> None:
    """Send the receiver ID at once all that was given up or waits for another attempt."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        number = hooks.retry(act, receiver)
    say(Message("Messages that are due now: %(count)d", count=number))


@hook_commands.command("test")
@_receiver
@acting_as
def test(receiver: str, who: str) -> None:
    """Send the receiver ID a signed ping, now, and say what it answers."""
    with said_plainly():
        found = merit()
        with found.acting(signed_in(who)) as act:
            letter = hooks.ping(act, found.secret, receiver)
        answer = send(letter, found.hook_networks, found.clock())
        message = Message("The receiver answers with status %(status)d.", status=answer.status)
        if not answer.is_good:
            raise click.ClickException(message)
        say(message)


def _show(new: NewSecret) -> None:
    """Print a secret by itself, so that it can be piped, and about it to standard error."""
    said = Message("The secret of the receiver %(id)s is shown only now:", id=new.receiver)
    say(said, err=True)
    click.echo(new.text)
