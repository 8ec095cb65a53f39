"""``policy draft`` to ``policy publish-due``: a policy brought into force by several people.

Who acts signs in; listing and exporting do not ask, for who runs commands can read the database.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import click

from app.cli.acting import acting_as, signed_in
from app.cli.policy import policy_commands
from app.cli.speech import said_plainly, say
from app.merit import merit
from app.models import PolicyVersion
from app.services import governance
from app.services.governance import STATES, Published, Verdict
from app.services.local_time import read_instant
from app.services.policies import read_document
from app.words import Words
from rules.document.strict_json import canonical_bytes
from rules.messages import N_, Message

__all__ = ["policy_commands"]

_existing = click.Path(path_type=Path)
_number = click.argument("number", type=click.IntRange(1, 2**31 - 1))
_comment = click.option("--comment", required=True, help="Why; it is kept.")
_document = click.argument("file", type=_existing)


@policy_commands.command("draft")
@_document
@click.option("--based-on", type=click.IntRange(1, 2**31 - 1), help="The version it begins from.")
@acting_as
def draft(file: Path, based_on: int | None, who: str) -> None:
    """Begin a new version of the policy from a document in FILE."""
    _begin(file, based_on, who)


@policy_commands.command("import")
@_document
@acting_as
def import_(file: Path, who: str) -> None:
    """Begin a new version from a FILE that "policy export" wrote, here or elsewhere.

    It is a draft like any other and comes into force through the same people.
    """
    _begin(file, None, who)


def _begin(file: Path, based_on: int | None, who: str) -> None:
    with said_plainly():
        document = read_document(file)
        with merit().acting(signed_in(who)) as act:
            number = governance.draft(act, document, based_on)
    say(Message("Version %(number)d is a draft, at revision 1.", number=number))


@policy_commands.command("save")
@_number
@_document
@click.option("--revision", type=int, required=True, help="The revision that you began from.")
@acting_as
def save(number: int, file: Path, revision: int, who: str) -> None:
    """Save the document in FILE as the next revision of a draft."""
    with said_plainly():
        document = read_document(file)
        with merit().acting(signed_in(who)) as act:
            saved = governance.save(act, number, revision, document)
    say(
        Message(
            "Version %(number)d is a draft, at revision %(revision)d.",
            number=number,
            revision=saved,
        )
    )


@policy_commands.command("submit")
@_number
@click.option("--reason", required=True, help="What it changes and why; reviewers read it.")
@acting_as
def submit(number: int, reason: str, who: str) -> None:
    """Check a draft and lay it before the reviewers; from then on nobody can change it."""
    with said_plainly():
        found = merit()
        digest = governance.submit(found.database, signed_in(who), number, reason, found.clock())
    say(
        Message(
            "Version %(number)d is in review; its digest is %(digest)s.",
            number=number,
            digest=digest,
        )
    )


def _review(name: str, verdict: Verdict, done: str, help_: str) -> None:
    @policy_commands.command(name, help=help_)
    @_number
    @click.option("--digest", required=True, help="Of what you read, as it was submitted.")
    @_comment
    @acting_as
    def review(number: int, digest: str, comment: str, who: str) -> None:
        with said_plainly(), merit().acting(signed_in(who)) as act:
            governance.review(act, number, digest, verdict, comment)
        say(Message(done, number=number))


_review(
    "approve",
    "approved",
    N_("Version %(number)d is approved."),
    "Approve a version that others wrote, exactly as it was submitted.",
)
_review(
    "request-changes",
    "changes_requested",
    N_("Version %(number)d is a draft again."),
    "Send a version back to who wrote it.",
)
_review("reject", "rejected", N_("Version %(number)d is rejected."), "Reject a version for good.")


@policy_commands.command("withdraw")
@_number
@_comment
@acting_as
def withdraw(number: int, comment: str, who: str) -> None:
    """Take a version back that is not in force yet, for good."""
    with said_plainly(), merit().acting(signed_in(who)) as act:
        governance.withdraw(act, number, comment)
    say(Message("Version %(number)d is withdrawn.", number=number))


@policy_commands.command("schedule")
@_number
@click.option(
    "--at",
    "when",
    required=True,
    metavar="LOCAL-TIME|now",
    help="The company's local time, such as 2026-10-01T09:00, or now.",
)
@_comment
@acting_as
def schedule(number: int, when: str, comment: str, who: str) -> None:
    """Say from when an approved version is to be in force."""
    with said_plainly():
        found = merit()
        with found.acting(signed_in(who)) as act:
            at = act.at if when == "now" else read_instant("at", when, found.fixed.time_zone)
            governance.schedule(act, number, at, comment)
    say(Message("Version %(number)d is scheduled for %(at)s.", number=number, at=_local(at)))


@policy_commands.command("publish-due")
def publish_due() -> None:
    """Put into force what is due; hold what no longer passes, and say why.

    A running worker does this by itself.  The exit status is 1 if anything was held.
    """
    with said_plainly():
        found = merit()
        done = governance.publish_due(found.database, found.clock())
    if not done:
        say(Message("Nothing is due."))
    for each in done:
        _tell(each)
    if any(each.problems for each in done):
        raise click.exceptions.Exit(1)


def _tell(published: Published) -> None:
    if not published.problems:
        say(Message("Version %(number)d is in force.", number=published.number))
        return
    say(Message("Version %(number)d is held:", number=published.number))
    for problem in published.problems:
        click.echo(f"  {problem}")


@policy_commands.command("list")
def list_() -> None:
    """List all versions, the newest first.

    Number, state, since when or for when, revision, and the digest of what was submitted.
    """
    with said_plainly(), merit().database.reading() as session:
        for version in governance.versions(session):
            click.echo(_line(version))
            for problem in version.held_because or ():
                click.echo(f"{'':<6}{problem}")


def _line(version: PolicyVersion) -> str:
    state = Words().say(Message(STATES[version.state]))
    since = version.in_force_until or version.in_force_from or version.scheduled_for
    at = _local(since or version.submitted_at or version.created_at)
    return f"{version.id:>4}  {state:<12}{at:<27}{version.revision:>3}  {version.digest or '-'}"


@policy_commands.command("export")
@_number
@click.option("--output", type=click.File("wb"), default="-", help="Else standard output.")
def export(number: int, output: IO[bytes]) -> None:
    """Write a version's document: the very bytes whose SHA-256 is its digest.

    "policy draft" and "policy import" take it again.
    """
    with said_plainly(), merit().database.reading() as session:
        output.write(canonical_bytes(governance.version_named(session, number).document))


def _local(at: datetime) -> str:
    """Return an instant as the company's clocks show it, with its offset."""
    zone = ZoneInfo(merit().fixed.time_zone)
    return at.astimezone(zone).isoformat(sep=" ", timespec="seconds")
