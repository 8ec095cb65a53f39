"""``demo``: a made-up company to try Merit on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from app.cli.installation import migrate
from app.cli.speech import said_plainly
from app.merit import Merit, merit
from app.services.demo.filling import CLIENTS, SEED, Demo, Filling, tiers_held
from app.services.demo.invention import CANCELLED, GOLD, NEARLY_GOLD
from app.services.errors import NotActionable
from app.services.installation import NotSetUp
from app.words import Words
from rules.messages import Listed, Message


@click.command("demo")
@click.option("--seed", default=SEED, show_default=True, help="The same seed, the same clients.")
@click.option(
    "--clients",
    type=click.IntRange(20, 20000),
    default=CLIENTS,
    show_default=True,
    help="How many clients.",
)
@click.option("--port", default=8000, show_default=True, help="Where the demo will be served.")
@with_appcontext
def demo(seed: int, clients: int, port: int) -> None:
    """Fill an empty database with a made-up company, to try Merit on.

    Prints what to try, with passwords and keys that are shown nowhere else but in demo.txt,
    beside the installation's secret.
    """
    found = merit()
    with said_plainly():
        _require_empty(found)
        found.secret.ensure()
        migrate(found)
        filling = Filling(found, seed, clients)
        length = sum(step.effort for step in filling.steps)
        label = Words().say(Message("Two years of a made-up company"))
        with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
            made = filling.fill(bar.update)
    text = "\n".join(_what_to_try(found, made, f"http://127.0.0.1:{port}"))
    found.database.close()  # so that SQLite's file is whole, and may be moved
    found.owner.close()
    path = found.config.secret_file.with_name("demo.txt")
    _write_private(path, text + "\n")
    click.echo(text)
    click.echo(Words().say(Message("All this is in %(path)s too.", path=str(path))))


def _require_empty(found: Merit) -> None:
    """Refuse a database that is somebody's.

    :raises NotActionable: if it is.
    """
    try:
        _ = found.fixed
    except (NotSetUp, OperationalError):  # nothing in it, or not even tables
        return
    raise NotActionable("This database is set up already; the demo only fills an empty one.")


def _what_to_try(found: Merit, made: Demo, address: str) -> Iterator[str]:
    say = Words().say
    flask = "flask --app wsgi"
    with found.database.reading() as session:
        held = tiers_held(session)
    tiers = Listed(tuple(f"{number} {tier}" for tier, number in held.items()))
    yield say(
        Message(
            "Linden & Loom, a made-up company. How many clients hold what: %(tiers)s.", tiers=tiers
        )
    )
    yield ""
    yield say(Message("The pages: %(address)s/", address=address))
    yield say(Message("Sign in there as any of these (role, address, password):"))
    for each in made.accounts:
        yield f"  {each.role:<14} {each.email:<22} {each.password}"
    yield ""
    yield say(Message("What there is to ask, with examples: %(address)s/api/docs", address=address))
    yield say(Message("The front desk's key: %(key)s", key=made.front_desk_key))
    yield say(Message("A key for everything: %(key)s", key=made.integration_key))
    yield ""
    yield say(
        Message("How a gold client stands, one who is € 50 short of it, and one who cancelled all:")
    )
    for reference in (GOLD, NEARLY_GOLD, CANCELLED):
        yield f"  curl -H 'Authorization: Bearer {made.front_desk_key}' \\"
        yield f"    {address}/api/v1/clients/{reference}/standing"
    yield say(Message("How the second would stand after buying for € 50 more:"))
    yield f"  curl -H 'Authorization: Bearer {made.front_desk_key}' \\"
    yield "    -H 'Content-Type: application/json' \\"
    yield f"""    -d '{{"client": "{NEARLY_GOLD}", "changed": {{"revenue_12m": 500000}}}}' \\"""
    yield f"    {address}/api/v1/evaluations"
    yield ""
    yield say(Message("Commands, in the project's folder after . .venv/bin/activate:"))
    yield f"  {flask} tiers"
    yield f"  {flask} history verify"


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
