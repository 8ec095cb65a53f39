"""``setup`` and ``database``: an installation begun, its tables kept up to date."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext
from marshmallow import ValidationError
from sqlalchemy import make_url

from app import schema
from app.cli.acting import acting_as, signed_in
from app.cli.speech import said_plainly, say
from app.merit import Merit, merit
from app.models import Installation
from app.services.people import NewPerson, set_up, show_public_page
from rules.document.fields import Currency, LanguageCode, TimeZone
from rules.messages import Message

database_commands = AppGroup("database", help="The tables of the database.")


@database_commands.command("upgrade")
def upgrade() -> None:
    """Bring the tables to the state this program needs."""
    with said_plainly():
        migrate(merit())
    say(Message("The tables are up to date."))


@database_commands.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="What only newer tables hold will be lost. Go on?")
def downgrade(revision: str) -> None:
    """Take the tables back to REVISION; "base" is none at all."""
    with said_plainly():
        schema.downgrade(merit().owner, revision)
    say(Message("The tables are those of revision %(revision)s.", revision=revision))


@click.command("setup")
@click.option("--currency", required=True, help="ISO 4217 code; money is in its minor units.")
@click.option("--time-zone", required=True, help="Where the company does its business.")
@click.option("--language", default="en", show_default=True, help="Of answers kept ready.")
@click.option(
    "--administrator",
    "administrators",
    nargs=2,
    multiple=True,
    required=True,
    metavar="EMAIL NAME",
    help="Give it twice: the first two administrators.",
)
def setup(
    currency: str,
    time_zone: str,
    language: str,
    administrators: tuple[tuple[str, str], ...],
) -> None:
    """Begin an installation on an empty database: it fixes currency and time zone for good.

    Makes the tables, the secret and the first two accounts, and prints their passwords.
    """
    if len(administrators) != 2:
        raise click.UsageError(Message("Name two administrators."))
    for name, field, value in (
        ("--currency", Currency(), currency),
        ("--time-zone", TimeZone(), time_zone),
        ("--language", LanguageCode(), language),
    ):
        try:
            field.deserialize(value)
        except ValidationError as error:
            raise click.BadParameter(str(error.messages[0]), param_hint=name) from error
    found = merit()
    with said_plainly():
        found.secret.ensure()
        migrate(found)
        first, second = (NewPerson(*each) for each in administrators)
        with found.database.writing() as session:
            installation = Installation(
                id=1,
                currency=currency,
                time_zone=time_zone,
                language=language,
                demo=False,
                created_at=found.clock(),
            )
            passwords = set_up(session, installation, first, second)
    for person, password in zip((first, second), passwords, strict=True):
        say(
            Message(
                "The password of the administrator %(email)s is %(password)s",
                email=person.email,
                password=password,
            )
        )


@click.command("public-page")
@click.argument("shown", type=click.Choice(["show", "hide"]))
@acting_as
@with_appcontext
def public_page(shown: str, who: str) -> None:
    """Have the page about the programme shown to everybody, or hidden; it is hidden at first."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        show_public_page(act, shown == "show")
    if shown == "show":
        say(Message("Everybody can read about the programme at /programme now."))
    else:
        say(Message("The public page is hidden."))


def migrate(found: Merit) -> None:
    """Bring the tables up to date, and on PostgreSQL give the service's role its rights."""
    role = make_url(found.config.database).username if found.config.owner else None
    schema.upgrade(found.owner, role)
