"""What happened with clients: recorded once, never changed, taken out by a void."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Activity, Client, Subject
from app.models.base import shortest
from app.services.clients import add_clients, mark_due
from app.services.history import Act, Entry, Input, SubjectKey, random_id, record
from app.services.rows import among, insert_rows
from rules.document import Problem
from rules.document.strict_json import canonical_bytes
from rules.facts import read_value
from rules.measure import Raw
from rules.messages import Message
from rules.policy import Activities, Policy

VOID = "void"
"""The kind of an activity that takes another one out."""


class NewActivity(NamedTuple):
    """Something that happened with a client, as its source tells it.

    ``source`` and ``id`` name it for ever.  ``amount`` is in minor units, ``day`` the day in the
    company's time zone, ``at`` the instant where it is known.  ``voids`` is the id, at the same
    source, of the activity that a ``void`` takes out.
    """

    source: str
    id: str
    client: str
    kind: str
    day: date
    at: datetime | None = None
    amount: int | None = None
    quantity: int | Decimal | None = None
    product: str | None = None
    channel: str | None = None
    attributes: Mapping[str, Raw] = MappingProxyType({})
    voids: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one activity cannot be recorded; ``conflict`` if its name stands for another."""

    message: Message
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Sorted:
    """What becomes of activities, by their place: those to record, known already, refused."""

    new: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    refused: dict[int, Refusal] = field(default_factory=dict)


class _Known(NamedTuple):
    """A client there is; without a key, one that has been erased."""

    id: int
    subject: str
    key: bytes | None


def record_activities(
    act: Act, activities: Sequence[NewActivity], *, partly: bool = False, add_missing: bool = False
) -> Sorted:
    """Record activities: all or, if any is refused, none — or ``partly`` what is not refused.

    A void finds what it takes out wherever that stands among them.

    :param add_missing: also add the clients nobody has heard of; else their activities are
        refused, so that a mistyped reference makes no client.
    """
    session = act.session
    clients = _clients(session, {each.client for each in activities})
    stored = _stored(session, [(each.source, each.id) for each in activities])
    voids = [(each.source, each.voids) for each in activities if each.voids is not None]
    targets, takers = _stored(session, voids), _takers(session, voids)
    found = Sorted()
    missing: set[str] = set()
    for place, each in _voids_last(activities, bool(voids)):
        name = each[:2]
        if (known := stored.get(name)) is not None:
            if content(known) == content(each):
                found.known.append(place)
            else:
                message = Message("id stands for another activity of this source")
                found.refused[place] = Refusal(message, conflict=True)
            continue
        refusal = _client_refusal(clients.get(each.client), add_missing)
        if refusal is None and (each.kind == VOID or each.voids is not None):
            target = each.source, each.voids or ""
            taken = stored.get(target) or targets.get(target)
            refusal = _void_refusal(each, taken, takers.get(target))
        if refusal is not None:
            found.refused[place] = refusal
            continue
        found.new.append(place)
        stored[name] = each
        if each.voids is not None:
            takers[each.source, each.voids] = each.id
        if each.client not in clients:
            missing.add(each.client)
    if found.new and (partly or not found.refused):
        if missing:
            # in one order for everybody, so that no two who add the same wait for each other
            add_clients(session, sorted(missing), act.at)
            clients |= _clients(session, missing)
        _write(act, [activities[place] for place in found.new], clients)
    return Sorted(sorted(found.new), sorted(found.known), dict(sorted(found.refused.items())))


def _voids_last(
    activities: Sequence[NewActivity], has_voids: bool
) -> Iterable[tuple[int, NewActivity]]:
    places = enumerate(activities)
    return sorted(places, key=lambda each: each[1].kind == VOID) if has_voids else places


def _client_refusal(client: _Known | None, add_missing: bool) -> Refusal | None:
    if client is None:
        if add_missing:
            return None
        return Refusal(Message("client is not known; it has to be stated first"))
    if client.key is None:
        return Refusal(Message("client has been erased"))
    return None


def _void_refusal(
    each: NewActivity, target: NewActivity | None, taker: str | None
) -> Refusal | None:
    """Say why an activity cannot take out another; None if it can, or is to take out none."""
    if (each.kind == VOID) != (each.voids is not None):
        return Refusal(Message("voids must be there for the kind void, and only for it"))
    if each.voids is None:
        return None
    if target is None:
        return Refusal(Message("voids names no activity of this source"))
    if target.kind == VOID:
        return Refusal(Message("voids names a void, which cannot be taken out"))
    if target.client != each.client:
        return Refusal(Message("voids names an activity of another client"))
    if taker is not None:
        return Refusal(Message("voids names what is taken out already"), conflict=True)
    return None


def misfits(policy: Policy, activity: NewActivity) -> Iterator[Problem]:
    """Yield what of an activity the policy's metrics could not be measured from."""
    said = _measured(activity)
    if not said:
        return
    for metric in policy.metrics.values():
        source = metric.source
        if (
            isinstance(source, Activities)
            and activity.kind in source.kinds
            and (value := said.get(source.of or "")) is not None
        ):
            try:
                read_value(metric, value)
            except ValidationError as error:
                path = (source.of or "").replace("attribute:", "attributes.")
                yield Problem(path, error.messages[0])


def _measured(activity: NewActivity) -> dict[str, Raw]:
    """Return what an activity says that metrics read by their own type."""
    said = {f"attribute:{name}": value for name, value in activity.attributes.items()}
    if activity.quantity is not None:
        said["quantity"] = activity.quantity
    return said


def content(activity: NewActivity) -> tuple[object, ...]:
    """Return all that an activity says, in one form whatever way it was written."""
    day, at, quantity, attributes = (
        activity.day,
        activity.at,
        activity.quantity,
        activity.attributes,
    )
    return (
        *activity[:4],
        day.isoformat(),
        None if at is None else at.astimezone(UTC).isoformat(),
        activity.amount,
        None if quantity is None else str(shortest(quantity)),
        activity.product,
        activity.channel,
        canonical_bytes(dict(attributes)) if attributes else b"",
        activity.voids,
    )


def digested(activities: Iterable[NewActivity]) -> bytes:
    """Return what the history digests of one client's activities in one batch, in their order."""
    return repr(list(map(content, activities))).encode()


def batch(session: Session, name: str) -> dict[str, list[NewActivity]]:
    """Return the activities recorded together as a batch, in order, by their client's subject."""
    found: dict[str, list[NewActivity]] = defaultdict(list)
    rows = session.execute(_all().add_columns(Client.subject).where(Activity.batch == name))
    for row in sorted(rows, key=_NAME):
        found[row.subject].append(_read(row))
    return found


def _write(act: Act, activities: Sequence[NewActivity], clients: Mapping[str, _Known]) -> None:
    session, name = act.session, random_id()
    by_client: dict[str, list[NewActivity]] = defaultdict(list)
    rows = []
    # in one order for everybody, so that no two who record the same wait for each other
    for each in sorted(activities, key=_NAME):
        by_client[each.client].append(each)
        ids = clients[each.client].id, name
        rows.append((*ids, *each[:2], *each[3:10], each.attributes or None, each.voids))
    insert_rows(session, Activity, _COLUMNS, rows)
    mark_due(session, [clients[each].id for each in by_client])
    inputs = [
        Input(SubjectKey(known.subject, known.key or b""), digested(happened), kept=True)
        for known, happened in ((clients[each], by_client[each]) for each in by_client)
    ]
    details = {"activities": len(activities), "clients": len(by_client)}
    record(act, Entry("activities.recorded", f"activities:{name}", details, inputs))


_NAME = itemgetter(0, 1)
_COLUMNS = (
    *("client_id", "batch", "source", "external_id", "kind", "day", "at", "amount", "quantity"),
    *("product", "channel", "attributes", "voids"),
)


def _clients(session: Session, references: Iterable[str]) -> dict[str, _Known]:
    """Return the clients of these references, kept from being written to by others meanwhile."""
    found = session.execute(
        select(Client.reference, Client.id, Client.subject, Subject.key)
        .outerjoin(Subject, Subject.id == Client.subject)
        .where(among(session, Client.reference, references))
        .order_by(Client.id)
        .with_for_update(of=Client)
    )
    return {each[0]: _Known(*each[1:]) for each in found}


def _all() -> Any:
    return select(
        Activity.source,
        Activity.external_id,
        Client.reference,
        Activity.kind,
        Activity.day,
        Activity.at,
        Activity.amount,
        Activity.quantity,
        Activity.product,
        Activity.channel,
        Activity.attributes,
        Activity.voids,
    ).join(Client, Client.id == Activity.client_id)


def _read(row: Any) -> NewActivity:
    return NewActivity._make([*row[:10], row[10] or {}, row[11]])


def _by_source(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for source, name in names:
        found[source].append(name)
    return found


def _stored(
    session: Session, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], NewActivity]:
    """Return what is recorded under these names already."""
    found = {}
    for source, ids in _by_source(names).items():
        rows = session.execute(
            _all().where(Activity.source == source, among(session, Activity.external_id, ids))
        )
        for row in rows:
            found[row.source, row.external_id] = _read(row)
    return found


def _takers(session: Session, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return by which voids these activities are taken out already."""
    found = {}
    for source, ids in _by_source(names).items():
        rows = session.execute(
            select(Activity.source, Activity.voids, Activity.external_id).where(
                Activity.source == source, among(session, Activity.voids, ids)
            )
        )
        for row in rows:
            found[row.source, row.voids] = row.external_id
    return found
