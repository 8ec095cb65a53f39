"""``user`` and ``key``: accounts and their roles, keys of the systems that ask the API.

Who acts signs in; listing does not ask, for who runs commands can read the database.
"""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import AppGroup

from app.cli.acting import acting_as, secret_text, signed_in
from app.cli.speech import said_plainly, say
from app.merit import merit
from app.models import Key, RoleGrant
from app.services import keys, people
from app.services.authority import Role, Scope
from app.services.keys import LONGEST, MOST_PER_MINUTE, PER_MINUTE, NewKey, Terms
from app.services.people import NewPerson
from rules.messages import Message

user_commands = AppGroup("user", help="Accounts and their roles.")
key_commands = AppGroup("key", help="Keys of the systems that ask the API.")

_email = click.argument("email")
_role = click.argument("role", type=click.Choice([each.value for each in Role]))


@user_commands.command("add")
@_email
@click.option("--name", required=True, help="How people call them.")
@acting_as
def add(email: str, name: str, who: str) -> None:
    """Open an account without any role, and print its first password."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        password = people.add_person(act, NewPerson(email, name))
    _tell_password(email, password)


@user_commands.command("list")
def list_people() -> None:
    """List all accounts with their roles, and those asked for and not granted yet."""
    with said_plainly(), merit().database.reading() as session:
        for person, grants in people.people(session):
            roles = ", ".join(map(_said, grants)) or "-"
            click.echo(f"{person.email:<32}{person.name:<24}{roles}")


def _said(grant: RoleGrant) -> str:
    return grant.role if grant.granted_at is not None else f"{grant.role} (asked for)"


@user_commands.command("ask")
@_email
@_role
@click.option("--reason", required=True, help="Why; it is kept.")
@acting_as
def ask(email: str, role: str, reason: str, who: str) -> None:
    """Give somebody a role, or ask for one that another administrator has to grant."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        at_once = people.ask_role(act, email, Role(role), reason)
    if at_once:
        _tell_granted(email, role)
    else:
        say(
            Message(
                "Another administrator has to grant %(email)s the role %(role)s.",
                email=email,
                role=role,
            )
        )


@user_commands.command("grant")
@_email
@_role
@acting_as
def grant(email: str, role: str, who: str) -> None:
    """Grant a role that another administrator asked for."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        people.grant_role(act, email, Role(role))
    _tell_granted(email, role)


@user_commands.command("end")
@_email
@_role
@acting_as
def end(email: str, role: str, who: str) -> None:
    """Take a role from somebody, or take back that it was asked for."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        people.end_role(act, email, Role(role))
    say(Message("From now on %(email)s does not have the role %(role)s.", email=email, role=role))


@user_commands.command("password")
@_email
@acting_as
def password(email: str, who: str) -> None:
    """Choose one's own password; or give somebody a new one, and print it.

    One's own is typed, or taken from MERIT_NEW_PASSWORD. Who is given a new one by an
    administrator waits for another to grant their roles of editor, approver and administrator
    again.
    """
    with said_plainly():
        actor = signed_in(who)
        if email.casefold() == who.casefold():
            chosen = secret_text("MERIT_NEW_PASSWORD", Message("New password"), twice=True)
            with merit().acting(actor) as act:
                people.choose_password(act, chosen)
            say(Message("The password is changed."))
            return
        with merit().acting(actor) as act:
            given = people.new_password(act, email)
    _tell_password(email, given)


def _tell_password(email: str, given: str) -> None:
    say(Message("The password of %(email)s is %(password)s", email=email, password=given))


def _tell_granted(email: str, role: str) -> None:
    say(Message("From now on %(email)s has the role %(role)s.", email=email, role=role))


@key_commands.command("create")
@click.option("--name", required=True, help="The system it is for.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([each.value for each in Scope]),
    multiple=True,
    required=True,
    help="What it may do. May be repeated.",
)
@click.option("--days", type=click.IntRange(1, LONGEST.days), required=True, help="How long.")
@click.option(
    "--per-minute",
    type=click.IntRange(1, MOST_PER_MINUTE),
    default=PER_MINUTE,
    show_default=True,
    help="Requests a minute it may make of each server process.",
)
@acting_as
def create(name: str, scopes: tuple[str, ...], days: int, per_minute: int, who: str) -> None:
    """Make a key and print it, once: it is stored nowhere."""
    terms = Terms(name, [Scope(each) for each in scopes], timedelta(days=days), per_minute)
    with said_plainly(), merit().acting(signed_in(who)) as act:
        new = keys.create_key(act, merit().secret, terms)
    _show(new)


@key_commands.command("list")
def list_keys() -> None:
    """List all keys, the newest first: id, state, until when, last used, name, scopes."""
    with said_plainly(), merit().database.reading() as session:
        for key in keys.keys(session):
            click.echo(_line(key))


def _line(key: Key) -> str:
    state = (
        "good" if keys.is_good(key, merit().clock()) else "revoked" if key.revoked_at else "over"
    )
    until, used = key.expires_at.date(), key.last_used or "never"
    scopes = " ".join(key.scopes)
    return f"{key.id}  {state:<9}until {until}  last used {used!s:<12}{key.name:<24}{scopes}"


@key_commands.command("rotate")
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap-days",
    type=click.IntRange(0, LONGEST.days),
    required=True,
    help="How long the old key is good beside the new one.",
)
@acting_as
def rotate(key_id: str, overlap_days: int, who: str) -> None:
    """Make a key's successor and print it, once; the old one ends after the overlap."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        new = keys.rotate_key(act, merit().secret, key_id, timedelta(days=overlap_days))
    _show(new)


@key_commands.command("revoke")
@click.argument("key_id", metavar="ID")
@acting_as
def revoke(key_id: str, who: str) -> None:
    """End a key at once."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        keys.revoke_key(act, key_id)
    say(Message("The key %(id)s is good no more.", id=key_id))


def _show(new: NewKey) -> None:
    """Print a key by itself, so that it can be piped, and about it to standard error."""
    said = Message(
        "The key %(id)s is good until %(day)s. It is shown only now:",
        id=new.id,
        day=new.expires_at.date(),
    )
    say(said, err=True)
    click.echo(new.text)
