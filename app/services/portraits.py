"""All there is to see of one client on one page, read at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.clock import business_date
from app.models import (
    Activity,
    Client,
    Decision,
    Group,
    Measure,
    Membership,
    Notice,
    Person,
    StandingEvent,
    Subject,
)
from app.models import Standing as StandingRow
from app.services import notices
from app.services.authority import KNOWING, Actor, Permission
from app.services.clients import Stated, client_named, stated_of
from app.services.errors import NotThere
from app.services.groups import membered
from app.services.installation import fixed
from app.services.lookups import Desk
from app.services.measures import Phase, phase
from app.services.naming import CHANNELS, TierNames, event_said, measure_said
from app.services.past import told_then
from app.services.people import require
from app.services.rulebook import NoPolicy, PolicyUnusable
from app.services.standings import NoTier
from app.words import Words
from rules.facts import read_value
from rules.measure import Raw
from rules.messages import N_, Message
from rules.policy import Attribute, Policy
from rules.sentences import Named, Shown, shown
from rules.standing import MeasureKind
from rules.windows import local_day

MOST = 100
"""Happenings, and activities, that a page shows: the newest."""


_CAME_TO_NOTHING = frozenset({"refused", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Rung:
    """A tier of the policy in force, and what the client has to do with it."""

    key: str
    name: Named
    is_served: bool
    is_held: bool


@dataclass(frozen=True, slots=True)
class ShownMeasure:
    """A hold or an override, said in words, with who did what about it.

    ``can`` is what the reader may do with it now.
    """

    measure: Measure
    client: str
    what: Message
    phase: Phase
    asked_by: str
    decided_by: str | None
    ended_by: str | None
    can: frozenset[str]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something on a client's timeline; ``letter`` is the number of one that can be read."""

    day: date
    sentence: Message
    note: str | None = None
    letter: int | None = None
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A household or company group: its members, each with the tier they are served by."""

    reference: str
    head: str | None
    members: Sequence[tuple[str, str | None, Named | str | None]]


@dataclass(frozen=True, slots=True)
class Portrait:
    """A client: how they stand, why, and what happened.

    Unless the reader ``knows``, nothing is shown of why people decided beside the rules.
    ``answer`` is what a counter is told of them (docs/semantics.md); where there is none,
    ``unanswered`` says why.
    """

    client: Client
    is_erased: bool
    stated: Stated
    attributes: Sequence[tuple[Named | str, Shown | Raw]]
    answer: dict[str, Any] | None
    unanswered: Message | None
    ladder: Sequence[Rung]
    timeline: Sequence[Happening]
    notices: Sequence[Notice]
    measures: Sequence[ShownMeasure]
    knows: bool
    group: ShownGroup | None
    activities: Sequence[Activity]


def portrait(desk: Desk, actor: Actor, reference: str, words: Words) -> Portrait:
    """Return all there is to see of a client, decided about first if that is due.

    :raises NotAllowed: to who may not read about clients.
    :raises NotThere: if there is no such client.
    """
    with desk.database.reading() as session:
        require(session, actor, Permission.READ_CLIENTS)
        client_named(session, reference)
        zone = fixed(session).time_zone
    day = business_date(desk.clock, zone)
    answer, unanswered = _answered(desk, reference, day, words)
    with desk.database.reading() as session:
        client = client_named(session, reference)
        tiers = TierNames(session, desk.rulebook)
        measures = shown_measures(session, actor, tiers, day, Measure.client_id == client.id)
        knows = actor.may(*KNOWING)
        letters = notices.of_client(session, reference)
        happened = [
            *_events(session, client, tiers),
            *(_measures_told(measures, zone) if knows else ()),
            *_letters_told(letters, zone),
        ]
        stated = stated_of(session, client)
        return Portrait(
            client=client,
            is_erased=session.get(Subject, client.subject) is None,
            stated=stated,
            attributes=_attributes(session, desk, stated),
            answer=answer,
            unanswered=unanswered,
            ladder=_ladder(session, desk, answer),
            timeline=sorted(happened, key=lambda each: each.day, reverse=True)[:MOST],
            notices=letters,
            measures=[each for each in measures if knows or each.phase not in _CAME_TO_NOTHING],
            knows=knows,
            group=_group(session, client, tiers),
            activities=_activities(session, client),
        )


def stood(
    desk: Desk, actor: Actor, reference: str, day: date, words: Words
) -> tuple[dict[str, Any], Sequence[Rung]]:
    """Return how a client stood on a day, as it was decided, and the ladder of then.

    :raises NotThere: if there is no such client, or nothing had been decided about them.
    """
    with desk.database.reading() as session:
        require(session, actor, Permission.READ_CLIENTS)
        client = client_named(session, reference)
        answer = told_then(session, desk.rulebook, client, day, words)
        policy = desk.rulebook.version(session, answer["policy"]["version"]).policy
        return answer, _rungs(policy, answer)


def shown_measure(
    session: Session, actor: Actor, tiers: TierNames, day: date, number: int
) -> ShownMeasure:
    """Return one hold or override said in words.

    :raises NotThere: if there is none of this number.
    """
    found = shown_measures(session, actor, tiers, day, Measure.id == number)
    if not found:
        raise NotThere("There is no measure %(number)d.", number=number)
    return found[0]


def shown_measures(
    session: Session, actor: Actor, tiers: TierNames, day: date, *wanted: Any
) -> Sequence[ShownMeasure]:
    """Return holds and overrides said in words, by first day."""
    rows = session.execute(
        select(Measure, Client.reference)
        .join(Client, Client.id == Measure.client_id)
        .where(*wanted)
        .order_by(Measure.first_day, Measure.id)
    ).all()
    people: dict[int | None, str] = {
        each.id: each.name for each in session.execute(select(Person)).scalars()
    }
    return [
        ShownMeasure(
            measure,
            reference,
            measure_said(
                cast(MeasureKind, measure.kind), measure.tier and tiers.name(measure.tier)
            ),
            phase(measure, day),
            people[measure.asked_by],
            people.get(measure.decided_by),
            people.get(measure.ended_by),
            _can(actor, measure, phase(measure, day)),
        )
        for measure, reference in rows
    ]


def _can(actor: Actor, measure: Measure, now: Phase) -> frozenset[str]:
    is_own = actor.person_id == measure.asked_by
    grants, asks = actor.may(Permission.GRANT_MEASURE), actor.may(Permission.ASK_MEASURE)
    if now == "asked":
        can = {"grant", "refuse"} if grants and not is_own else set[str]()
        return frozenset(can | ({"withdraw"} if is_own and asks else set()))
    if now in ("granted", "in_force") and (grants or (is_own and asks)):
        return frozenset({"end"})
    return frozenset()


def _answered(
    desk: Desk, reference: str, day: date, words: Words
) -> tuple[dict[str, Any] | None, Message | None]:
    try:
        return desk.look_up(reference, day, words), None
    except (NoPolicy, PolicyUnusable, NoTier) as error:
        return None, error.message
    except OperationalError:
        return None, Message("The database was too busy to decide; open the page again.")


def _ladder(session: Session, desk: Desk, answer: dict[str, Any] | None) -> Sequence[Rung]:
    """Return the tiers from the highest, as the policy in force has them."""
    try:
        policy = desk.rulebook.in_force(session).policy
    except (NoPolicy, PolicyUnusable):
        return ()
    return _rungs(policy, answer)


def _rungs(policy: Policy, answer: dict[str, Any] | None) -> Sequence[Rung]:
    served = answer and answer["tier"]["key"]
    held = answer and answer["held"]["key"]
    return [
        Rung(each.key, Named(each.name), each.key == served, each.key == held)
        for each in reversed(policy.tiers)
    ]


def _attributes(
    session: Session, desk: Desk, stated: Stated
) -> Sequence[tuple[Named | str, Shown | Raw]]:
    """Return what is stated, called and written as the policy in force does where it reads it."""
    found: dict[str, tuple[Named | str, Shown | Raw]] = {
        name: (name, value) for name, value in stated.attributes.items()
    }
    try:
        policy = desk.rulebook.in_force(session).policy
    except (NoPolicy, PolicyUnusable):
        return [*found.values()]
    for metric in policy.metrics.values():
        source = metric.source
        if isinstance(source, Attribute) and source.attribute in stated.attributes:
            with suppress(ValidationError):  # stated before the policy wanted something else
                value = read_value(metric, stated.attributes[source.attribute])
                found[source.attribute] = Named(metric.name), shown(policy, metric, value)
    return [*found.values()]


# -- the timeline ------------------------------------------------------------------------------


def _events(session: Session, client: Client, tiers: TierNames) -> Iterator[Happening]:
    rows = session.execute(
        select(StandingEvent, Decision.policy_version)
        .join(Decision, Decision.id == StandingEvent.decision_id)
        .where(StandingEvent.client_id == client.id)
        .order_by(StandingEvent.day.desc(), StandingEvent.id)
        .limit(MOST)
    )
    for event, version in rows:
        said = event_said(event.kind, tiers.name(event.tier, version))
        yield Happening(event.day, said, decision=event.decision_id)


def _measures_told(measures: Sequence[ShownMeasure], zone: str) -> Iterator[Happening]:
    for each in measures:
        row, what = each.measure, each.what
        asked = Message("%(who)s asked for %(what)s.", who=each.asked_by, what=what)
        yield Happening(_local(row.asked_at, zone), asked, row.reason)
        if row.decided_at is not None:
            template = _DECIDED[row.state == "refused"]
            told = Message(template, who=each.decided_by, what=what)
            yield Happening(_local(row.decided_at, zone), told, row.decided_because)
        if row.ended_at is not None:
            told = Message(_ENDED[row.state], who=each.ended_by, what=what)
            yield Happening(_local(row.ended_at, zone), told, row.ended_because)


_DECIDED = {True: N_("%(who)s refused %(what)s."), False: N_("%(who)s granted %(what)s.")}
"""By whether it was refused."""

_ENDED = {
    "withdrawn": N_("%(who)s withdrew the request of %(what)s."),
    "ended": N_("%(who)s ended %(what)s."),
}


def _letters_told(letters: Sequence[Notice], zone: str) -> Iterator[Happening]:
    for each in letters:
        written = Message("The letter “%(subject)s” was written.", subject=each.subject)
        yield Happening(each.issued, written, letter=each.id)
        if each.sent_at is not None and each.channel is not None:
            sent = Message(
                "The letter “%(subject)s” was sent %(channel)s.",
                subject=each.subject,
                channel=Message(CHANNELS[each.channel]),
            )
            yield Happening(_local(each.sent_at, zone), sent, letter=each.id)


def _local(instant: datetime, zone: str) -> date:
    return local_day(instant, ZoneInfo(zone))


# -- group and activities ----------------------------------------------------------------------


def _group(session: Session, client: Client, tiers: TierNames) -> ShownGroup | None:
    """Return the group that a client is in now."""
    present = (
        select(Membership.group_id)
        .where(Membership.client_id == client.id)
        .order_by(Membership.day.desc(), Membership.id.desc())
        .limit(1)
    )
    group = session.get(Group, session.execute(present).scalar() or 0)
    if group is None:
        return None
    found = membered(session, group)
    rows = session.execute(
        select(Client.reference, Client.name, StandingRow.tier)
        .outerjoin(StandingRow, StandingRow.client_id == Client.id)
        .where(Client.reference.in_(found.members))
        .order_by(Client.reference)
    )
    members = [(each[0], each[1], each[2] and tiers.name(each[2])) for each in rows]
    return ShownGroup(group.reference, found.head, members)


def _activities(session: Session, client: Client) -> Sequence[Activity]:
    return (
        session.execute(
            select(Activity)
            .where(Activity.client_id == client.id)
            .order_by(Activity.day.desc(), Activity.id.desc())
            .limit(MOST)
        )
        .scalars()
        .all()
    )
