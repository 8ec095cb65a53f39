"""Notices: letters issued with the decisions they are about, listed, and marked as sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.models import Client, ContactPerson, Notice, Subject
from app.services.authority import Permission
from app.services.changes import Change
from app.services.clients import client_named
from app.services.errors import NotActionable, NotThere
from app.services.history import Act, Entry, Input, SubjectKey, random_id, record
from app.services.letters import Addressee, Letter, letters_of
from app.services.people import require
from app.services.rows import among, insert_rows
from rules.document.strict_json import canonical_bytes
from rules.standing import EventKind


class Channel(StrEnum):
    """How a letter went to a client."""

    EMAIL = "email"
    POST = "post"
    MESSAGE = "message"
    CALL = "call"
    VISIT = "visit"


class Written(NamedTuple):
    """What is written in a notice, as it is kept for ever; in the order of its columns."""

    decision_id: str
    place: int
    event: str
    day: date
    issued: date
    language: str
    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, change: Change, letter: Letter) -> Written:
        about = change.decision, letter.place, letter.event, change.day, change.issued
        return cls(*about, letter.language, letter.subject, letter.text, letter.html)


def issue(act: Act, changes: Sequence[Change]) -> int:
    """Issue the letters due for what decisions changed, in their transaction; return how many.

    The decisions have to be stored before.
    """
    told = [each for each in changes if each.events]
    known = _known(act.session, {each.client_id for each in told})
    written: dict[int, list[Written]] = defaultdict(list)
    for change in told:
        for letter in letters_of(change, known[change.client_id].addressee):
            written[change.client_id].append(Written.of(change, letter))
    if not written:
        return 0
    batch = random_id()
    rows = [(client_id, batch, *each) for client_id, own in written.items() for each in own]
    insert_rows(act.session, Notice, ("client_id", "batch", *Written._fields), rows)
    inputs = [
        Input(known[client_id].subject, digested(own), kept=True)
        for client_id, own in written.items()
    ]
    details = {"notices": len(rows), "clients": len(written)}
    record(act, Entry("notices.issued", f"notices:{batch}", details, inputs))
    return len(rows)


def digested(written: Iterable[Written]) -> bytes:
    """Return what the history digests of one client's notices in one batch."""
    return canonical_bytes(
        [
            [each.isoformat() if isinstance(each, date) else each for each in one]
            for one in sorted(written)
        ]
    )


def batch(session: Session, name: str) -> Mapping[str, list[Written]]:
    """Return the notices issued together as a batch, by their client's subject."""
    found: dict[str, list[Written]] = defaultdict(list)
    columns = [getattr(Notice, name) for name in Written._fields]
    rows = session.execute(
        select(Client.subject, *columns)
        .join(Client, Client.id == Notice.client_id)
        .where(Notice.batch == name)
    )
    for subject, *written in rows:
        found[subject].append(Written._make(written))
    return found


class _Known(NamedTuple):
    """A client who is written to, and under which key the history keeps what it says of them."""

    subject: SubjectKey
    addressee: Addressee


def _known(session: Session, client_ids: Iterable[int]) -> dict[int, _Known]:
    clients = session.execute(
        select(Client.id, Client.subject, Subject.key, Client.name)
        .join(Subject, Subject.id == Client.subject)
        .where(among(session, Client.id, client_ids))
    ).all()
    counterparts = session.execute(
        select(ContactPerson.client_id, ContactPerson.counterpart)
        .where(
            among(session, ContactPerson.client_id, client_ids),
            ContactPerson.counterpart.is_not(None),
        )
        .order_by(ContactPerson.id.desc())
    )
    first = {each.client_id: each.counterpart for each in counterparts}  # the lowest id comes last
    return {
        each.id: _Known(
            SubjectKey(each.subject, each.key), Addressee(each.name, first.get(each.id))
        )
        for each in clients
    }


# -- for the manager ---------------------------------------------------------------------------


class Listed(NamedTuple):
    """A notice and the reference of the client it is for."""

    client: str
    notice: Notice


def waiting(
    session: Session,
    client: str | None = None,
    event: EventKind | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> list[Listed]:
    """Return the notices that were not sent yet, the oldest first; of one client, or one kind.

    :param after: only those that come after the one of this number.
    :raises NotThere: if there is no such client, or no notice of that number.
    """
    statement = _listed().where(Notice.sent_at.is_(None)).order_by(Notice.issued, Notice.id)
    if client is not None:
        statement = statement.where(Notice.client_id == client_named(session, client).id)
    if event is not None:
        statement = statement.where(Notice.event == event)
    if after is not None:
        last = notice_named(session, after).notice
        statement = statement.where(tuple_(Notice.issued, Notice.id) > (last.issued, last.id))
    return [Listed._make(row) for row in session.execute(statement.limit(limit))]


def of_client(session: Session, reference: str) -> list[Notice]:
    """Return all that was written to a client, the newest first.

    :raises NotThere: if there is no such client.
    """
    wanted = Notice.client_id == client_named(session, reference).id
    statement = select(Notice).where(wanted).order_by(Notice.issued.desc(), Notice.id.desc())
    return list(session.execute(statement).scalars())


def notice_named(session: Session, number: int) -> Listed:
    """Return a notice.

    :raises NotThere: if there is none of this number.
    """
    return _taken(session, _listed().where(Notice.id == number), number)


def mark_sent(act: Act, number: int, channel: Channel) -> None:
    """Note that a notice was sent, by whom, and how it went.

    :raises NotActionable: if somebody has noted so before.
    """
    person = require(act.session, act.actor, Permission.SEND_NOTICES)
    statement = _listed().where(Notice.id == number).with_for_update(of=Notice)
    notice = _taken(act.session, statement, number).notice
    if notice.sent_at is not None:
        raise NotActionable(
            "Notice %(number)d was sent on %(day)s already.",
            number=number,
            day=notice.sent_at.date(),
        )
    notice.sent_at, notice.sent_by, notice.channel = act.at, person, channel
    act.session.flush()
    record(act, Entry("notice.sent", f"notice:{number}", {"channel": channel.value}))


def _listed() -> Select[str, Notice]:
    return select(Client.reference, Notice).join(Client, Client.id == Notice.client_id)


def _taken(session: Session, statement: Select[str, Notice], number: int) -> Listed:
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotThere("There is no notice %(number)d.", number=number)
    return Listed._make(found)
