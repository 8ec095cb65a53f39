"""Households and company groups: their members stated as a whole, from a day on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import Client, Group, Membership, Subject
from app.services.clients import mark_due
from app.services.errors import Invalid, NotActionable, Stale
from app.services.history import Act, Entry, Input, SubjectKey, random_id, record
from app.services.rows import among
from rules import measure
from rules.document import Problem
from rules.document.strict_json import canonical_bytes
from rules.messages import Message


@dataclass(frozen=True, slots=True)
class Membered:
    """All members of a group by their references, and who of them is its head."""

    members: tuple[str, ...] = ()
    head: str | None = None


@dataclass(frozen=True, slots=True)
class _Member:
    """A client as far as membership goes; ``key`` is None where they have been erased."""

    id: int
    reference: str
    subject: str
    key: bytes | None


def put_group(
    act: Act,
    reference: str,
    stated: Membered,
    day: date,
    expected: Container[int | None] | None = None,
) -> tuple[Group, bool]:
    """State all members of a group from a day on; return it and whether it is new.

    Who is not named any more has left it.  What is not different is not written again.

    :param expected: the versions this may replace, as for a client.
    :raises Invalid: if a member is not known, or the day lies before what was stated last.
    :raises NotActionable: if a member is in another group, or has been erased.
    :raises Stale: if it is another version.
    """
    session = act.session
    group = session.execute(
        select(Group).where(Group.reference == reference).with_for_update()
    ).scalar()
    if expected is not None and (group and group.version) not in expected:
        raise Stale(
            "Group %(reference)s is not as the request expects it; somebody else has changed it.",
            reference=reference,
        )
    is_new = group is None
    if group is None:
        group = _founded(act, reference, stated)
    before = _present_members(session, group.id)
    now = _listed(session, stated)
    if now == before and not is_new:
        return group, False
    concerned = _kept(session, {*before, *now})
    _require_free(session, group, [each for each in concerned if each.id in now])
    _require_in_order(session, {*before, *now}, day)
    changed = [each for each in concerned if before.get(each.id) != now.get(each.id)]
    session.execute(
        insert(Membership),
        [
            {
                "client_id": each.id,
                "group_id": group.id if each.id in now else None,
                "day": day,
                "is_head": now.get(each.id, False),
            }
            for each in changed
        ],
    )
    mark_due(session, {*before, *now})
    group.version += 1
    session.flush()
    inputs = [
        Input(SubjectKey(each.subject, each.key), _said(now.get(each.id)))
        for each in changed
        if each.key is not None
    ]
    details = {"day": day.isoformat(), "members": len(now)}
    verb = "group.founded" if is_new else "group.changed"
    record(act, Entry(verb, f"group:{group.subject}", details, inputs))
    return group, is_new


def _founded(act: Act, reference: str, stated: Membered) -> Group:
    if not stated.members:
        message = Message("must name somebody: there is no such group yet")
        raise Invalid([Problem("members", message)])
    group = Group(reference=reference, subject=random_id(), version=0, created_at=act.at)
    act.session.add(group)
    act.session.flush()
    return group


def _said(head: bool | None) -> bytes:
    """Write for the history what a client is to the group; other members are not named."""
    return canonical_bytes({"is_member": head is not None, "is_head": head is True})


def _listed(session: Session, stated: Membered) -> dict[int, bool]:
    """Return the members named, by their ids, and whether they are the head.

    :raises Invalid: naming those who are not known.
    """
    rows = session.execute(
        select(Client.reference, Client.id).where(Client.reference.in_(stated.members))
    )
    ids = {each.reference: each.id for each in rows}
    unknown = [
        Problem(f"members[{place}]", Message("is not known here"))
        for place, each in enumerate(stated.members)
        if each not in ids
    ]
    if unknown:
        raise Invalid(unknown)
    return {ids[each]: each == stated.head for each in stated.members}


def _kept(session: Session, client_ids: Collection[int]) -> list[_Member]:
    """Return clients, kept from others until this is done."""
    rows = session.execute(
        select(Client.id, Client.reference, Client.subject, Subject.key)
        .outerjoin(Subject, Subject.id == Client.subject)
        .where(Client.id.in_(client_ids))
        .order_by(Client.id)
        .with_for_update(of=Client)
    )
    return [_Member(*each) for each in rows]


def _require_free(session: Session, group: Group, members: Sequence[_Member]) -> None:
    """Refuse who has been erased, and who is in another group."""
    stays = _stays(session, [each.id for each in members])
    for each in members:
        if each.key is None:
            raise NotActionable(
                "Client %(reference)s has been erased; nothing more can be recorded of them.",
                reference=each.reference,
            )
        if each.id in stays and stays[each.id][-1].group_id not in (None, group.id):
            raise NotActionable(
                "Client %(reference)s is in another group; they have to leave it first.",
                reference=each.reference,
            )


def _require_in_order(session: Session, client_ids: Collection[int], day: date) -> None:
    """Refuse a day before the last on which a membership of one of these clients changed."""
    latest = max((rows[-1].day for rows in _stays(session, client_ids).values()), default=day)
    if day < latest:
        message = Message(
            "must not be before %(day)s, when a membership last changed", day=latest.isoformat()
        )
        raise Invalid([Problem("from", message)])


def membered(session: Session, group: Group) -> Membered:
    """Return who is in a group now."""
    members = _present_members(session, group.id)
    rows = session.execute(
        select(Client.id, Client.reference).where(Client.id.in_(members)).order_by(Client.reference)
    ).all()
    heads = [each.reference for each in rows if members[each.id]]
    return Membered(tuple(each.reference for each in rows), heads[0] if heads else None)


# -- who is in which group ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stay:
    """In which group a client is from a day on."""

    client_id: int
    group_id: int | None
    day: date
    is_head: bool


def _stays(session: Session, client_ids: Collection[int]) -> dict[int, list[_Stay]]:
    """Return what was stated of the membership of each of these clients, oldest first."""
    rows = session.execute(
        select(Membership.client_id, Membership.group_id, Membership.day, Membership.is_head)
        .where(among(session, Membership.client_id, client_ids))
        .order_by(Membership.day, Membership.id)
    )
    found: dict[int, list[_Stay]] = defaultdict(list)
    for row in rows:
        found[row.client_id].append(_Stay(*row))
    return dict(found)


def _who_was_in(session: Session, group_ids: Collection[int]) -> dict[int, list[_Stay]]:
    """Return the membership of all who ever were in these groups, the erased left out."""
    if not group_ids:
        return {}
    ids = session.execute(
        select(Membership.client_id)
        .join(Client, Client.id == Membership.client_id)
        .join(Subject, Subject.id == Client.subject)
        .where(among(session, Membership.group_id, group_ids))
        .distinct()
    ).scalars()
    return _stays(session, list(ids))


def _present_members(session: Session, group_id: int) -> dict[int, bool]:
    """Return who is in a group now, and whether they are its head."""
    last = [rows[-1] for rows in _who_was_in(session, [group_id]).values()]
    return {each.client_id: each.is_head for each in last if each.group_id == group_id}


class Groups:
    """The groups of some clients from day to day, and what is recorded of those in them."""

    def __init__(self, stays: Mapping[int, Sequence[_Stay]]) -> None:
        self._stays = stays

    @classmethod
    def of(cls, session: Session, client_ids: Collection[int]) -> Groups:
        """Return the groups that these clients are in, or ever were."""
        own = _stays(session, client_ids)
        ids = {each.group_id for rows in own.values() for each in rows if each.group_id is not None}
        return cls({**_who_was_in(session, ids), **own})

    @property
    def members(self) -> Collection[int]:
        """Everybody who is, or ever was, in one of them, the clients themselves among them."""
        return self._stays.keys()

    def joined(
        self, client_id: int, recorded: Mapping[int, measure.Client], day: date
    ) -> measure.Client:
        """Return what is recorded of a client, with the others in their group on a day.

        :param recorded: what is recorded of each of :attr:`members`.
        """
        client, own = recorded[client_id], self._on(client_id, day)
        if own is None or own.group_id is None:
            return client
        together = [self._on(each, day) for each in self._stays]
        others = [
            recorded[each.client_id]
            for each in together
            if each is not None and each.group_id == own.group_id and each.client_id != client_id
        ]
        return replace(client, group=measure.Members(others, own.is_head))

    def _on(self, client_id: int, day: date) -> _Stay | None:
        rows = [each for each in self._stays.get(client_id, ()) if each.day <= day]
        return rows[-1] if rows else None
