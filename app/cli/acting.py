"""``--as``: who acts by a command, and that it is they."""

from __future__ import annotations

import os

import click

from app.merit import merit
from app.services.authority import Actor
from app.services.people import sign_in
from rules.messages import Message

acting_as = click.option(
    "--as",
    "who",
    required=True,
    metavar="EMAIL",
    help="Who does this. Their password is asked for, unless it is in MERIT_PASSWORD.",
)


def signed_in(email: str) -> Actor:
    """Return who acts, after they have given their password.

    :raises NotAllowed: if it is not theirs.
    :raises TooMany: after too many failures.
    """
    password = secret_text("MERIT_PASSWORD", Message("Password of %(email)s", email=email))
    found = merit()
    return sign_in(found.database, email, password, found.clock())


def secret_text(variable: str, prompt: str, *, twice: bool = False) -> str:
    """Return what must not be seen: from the environment, else typed without being shown."""
    given = os.environ.get(variable)
    if given:
        return given
    typed: str = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
    return typed
