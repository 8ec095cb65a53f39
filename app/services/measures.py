"""Holds and overrides: asked for by one person, granted by another, with a reason and an end.

What they do to a standing is rule 5 of docs/semantics.md; who may do what is in
docs/governance.md.  Every use case first takes the client, so that of two that come at once the
second sees what the first did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.models import Client, Measure, Person
from app.services.authority import Permission
from app.services.clients import client_named, key_of, mark_due
from app.services.errors import Conflict, Invalid, NotActionable, NotAllowed, NotThere
from app.services.history import Act, Entry, Input, SubjectKey, record
from app.services.installation import fixed
from app.services.people import require
from app.services.rows import among
from app.services.rulebook import Rulebook
from app.services.texts import LONGEST_REASON, require_reason, text_problems
from rules import standing
from rules.document import Problem
from rules.document.strict_json import canonical_bytes
from rules.messages import N_, Listed, Message
from rules.standing import MeasureKind
from rules.windows import DAY, add_months, local_day

KINDS = get_args(MeasureKind)

LONGEST = 12
"""Months from today within which a measure has to end; who needs it longer asks again."""

State = Literal["asked", "granted", "refused", "withdrawn", "ended"]

_STATES: dict[str, str] = {
    "asked": N_("asked for"),
    "granted": N_("granted"),
    "refused": N_("refused"),
    "withdrawn": N_("withdrawn"),
    "ended": N_("ended"),
}
"""How each state is said: the measure is …"""

_TRANSITIONS: dict[State, State] = {
    "granted": "asked",
    "refused": "asked",
    "withdrawn": "asked",
    "ended": "granted",
}
"""By the state it is taken to: the only one from which it gets there."""

Phase = Literal["asked", "refused", "withdrawn", "granted", "in_force", "over"]


def ask(act: Act, rulebook: Rulebook, reference: str, wanted: standing.Measure, reason: str) -> int:
    """Ask that a client be held, or be served by another tier; return the measure's number.

    :raises NotThere: if there is no such client.
    :raises NotActionable: if the client has been erased.
    :raises Conflict: if the very same has been granted already.
    :raises Invalid: naming each field that does not fit.
    """
    session = act.session
    person = require(session, act.actor, Permission.ASK_MEASURE)
    client = client_named(session, reference)
    key = key_of(session, client)
    problems = [
        *_tier_problems(session, rulebook, wanted),
        *_day_problems(wanted, _today(act)),
        *text_problems("reason", reason, LONGEST_REASON),
    ]
    if problems:
        raise Invalid(problems)
    measure = Measure(
        client_id=client.id,
        kind=wanted.kind,
        tier=wanted.tier,
        first_day=wanted.first,
        last_day=wanted.last,
        state="asked",
        reason=reason,
        asked_by=person,
        asked_at=act.at,
    )
    _require_new(session, measure)
    session.add(measure)
    session.flush()
    _record(act, measure, key, {**_terms(measure), "reason": reason})
    return measure.id


def grant(act: Act, rulebook: Rulebook, number: int, comment: str) -> None:
    """Grant what somebody else asked for, from today on if it was to begin earlier.

    :raises NotAllowed: to who asked for it.
    :raises NotActionable: if it has been decided about, its last day is over, or the policy in
        force has not its tier any more.
    :raises Conflict: if the very same has been granted already.
    """
    session = act.session
    person = require(session, act.actor, Permission.GRANT_MEASURE)
    measure, key = _taken(session, number, "granted")
    today = _today(act)
    if measure.last_day < today:
        raise NotActionable(
            "Measure %(number)d was to end on %(day)s; it has to be asked for anew.",
            number=number,
            day=measure.last_day,
        )
    if measure.tier is not None and measure.tier not in _tiers(session, rulebook):
        raise NotActionable("The policy in force has no tier %(tier)s any more.", tier=measure.tier)
    measure.first_day = max(measure.first_day, today)
    _require_new(session, measure)
    _decide(act, measure, person, "granted", comment)
    mark_due(session, [measure.client_id])
    _record(act, measure, key, {**_terms(measure), "comment": comment})


def refuse(act: Act, number: int, comment: str) -> None:
    """Refuse what somebody else asked for.

    :raises NotAllowed: to who asked for it; they withdraw it.
    :raises NotActionable: if it has been decided about.
    """
    person = require(act.session, act.actor, Permission.GRANT_MEASURE)
    measure, key = _taken(act.session, number, "refused")
    _decide(act, measure, person, "refused", comment)
    _record(act, measure, key, {"comment": comment})


def withdraw(act: Act, number: int, comment: str) -> None:
    """Take back what one has asked for, before anybody decided about it.

    :raises NotAllowed: to anybody else.
    :raises NotActionable: if it has been decided about.
    """
    person = require(act.session, act.actor, Permission.ASK_MEASURE)
    measure, key = _taken(act.session, number, "withdrawn")
    if person != measure.asked_by:
        raise NotAllowed("Who asked for it withdraws it; an approver can refuse it.")
    require_reason("comment", comment)
    _close(act, measure, person, "withdrawn", comment)
    _record(act, measure, key, {"comment": comment})


def end(act: Act, number: int, reason: str) -> None:
    """End a measure before its last day: today is judged without it.

    What was decided under it on earlier days stays.

    :raises NotAllowed: to who neither asked for it nor may grant.
    :raises NotActionable: if it is not granted, or over already.
    """
    session = act.session
    person = require(session, act.actor, Permission.ASK_MEASURE, Permission.GRANT_MEASURE)
    measure, key = _taken(session, number, "ended")
    if person != measure.asked_by:
        require(session, act.actor, Permission.GRANT_MEASURE)
    today = _today(act)
    if measure.last_day < today:
        raise NotActionable(
            "Measure %(number)d was over on %(day)s.", number=number, day=measure.last_day
        )
    require_reason("reason", reason)
    measure.shortened_to = today - DAY
    _close(act, measure, person, "ended", reason)
    mark_due(session, [measure.client_id])
    _record(act, measure, key, {"last": measure.shortened_to.isoformat(), "reason": reason})


# -- reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A measure, the reference of whose client it is, and the address of who asked for it."""

    measure: Measure
    client: str
    asked_by: str


def of_client(session: Session, reference: str) -> Sequence[Shown]:
    """Return all that was ever asked for about a client, by first day.

    :raises NotThere: if there is no such client.
    """
    return _shown(session, Measure.client_id == client_named(session, reference).id)


def waiting(session: Session) -> Sequence[Shown]:
    """Return what was asked for and nobody has decided about, by first day."""
    return _shown(session, Measure.state == "asked")


def granted(
    session: Session, client_ids: Collection[int]
) -> dict[int, tuple[standing.Measure, ...]]:
    """Return what was ever in force or will be, for each of these clients, by first day.

    Also what is over: dates that are caught up with are judged under it.  A tier is told as it
    was granted, whether the policy in force still has it or not.
    """
    last: ColumnElement[Any] = func.coalesce(Measure.shortened_to, Measure.last_day)
    rows = session.execute(
        select(Measure.client_id, Measure.kind, Measure.first_day, last, Measure.tier)
        .where(
            among(session, Measure.client_id, client_ids),
            Measure.state.in_(("granted", "ended")),
            Measure.first_day <= last,
        )
        .order_by(Measure.first_day, Measure.id)
    )
    found: dict[int, tuple[standing.Measure, ...]] = dict.fromkeys(client_ids, ())
    for client_id, kind, first, until, tier in rows:
        found[client_id] += (standing.Measure(cast(MeasureKind, kind), first, until, tier),)
    return found


def phase(measure: Measure, day: date) -> Phase:
    """Return how far a measure has come on a business date: what is granted may not have begun."""
    if measure.state not in ("granted", "ended"):
        return cast(Phase, measure.state)
    if last_day(measure) < day:
        return "over"
    return "in_force" if measure.first_day <= day else "granted"


def last_day(measure: Measure) -> date:
    """Return the last day on which it is in force, or was."""
    return measure.shortened_to or measure.last_day


def _shown(session: Session, wanted: ColumnElement[bool]) -> Sequence[Shown]:
    rows = session.execute(
        select(Measure, Client.reference, Person.email)
        .join(Client, Client.id == Measure.client_id)
        .join(Person, Person.id == Measure.asked_by)
        .where(wanted)
        .order_by(Measure.first_day, Measure.id)
    )
    return [Shown(*row) for row in rows]


# -- what is asked for -----------------------------------------------------------------------------


def _tier_problems(
    session: Session, rulebook: Rulebook, wanted: standing.Measure
) -> Iterator[Problem]:
    """Say what is wrong with the tier: a hold has none, an override one of the policy in force."""
    if wanted.kind == "hold":
        if wanted.tier is not None:
            yield Problem("tier", Message("must be left out: a hold keeps the tier held"))
        return
    tiers = _tiers(session, rulebook)
    if wanted.tier not in tiers:
        yield Problem("tier", Message("must be one of %(tiers)s", tiers=Listed(tiers, "or")))


def _tiers(session: Session, rulebook: Rulebook) -> tuple[str, ...]:
    return tuple(tier.key for tier in rulebook.in_force(session).policy.tiers)


def _day_problems(wanted: standing.Measure, today: date) -> Iterator[Problem]:
    latest = add_months(today, LONGEST) - DAY
    if wanted.first < today:
        yield Problem("first", Message("must not be before today, %(day)s", day=today))
    if wanted.last < wanted.first:
        yield Problem("last", Message("must not be before the first day"))
    if wanted.last > latest:
        yield Problem("last", Message("must be %(day)s or earlier; ask again then", day=latest))


def _require_new(session: Session, measure: Measure) -> None:
    """Refuse what has been granted already, of the same kind and tier and from the same day on."""
    same = exists().where(
        Measure.client_id == measure.client_id,
        Measure.kind == measure.kind,
        Measure.first_day == measure.first_day,
        Measure.tier.is_not_distinct_from(measure.tier),
        Measure.state == "granted",
    )
    if session.execute(select(same)).scalar_one():
        raise Conflict("The same has been granted already, from the same day on.")


# -- from state to state ---------------------------------------------------------------------------


def _taken(session: Session, number: int, state: State) -> tuple[Measure, SubjectKey]:
    """Return a measure that can be taken to a state, and by nobody else meanwhile; and the key.

    :raises NotThere: if there is none of this number.
    :raises NotActionable: if it is in another state, or its client has been erased.
    """
    its = select(Measure.client_id).where(Measure.id == number).scalar_subquery()
    client = session.execute(select(Client).where(Client.id == its).with_for_update()).scalar()
    measure = session.get(Measure, number, populate_existing=True)
    if client is None or measure is None:
        raise NotThere("There is no measure %(number)d.", number=number)
    before = _TRANSITIONS[state]
    if measure.state != before:
        raise NotActionable(
            "Measure %(number)d is %(state)s; this is possible only while it is %(before)s.",
            number=number,
            state=Message(_STATES[measure.state]),
            before=Message(_STATES[before]),
        )
    return measure, key_of(session, client)


def _decide(act: Act, measure: Measure, person: int, state: State, comment: str) -> None:
    """Take a measure where somebody decided it goes; whoever asked for it does not.

    :raises NotAllowed: to them.
    """
    require_reason("comment", comment)
    if person == measure.asked_by:
        raise NotAllowed("You asked for this; somebody else has to decide about it.")
    measure.state, measure.decided_because = state, comment
    measure.decided_by, measure.decided_at = person, act.at


def _close(act: Act, measure: Measure, person: int, state: State, why: str) -> None:
    measure.state, measure.ended_because = state, why
    measure.ended_by, measure.ended_at = person, act.at


def _today(act: Act) -> date:
    """Return the business date on which somebody acts."""
    return local_day(act.at, ZoneInfo(fixed(act.session).time_zone))


def _terms(measure: Measure) -> dict[str, Any]:
    return {
        "kind": measure.kind,
        "tier": measure.tier,
        "first": measure.first_day.isoformat(),
        "last": measure.last_day.isoformat(),
    }


def _record(act: Act, measure: Measure, key: SubjectKey, said: Mapping[str, Any]) -> None:
    """Append what was done to the history; all that it says of the client is under their key."""
    act.session.flush()
    inputs = [Input(key, canonical_bytes(said))]
    record(act, Entry(f"measure.{measure.state}", f"measure:{measure.id}", {}, inputs))
