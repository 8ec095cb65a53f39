"""``import``: activities and clients from CSV files (docs/import.md)."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from datetime import datetime
from functools import partial, reduce
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from marshmallow import ValidationError

from app.cli.figures import Pair, bar
from app.cli.speech import said_plainly, say
from app.clock import business_date
from app.merit import Merit, merit
from app.services.activities import VOID
from app.services.cells import Cells, recorded, stated
from app.services.imports import (
    File,
    Imported,
    Progress,
    Service,
    Source,
    import_activities,
    import_clients,
    number_due,
)
from app.services.rulebook import NoPolicy
from app.words import Words
from rules.document.fields import Key
from rules.messages import Message
from rules.policy import Policy

import_commands = AppGroup("import", help="Take in activities and clients from CSV files.")

_SAMPLE = datetime(2026, 11, 22, 13, 45)  # noqa: DTZ001 - as local as what is read
_SEPARATORS = {"tab": "\t", "space": " "}


class _KeyParameter(click.ParamType[str]):
    name = "KEY"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return str(Key().deserialize(value))
        except ValidationError as error:
            self.fail(str(error.messages[0]), param, ctx)


class _DateFormat(click.ParamType[str | None]):
    name = "FORMAT"

    def convert(self, value: Any, param: Any, ctx: Any) -> str | None:
        if value == "ISO":
            return None
        try:
            read = datetime.strptime(_SAMPLE.strftime(value), value)  # noqa: DTZ007 - as above
        except ValueError:
            read = None
        if read is None or read.date() != _SAMPLE.date():
            message = Message(
                "must be ISO, or say day, month and year, such as %(example)s", example="%d.%m.%Y"
            )
            self.fail(message, param, ctx)
        return str(value)


class _Separator(click.ParamType[str]):
    name = "SIGN"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        sign = _SEPARATORS.get(value, value)
        if len(sign) != 1 or sign.isalnum() or sign in '"\r\n\0':
            self.fail(Message("must be one sign, or the word tab or space"), param, ctx)
        return str(sign)


class _Encoding(click.ParamType[str]):
    name = "ENCODING"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            codec = codecs.lookup(value)
            "".encode(codec.name)
        except LookupError:
            self.fail(Message("is no encoding of texts that is known here"), param, ctx)
        return codec.name


_OPTIONS = (
    click.argument("path", metavar="FILE", type=click.Path(path_type=Path)),
    click.option(
        "--column",
        "columns",
        type=Pair("FIELD=COLUMN"),
        multiple=True,
        help="Where a field is, if not in the column of its own name. May be repeated.",
    ),
    click.option(
        "--date-format",
        type=_DateFormat(),
        default="ISO",
        show_default=True,
        help="How dates are written, such as %d.%m.%Y or '%d.%m.%Y %H:%M'.",
    ),
    click.option("--decimal", type=_Separator(), default=".", show_default=True),
    click.option("--thousands", type=_Separator(), help="What stands between groups of digits."),
    click.option("--delimiter", type=_Separator(), default=",", show_default=True),
    click.option("--encoding", type=_Encoding(), default="utf-8", show_default=True),
    click.option(
        "--rejected",
        type=click.Path(path_type=Path),
        help="Where rejected rows go; FILE.rejected.csv if not given.",
    ),
)


def _reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what says how a file is written."""
    return reduce(lambda found, option: option(found), reversed(_OPTIONS), command)


@import_commands.command("activities")
@_reading
@click.option("--source", required=True, type=_KeyParameter(), help="The system that tells it.")
@click.option(
    "--kind",
    "words",
    type=Pair("KIND=VALUE"),
    multiple=True,
    help="What the file calls a kind, such as sale=S. May be repeated.",
)
@click.option(
    "--all-of-kind", type=_KeyParameter(), help="The kind of all rows, without a column for it."
)
@click.option(
    "--negate",
    type=_KeyParameter(),
    multiple=True,
    help="A kind whose amounts have the wrong sign in the file. May be repeated.",
)
@click.option("--add-clients", is_flag=True, help="Add clients not known yet; else rejected.")
def activities(  # noqa: PLR0913 - one argument per option is how click gives them
    path: Path,
    *,
    source: str,
    words: tuple[tuple[str, str], ...],
    all_of_kind: str | None,
    negate: tuple[str, ...],
    add_clients: bool,
    **written: Any,
) -> None:
    """Record the activities of FILE, each once however often it is imported.

    Fields: client, id, date, kind, amount, quantity, product, channel, voids, attribute:NAME.
    The exit status is 1 if a row was rejected.
    """
    if all_of_kind == VOID:
        raise click.UsageError(Message("Not all rows can be voids: they take out others."))
    found = merit()
    with said_plainly():
        service = _service(found)
        telling = Source(
            source,
            {word: _key(kind) for kind, word in words},
            all_of_kind,
            frozenset(negate),
            add_clients,
        )
        wanted = recorded(service.policy) if service.policy else {}
        cells, file = _cells(found, wanted, written), _file(path, written)
        _import(found, file, partial(import_activities, service, file, telling, cells))


@import_commands.command("clients")
@_reading
def clients(path: Path, **written: Any) -> None:
    """State what FILE says of clients, adding those not known yet.

    Fields: client, name, language, date (since when; today if empty); every other column named
    by a key, or mapped to attribute:NAME, is an attribute. An empty cell states nothing. The
    exit status is 1 if a row was rejected.
    """
    found = merit()
    with said_plainly():
        service = _service(found)
        wanted = stated(service.policy) if service.policy else {}
        cells, file = _cells(found, wanted, written), _file(path, written)
        today = business_date(found.clock, found.fixed.time_zone)
        _import(found, file, partial(import_clients, service, file, cells, today))


def _service(found: Merit) -> Service:
    policy: Policy | None = None
    with found.database.reading() as session:
        try:
            policy = found.rulebook.in_force(session).policy
        except NoPolicy:  # nothing measures them yet
            policy = None
    return Service(found.database, found.clock, policy)


def _key(kind: str) -> str:
    try:
        return str(Key().deserialize(kind))
    except ValidationError as error:
        raise click.BadParameter(str(error.messages[0]), param_hint="--kind") from error


def _cells(found: Merit, wanted: Any, written: dict[str, Any]) -> Cells:
    return Cells(
        found.fixed.time_zone,
        found.fixed.currency,
        written["date_format"],
        written["decimal"],
        written["thousands"] or "",
        wanted,
    )


def _file(path: Path, written: dict[str, Any]) -> File:
    rejected = written["rejected"] or path.with_suffix(".rejected.csv")
    return File(path, rejected, dict(written["columns"]), written["delimiter"], written["encoding"])


def _import(found: Merit, file: File, work: Callable[[Progress], Imported]) -> None:
    size = file.path.stat().st_size if file.path.exists() else 0
    with bar(Words().say(Message("Importing")), size) as advance:
        imported = work(advance)
    say(Message("Accepted: %(number)d", number=imported.accepted))
    say(Message("Duplicate, known already: %(number)d", number=imported.known))
    say(Message("Rejected: %(number)d", number=imported.rejected))
    if imported.rejected:
        say(Message("The rejected rows, with reasons, are in %(path)s.", path=str(file.rejected)))
    with found.database.reading() as session:
        due = number_due(session)
    say(
        Message(
            "Clients to be decided about: %(number)d. That is done at night, or when one is "
            "asked about.",
            number=due,
        )
    )
    if imported.rejected:
        raise click.exceptions.Exit(1)
