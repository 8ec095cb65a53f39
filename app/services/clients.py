"""What is stated about clients: the whole of it, replaced at once, its past kept."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import AttributeValue, Client, ContactPerson, Membership, Subject
from app.services.errors import Invalid, NotActionable, NotThere, Stale
from app.services.history import Act, Entry, Input, SubjectKey, add_subjects, record
from app.services.rows import among, insert_rows
from rules.document import Problem
from rules.document.strict_json import canonical_bytes
from rules.facts import read_value
from rules.measure import Raw
from rules.policy import Attribute, AttributeHistory, Policy


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody at a client's; ``counterpart`` is whom they deal with here."""

    key: str
    name: str
    level: str | None = None
    birthday: date | None = None
    counterpart: str | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """All that is stated about a client: what is left out is stated no more."""

    name: str | None = None
    language: str | None = None
    attributes: Mapping[str, Raw] = field(default_factory=dict)
    contacts: Sequence[Contact] = ()


class _Any:
    """Every version there can be, but not none: a range would be searched for it to its end."""

    def __contains__(self, version: object) -> bool:
        return version is not None


NONE: Container[int | None] = (None,)
ANY: Container[int | None] = _Any()
"""What :func:`put_client` may be expected to replace, beside one version or another."""


def put_client(
    act: Act,
    reference: str,
    stated: Stated,
    day: date,
    expected: Container[int | None] | None = None,
) -> tuple[Client, bool]:
    """State the whole set about a client; return it and whether it is new.

    What is not different is not written again, so that stating twice changes nothing.

    :param expected: the versions this may replace, None among them for no client at all;
        without it, whatever is there.
    :raises Stale: if it is another.
    :raises NotActionable: if the client has been erased.
    """
    session = act.session
    keep(session, session.execute(select(Client.id).filter_by(reference=reference)).scalars().all())
    wanted = select(Client).where(Client.reference == reference).with_for_update()
    client = session.execute(wanted).scalar()
    if expected is not None and (client and client.version) not in expected:
        raise Stale(
            "Client %(reference)s is not as the request expects it; somebody else has changed it.",
            reference=reference,
        )
    is_new = client is None
    if client is None:
        add_clients(session, [reference], act.at)
        client = session.execute(wanted).scalar_one()
    before = stated_of(session, client)
    if canonical(stated) == canonical(before) and not is_new:
        return client, False
    key = key_of(session, client)
    if canonical_bytes(stated.attributes) != canonical_bytes(before.attributes):
        gone = {name: None for name in before.attributes if name not in stated.attributes}
        state(session, client.id, day, {**stated.attributes, **gone})
        mark_due(session, [client.id])
    if tuple(stated.contacts) != tuple(before.contacts):
        session.execute(delete(ContactPerson).where(ContactPerson.client_id == client.id))
        session.add_all(
            ContactPerson(client_id=client.id, **asdict(each)) for each in stated.contacts
        )
    client.name, client.language = stated.name, stated.language
    client.version += 1
    session.flush()
    record(act, told("client.stated", client, key, {"day": day}, stated))
    return client, is_new


def told(
    verb: str, client: Client, key: SubjectKey, details: Mapping[str, Any], stated: Stated
) -> Entry:
    """Return the history's entry of what was stated about a client."""
    return Entry(verb, f"client:{client.subject}", _plain(details), [Input(key, canonical(stated))])


def canonical(stated: Stated) -> bytes:
    """Return the one sequence of bytes that stands for what is stated: true is not 1 there."""
    return canonical_bytes(_plain(asdict(stated)))


def add_clients(session: Session, references: Sequence[str], now: datetime) -> None:
    """Add clients of whom nothing is known yet but the reference."""
    keys = [SubjectKey.new() for _ in references]
    add_subjects(session, keys)
    rows = ((each, key.id, 0, 0, now) for each, key in zip(references, keys, strict=True))
    insert_rows(session, Client, _NEW, rows)


_NEW = ("reference", "subject", "version", "facts_version", "created_at")


def state(
    session: Session, client_id: int, day: date, values: Mapping[str, Raw | None]
) -> list[str]:
    """State attributes from a day on, those that were not so already; return their names."""
    rows = session.execute(
        select(AttributeValue.name, AttributeValue.value)
        .where(
            AttributeValue.client_id == client_id,
            AttributeValue.name.in_(values),
            AttributeValue.day <= day,
        )
        .order_by(AttributeValue.day, AttributeValue.id)
    )
    last: dict[str, Any] = {name: value for name, value in rows}  # noqa: C416 - rows are tuples
    changed = {
        name: value
        for name, value in values.items()
        if canonical_bytes(last.get(name)) != canonical_bytes(value)
    }
    if changed:
        session.execute(
            insert(AttributeValue),
            [
                {"client_id": client_id, "day": day, "name": name, "value": value}
                for name, value in changed.items()
            ],
        )
    return sorted(changed)


def stated_of(session: Session, client: Client) -> Stated:
    """Return what is stated about a client now."""
    rows = session.execute(
        select(AttributeValue.name, AttributeValue.value)
        .where(AttributeValue.client_id == client.id)
        .order_by(AttributeValue.day, AttributeValue.id)
    )
    last: dict[str, Any] = {name: value for name, value in rows}  # noqa: C416 - rows are tuples
    contacts = session.execute(
        select(ContactPerson).where(ContactPerson.client_id == client.id).order_by(ContactPerson.id)
    ).scalars()
    return Stated(
        client.name,
        client.language,
        {name: value for name, value in last.items() if value is not None},
        tuple(
            Contact(each.key, each.name, each.level, each.birthday, each.counterpart)
            for each in contacts
        ),
    )


def client_named(session: Session, reference: str) -> Client:
    """Return a client.

    :raises NotThere: if there is none of this reference.
    """
    found = session.execute(select(Client).where(Client.reference == reference)).scalar()
    if found is None:
        raise NotThere("There is no client %(reference)s.", reference=reference)
    return found


def key_of(session: Session, client: Client) -> SubjectKey:
    """Return the key under which the history keeps what it says of a client.

    :raises NotActionable: if the client has been erased.
    """
    key = session.execute(select(Subject.key).where(Subject.id == client.subject)).scalar()
    if key is None:
        raise NotActionable(
            "Client %(reference)s has been erased; nothing more can be recorded of them.",
            reference=client.reference,
        )
    return SubjectKey(client.subject, key)


def mark_due(session: Session, client_ids: Collection[int]) -> None:
    """Note that something was recorded that may change how these clients stand.

    And so may those with whom they are in a group, whose figures are theirs too.
    """
    keep(session, client_ids)
    everybody = {*client_ids, *in_group_with(session, client_ids)}  # also who joined meanwhile
    session.execute(
        update(Client)
        .where(among(session, Client.id, everybody))
        .values(facts_version=Client.facts_version + 1)
        .execution_options(synchronize_session=False)
    )


def keep(session: Session, client_ids: Collection[int]) -> None:
    """Keep clients, and those with whom they are in a group, from others until this is done.

    All in one order, so that no two who do this wait for each other.
    """
    everybody = {*client_ids, *in_group_with(session, client_ids)}
    kept = select(Client.id).where(among(session, Client.id, everybody))
    session.execute(kept.order_by(Client.id).with_for_update())


def in_group_with(session: Session, client_ids: Collection[int]) -> set[int]:
    """Return everybody who is now in a group that one of these clients is in."""
    groups = _group_ids(session, Membership.client_id, client_ids)
    ids = {each for each in groups.values() if each is not None}
    if not ids:
        return set()
    of_groups = _group_ids(session, Membership.group_id, ids)
    present = _group_ids(session, Membership.client_id, of_groups)
    return {client for client, group in present.items() if group in ids}


def _group_ids(
    session: Session, column: InstrumentedAttribute[Any], values: Collection[int]
) -> dict[int, int | None]:
    """Return, by client, the group that was stated last, of some clients or some groups."""
    rows = session.execute(
        select(Membership.client_id, Membership.group_id)
        .where(among(session, column, values))
        .order_by(Membership.day, Membership.id)
    )
    return {client: group for client, group in rows}  # noqa: C416 - rows are tuples


def misfits(policy: Policy, attributes: Mapping[str, Raw]) -> Iterator[Problem]:
    """Yield the attributes that are not what the policy's metrics read from them."""
    for metric in policy.metrics.values():
        source = metric.source
        if isinstance(source, Attribute | AttributeHistory) and source.attribute in attributes:
            try:
                read_value(metric, attributes[source.attribute])
            except ValidationError as error:
                yield Problem(f"attributes.{source.attribute}", error.messages[0])


def require_fit(policy: Policy, attributes: Mapping[str, Raw]) -> None:
    """Refuse attributes from which the policy in force could not measure.

    :raises Invalid: naming each.
    """
    if problems := list(misfits(policy, attributes)):
        raise Invalid(problems)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case date():
            return value.isoformat()
        case _:
            return value
