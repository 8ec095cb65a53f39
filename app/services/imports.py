"""Activities and clients brought in from CSV files, of any size, in batches.

Each batch is one transaction with its entry in the history.  What is recorded already is found
again and left as it is, so that an import that was killed is simply run again.
"""

from __future__ import annotations

import csv
import gc
import io
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple, cast

from marshmallow import ValidationError
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.clock import Clock
from app.database import Database, retried
from app.models import Client, Standing, Subject
from app.services.activities import VOID, NewActivity, Sorted, misfits, record_activities
from app.services.authority import SYSTEM
from app.services.cells import BY_NAME, CellRefused, Cells
from app.services.clients import add_clients, mark_due, state
from app.services.clients import misfits as unfit
from app.services.history import Act, Entry, Input, SubjectKey, random_id, record
from app.services.tables import TableInvalid, columns_of, reading, require_width
from rules.document import Problem
from rules.document.fields import LanguageCode
from rules.document.strict_json import canonical_bytes
from rules.measure import Raw
from rules.messages import Message
from rules.policy import Policy

ACTIVITY_FIELDS = (
    *("client", "id", "date", "kind", "amount", "quantity", "product", "channel", "voids"),
)
CLIENT_FIELDS = ("client", "name", "language", "date")
WHY = ("line", "reason")
"""The last two columns of a file of rejected rows; where a file that is read ends with them, they
are nothing of its own."""

BATCH, _CLIENTS_BATCH = 10_000, 500
"""Rows of a file; on SQLite nobody else writes while a batch is recorded."""

_LONGEST_LANGUAGE = 16
_Row = tuple[int, "list[str] | Message"]
"""The line a row ends on, and its cells, or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to import, and where its rejected rows go; ``columns`` as for a ``Table``."""

    path: Path
    rejected: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass(slots=True)
class Imported:
    """What became of a file's rows; ``known`` were recorded before, with the same content."""

    accepted: int = 0
    known: int = 0
    rejected: int = 0


class Source(NamedTuple):
    """Who tells of activities, and what its words for kinds stand for.

    Where there is no such column, all are of one ``kind``.  The amounts of the kinds in
    ``negated`` are written with the other sign.  ``adds_clients`` says that a client nobody has
    heard of is added, rather than what happened with them rejected.
    """

    key: str
    words: Mapping[str, str] = MappingProxyType({})
    kind: str | None = None
    negated: Container[str] = ()
    adds_clients: bool = False


class Service(NamedTuple):
    """Where an import is recorded, what the time is there, and what measures it, if anything."""

    database: Database
    clock: Clock
    policy: Policy | None = None


Progress = Callable[[int], None]
"""Told how many bytes more of the file are done with."""


def import_activities(
    service: Service,
    file: File,
    source: Source,
    cells: Cells,
    progress: Progress,
) -> Imported:
    """Record the activities of a file; voids after all others, wherever they stand.

    :raises TableInvalid: if the file, its header or the file for rejected rows cannot be used;
        then nothing is recorded, unless the file breaks off on the way.
    """
    reader = _ActivityReader(file, source, cells, service.policy)
    found = Imported()
    with _undisturbed(), _rejects(file) as reject:

        def take(batch: list[_Row], *, voids: bool) -> int:
            """Record what of a batch is its turn; return how many voids are not yet."""
            turn: list[tuple[_Row, NewActivity]] = []
            later = 0
            for row in batch:
                try:
                    activity = reader.read(row[1])
                except CellRefused as error:
                    if not voids:  # else it is rejected already
                        reject(row, error.message)
                    continue
                if (activity.kind == VOID) is voids:
                    turn.append((row, activity))
                else:
                    later += activity.kind == VOID
            if not turn:
                return later
            activities = [activity for _, activity in turn]
            result = retried(partial(_recorded, service, activities, source))
            for place, refusal in result.refused.items():
                reject(turn[place][0], refusal.message)
            found.accepted += len(result.new)
            found.known += len(result.known)
            return later

        later = sum(take(batch, voids=False) for batch in _batches(file, BATCH, progress))
        for batch in _batches(file, BATCH, lambda _: None) if later else ():
            take(batch, voids=True)
        found.rejected = reject.number
    return found


def _recorded(service: Service, activities: Sequence[NewActivity], source: Source) -> Sorted:
    with service.database.writing() as session:
        act = Act(session, SYSTEM, service.clock())
        return record_activities(act, activities, partly=True, add_missing=source.adds_clients)


class _ActivityReader:
    """Makes activities of rows, as one source writes them."""

    def __init__(self, file: File, source: Source, cells: Cells, policy: Policy | None) -> None:
        """:raises TableInvalid: if the file cannot be read, or a column is not there."""
        self._source, self._cells, self._policy = source, cells, policy
        header = header_of(file)
        self._width = len(header)
        self._needed = ("client", "id", "date", *([] if source.kind else ["kind"]))
        places = _columns(file, header, ACTIVITY_FIELDS, self._needed)
        self._pick = itemgetter(*(places.get(name, -1) for name in ACTIVITY_FIELDS))
        self._kinds: dict[str, str] = {}
        """What the words met so far stand for: there are few."""
        self._own = [
            (name.removeprefix(BY_NAME), place)
            for name, place in places.items()
            if name.startswith(BY_NAME)
        ]

    def read(self, row: list[str] | Message) -> NewActivity:
        """Return the activity of a row.

        :raises CellRefused: if it cannot be taken.
        """
        if isinstance(row, Message):
            raise CellRefused(row)
        require_width(row, self._width)
        cells, texts = self._cells, [*map(str.strip, row), ""]  # the last for what has no column
        client, name, when, word, amount, quantity, product, channel, void = self._pick(texts)
        if not (client and name and when and (word or self._source.kind)):
            self._require_all(client=client, id=name, date=when, kind=word)
        kind, (day, at) = self._kind(word), cells.moment(when)
        minor = cells.money(amount) if amount else None
        activity = NewActivity(
            self._source.key,
            cells.reference("id", name),
            cells.reference("client", client),
            kind,
            day,
            at,
            -minor if minor is not None and kind in self._source.negated else minor,
            cells.number(quantity) if quantity else None,
            cells.text("product", product) if product else None,
            cells.text("channel", channel) if channel else None,
            self._attributes(texts) if self._own else {},
            cells.reference("voids", void) if void else None,
        )
        if self._policy is not None:
            _require_none(misfits(self._policy, activity))
        return activity

    def _attributes(self, texts: Sequence[str]) -> dict[str, Raw]:
        return {own: self._cells.attribute(own, texts[at]) for own, at in self._own if texts[at]}

    def _require_all(self, **texts: str) -> None:
        for name in self._needed:
            if not texts[name]:
                raise _empty(name)

    def _kind(self, word: str) -> str:
        if word not in self._kinds:
            key = self._source.kind or self._source.words.get(word)
            self._kinds[word] = key or self._cells.key("kind", word)
        return self._kinds[word]


# -- clients -----------------------------------------------------------------------------------


class StatedRow(NamedTuple):
    """What one row states about a client from a day on; what it leaves out stays as it is."""

    client: str
    day: date
    name: str | None
    language: str | None
    attributes: Mapping[str, Raw]


def import_clients(
    service: Service, file: File, cells: Cells, today: date, progress: Progress
) -> Imported:
    """State what the rows of a file say of clients, adding those there are not yet.

    :raises TableInvalid: as :func:`import_activities`.
    """
    read = _ClientReader(file, cells, today, service.policy)
    found = Imported()
    with _rejects(file) as reject:
        for batch in _batches(file, _CLIENTS_BATCH, progress):
            rows: list[tuple[_Row, StatedRow]] = []
            for row in batch:
                try:
                    rows.append((row, read(row[1])))
                except CellRefused as error:
                    reject(row, error.message)
            changed, erased = retried(partial(_stated, service, [each for _, each in rows]))
            for place in erased:
                reject(rows[place][0], Message("client has been erased"))
            found.accepted += changed
            found.known += len(rows) - changed - len(erased)
        found.rejected = reject.number
    return found


class _ClientReader:
    """Makes statements of rows, each client's at most one for a day, and one name in all."""

    def __init__(self, file: File, cells: Cells, today: date, policy: Policy | None) -> None:
        header = header_of(file)
        own = header[: -len(WHY)] if tuple(header[-len(WHY) :]) == WHY else header
        self._width = len(header)
        self._places = tuple(_columns(file, own, CLIENT_FIELDS, ("client",)).items())
        self._cells, self._today, self._policy = cells, today, policy
        self._days: set[tuple[str, date]] = set()
        self._names: dict[tuple[str, str], str] = {}

    def __call__(self, row: list[str] | Message) -> StatedRow:
        said = _said(row, self._width, self._places, ("client",))
        cells, client = self._cells, self._cells.reference("client", said["client"])
        day = cells.day(said["date"]) if "date" in said else self._today
        name = cells.text("name", said["name"]) if "name" in said else None
        found = StatedRow(client, day, name, _language(said), _attributes(cells, said))
        if self._policy is not None:
            _require_none(unfit(self._policy, found.attributes))
        self._require_first(found)
        return found

    def _require_first(self, row: StatedRow) -> None:
        """Refuse what the file has said otherwise: or which of it counts would be chance."""
        if (row.client, row.day) in self._days:
            raise CellRefused(Message("states a client a second time for one date"))
        for field_, value in (("name", row.name), ("language", row.language)):
            known = self._names.get((row.client, field_), value)
            if known != value and value is not None:
                raise CellRefused(
                    Message(
                        "%(field)s is %(text)s, and another in a row before; its past is not kept",
                        field=field_,
                        text=value,
                    )
                )
        self._days.add((row.client, row.day))
        for field_, value in (("name", row.name), ("language", row.language)):
            if value is not None:
                self._names[row.client, field_] = value


def _language(said: Mapping[str, str]) -> str | None:
    text = said.get("language")
    if text is None:
        return None
    try:
        LanguageCode().deserialize(text)
    except ValidationError as error:
        raise CellRefused(
            Message("language %(reason)s, not %(text)s", reason=error.messages[0], text=text)
        ) from error
    if len(text) > _LONGEST_LANGUAGE:
        raise CellRefused(
            Message("language must be at most %(n)d characters long", n=_LONGEST_LANGUAGE)
        )
    return text


def _stated(service: Service, rows: Sequence[StatedRow]) -> tuple[int, list[int]]:
    with service.database.writing() as session:
        return state_clients(Act(session, SYSTEM, service.clock()), rows)


def state_clients(act: Act, rows: Sequence[StatedRow]) -> tuple[int, list[int]]:
    """State what is not so already; return how many rows that were, and those of the erased."""
    session = act.session
    clients = _clients(session, {row.client for row in rows})
    missing = {row.client for row in rows}.difference(clients)
    if missing:
        add_clients(session, sorted(missing), act.at)
        clients |= _clients(session, missing)
    said: dict[str, list[StatedRow]] = {}
    due: list[int] = []
    erased = []
    for place, row in enumerate(rows):
        client, key = clients[row.client]
        if key is None:
            erased.append(place)
            continue
        names = {
            name: value
            for name, value in (("name", row.name), ("language", row.language))
            if value is not None and value != getattr(client, name)
        }
        moved = bool(row.attributes and state(session, client.id, row.day, row.attributes))
        if names or moved or row.client in missing:
            for name, value in names.items():
                setattr(client, name, value)
            client.version += 1
            if moved:
                due.append(client.id)
            missing.discard(row.client)
            said.setdefault(row.client, []).append(row)
    if said:
        session.flush()
        mark_due(session, due)
        inputs = [
            Input(SubjectKey(client.subject, key or b""), _written(said[reference]))
            for reference, (client, key) in clients.items()
            if reference in said
        ]
        details = {"clients": len(said)}
        record(act, Entry("clients.imported", f"clients:{random_id()}", details, inputs))
    return sum(map(len, said.values())), erased


def _clients(session: Session, references: set[str]) -> dict[str, tuple[Client, bytes | None]]:
    """Return the clients of these references, kept from others, and their subjects' keys."""
    found = session.execute(
        select(Client, Subject.key)
        .outerjoin(Subject, Subject.id == Client.subject)
        .where(Client.reference.in_(references))
        .order_by(Client.id)
        .with_for_update(of=Client)
    )
    return {client.reference: (client, key) for client, key in found}


def _written(rows: Sequence[StatedRow]) -> bytes:
    """Return what the history keeps of a client's rows."""
    return canonical_bytes(
        [
            {
                "day": row.day.isoformat(),
                "name": row.name,
                "language": row.language,
                "attributes": dict(row.attributes),
            }
            for row in rows
        ]
    )


def number_due(session: Session) -> int:
    """Return of how many clients something is recorded that no decision knows of yet."""
    return session.execute(
        select(func.count())
        .select_from(Client)
        .join(Subject, Subject.id == Client.subject)
        .outerjoin(Standing, Standing.client_id == Client.id)
        .where(or_(Standing.client_id.is_(None), Standing.facts_version != Client.facts_version))
    ).scalar_one()


# -- rows --------------------------------------------------------------------------------------


def _said(
    row: list[str] | Message,
    width: int,
    places: tuple[tuple[str, int], ...],
    needed: Sequence[str],
) -> dict[str, str]:
    """Return a row's cells that are not empty, by field."""
    if isinstance(row, Message):
        raise CellRefused(row)
    require_width(row, width)
    said = {name: text for name, place in places if (text := row[place].strip())}
    for name in needed:
        if name not in said:
            raise _empty(name)
    return said


def _empty(name: str) -> CellRefused:
    return CellRefused(Message("%(field)s is empty", field=name))


def _attributes(cells: Cells, said: Mapping[str, str]) -> dict[str, Raw]:
    return {
        (own := name.removeprefix(BY_NAME)): cells.attribute(own, text)
        for name, text in said.items()
        if name.startswith(BY_NAME)
    }


def _require_none(problems: Iterator[Problem]) -> None:
    """Refuse what the policy in force could not measure."""
    for problem in problems:
        raise CellRefused(Message("%(path)s %(reason)s", path=problem.path, reason=problem.message))


def header_of(file: File) -> list[str]:
    """Return the names of a file's columns.

    :raises TableInvalid: if it cannot be read.
    """
    with reading(file.path, file.encoding, "surrogateescape") as lines:
        header: list[str] = next(_csv(file, lines), [])
        "".join(header).encode()  # what could not be decoded cannot be encoded either
        return header


def _columns(
    file: File, header: Sequence[str], fields: tuple[str, ...], needed: tuple[str, ...]
) -> dict[str, int]:
    """Return where the fields are, with every other column of a table of clients."""
    try:
        return columns_of(header, file.columns, fields, needed, others=fields is CLIENT_FIELDS)
    except CellRefused as error:
        raise TableInvalid(file.path, [Problem("line 1", error.message)]) from error


def _csv(file: File, lines: Iterator[str]) -> Any:
    return csv.reader(lines, delimiter=file.delimiter, strict=True)


def _batches(file: File, size: int, progress: Progress) -> Iterator[list[_Row]]:
    """Yield the rows after the header, so many at once."""
    with reading(file.path, file.encoding, "surrogateescape") as lines:
        reader, done = _csv(file, lines), 0
        next(reader, None)
        while batch := _batch(reader, size):
            yield batch
            batch.clear()
            gc.collect(0)
            now = cast(io.BufferedReader, lines.buffer).tell()
            progress(now - done)
            done = now


def _batch(reader: Any, size: int) -> list[_Row]:
    batch: list[_Row] = []
    while len(batch) < size:
        try:
            row: list[str] | Message = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            row = Message("%(reason)s", reason=str(error))
        batch.append((reader.line_num, row))
    return batch


class _Rejects:
    """Writes rows that are not taken, as they were, with their line and the reason."""

    def __init__(self, file: File, header: list[str], out: IO[str]) -> None:
        self._width = len(header) - len(WHY) * (tuple(header[-len(WHY) :]) == WHY)
        self._encoding = file.encoding
        self._table = csv.writer(out, delimiter=file.delimiter, lineterminator="\n")
        self._table.writerow([*header[: self._width], *WHY])
        self.number = 0

    def __call__(self, row: _Row, reason: Message) -> None:
        line, cells = row
        cells = [] if isinstance(cells, Message) else cells[: self._width]
        blank = [""] * (self._width - len(cells))
        why = reason.encode(self._encoding, "replace").decode(self._encoding)
        self._table.writerow([*cells, *blank, line, why])
        self.number += 1


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the collector from going through all there is over and over: a third of the time.

    :func:`_batches` has it look through what is new after each batch instead.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _rejects(file: File) -> Iterator[_Rejects]:
    """Write the file of rejected rows beside its place, and put it there when all is done."""
    part = file.rejected.with_name(f"{file.rejected.name}.part")
    header = header_of(file)
    try:
        if file.rejected.exists() and file.rejected.samefile(file.path):
            raise OSError(Message("rejected rows cannot go to the file that is read"))
        with part.open("w", encoding=file.encoding, errors="surrogateescape", newline="") as out:
            rejects = _Rejects(file, header, out)
            yield rejects
        if rejects.number:
            part.replace(file.rejected)
        else:
            file.rejected.unlink(missing_ok=True)
    except OSError as error:
        raise TableInvalid(file.rejected, [Problem("", error.strerror or str(error))]) from error
    finally:
        part.unlink(missing_ok=True)
