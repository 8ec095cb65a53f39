"""The history as people read it: sentences, newest first, of whom and when they want to know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.models import (
    Activity,
    Client,
    Decision,
    Group,
    HistoryEntry,
    HistoryHead,
    HistoryInput,
    HookReceiver,
    Job,
    Key,
    Measure,
    Notice,
    Person,
    Subject,
)
from app.services.authority import KNOWING, ROLES, Actor, Permission
from app.services.clients import client_named
from app.services.errors import Invalid, NotActionable
from app.services.history import SubjectKey
from app.services.installation import fixed
from app.services.naming import CHANNELS, TierNames, job_said, measure_said
from app.services.people import require
from app.services.rows import among
from app.services.rulebook import Rulebook
from app.services.spreadsheet import csv_bytes
from app.services.verbs import SENTENCES, verbs_about
from app.words import Words
from rules.document import Problem
from rules.document.strict_json import loads
from rules.messages import Message
from rules.standing import MeasureKind
from rules.windows import DAY

PEOPLE = "people"
"""As an actor: whoever has an account here, and neither keys nor the service itself."""

AT_ONCE = 50
"""Entries on one page."""

MOST_EXPORTED = 100_000
"""Entries in one file; who wants more names the days."""

_OVERTAKEN = timedelta(hours=1)
"""How much later than one that follows it an entry may have begun: they stand as committed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: those that fit all that is given.

    ``what`` is a verb, or what verbs are about; ``actor`` and ``object`` are named as the history
    does; ``client`` is a reference; the days are the company's, both included.
    """

    what: str | None = None
    actor: str | None = None
    object: str | None = None
    client: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One entry as it is told; ``at`` is on the company's clocks.

    ``note`` is what somebody wrote with it; ``about`` is whom or what one may look at: the kind
    of thing and by which name to find it.
    """

    sequence: int
    at: datetime
    verb: str
    who: Message | str
    sentence: Message
    note: Message | str | None
    about: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; ``before`` is where the next page begins, None where none does."""

    entries: Sequence[Told]
    before: int | None


def read(
    session: Session, rulebook: Rulebook, actor: Actor, wanted: Wanted, before: int | None = None
) -> Page:
    """Return what happened, newest first.

    :param before: only entries before this sequence.
    :raises NotAllowed: to who may not read it; a version's own life is for all who may read the
        policy, a client's for all who may know why they are treated as they are.
    :raises NotThere: if there is no such client.
    :raises Invalid: if there is no such verb.
    """
    require(session, actor, *_permissions(wanted))
    found = _entries(session, wanted, before, AT_ONCE + 1)
    shown = found[:AT_ONCE]
    following = shown[-1].sequence if len(found) > AT_ONCE else None
    return Page(_told(session, rulebook, shown), following)


def export(
    session: Session, rulebook: Rulebook, actor: Actor, wanted: Wanted, words: Words
) -> bytes:
    """Return what happened as a table, newest first, for a spreadsheet.

    :raises NotActionable: if it is too much for one file.
    """
    require(session, actor, *_permissions(wanted))
    if _number(session, wanted, MOST_EXPORTED) >= MOST_EXPORTED:
        raise NotActionable(
            "These are %(most)d entries or more; name the days you want.", most=MOST_EXPORTED
        )
    header = ("Number", "Time", "Who", "Verb", "What happened", "Reason")
    titles = [words.say(Message(each)) for each in header]
    return csv_bytes(titles, _cells(session, rulebook, wanted, words))


def actors(session: Session) -> list[tuple[str, str]]:
    """Return everybody with an account, as the history names them and by name."""
    found = session.execute(select(Person.subject, Person.name).order_by(Person.name))
    return [(f"person:{subject}", name) for subject, name in found]


def systems(session: Session) -> list[tuple[str, str]]:
    """Return every key there ever was, as the history names it and by name."""
    found = session.execute(select(Key.id, Key.name).order_by(Key.name, Key.created_at))
    return [(f"key:{its}", name) for its, name in found]


def _cells(
    session: Session, rulebook: Rulebook, wanted: Wanted, words: Words
) -> Iterator[Sequence[str]]:
    before = None
    while found := _entries(session, wanted, before, 1000):
        for each in _told(session, rulebook, found):
            yield (
                str(each.sequence),
                each.at.isoformat(timespec="seconds"),
                words.say(each.who),
                each.verb,
                words.sentence(each.sentence),
                "" if each.note is None else words.say(each.note),
            )
        before = found[-1].sequence


def _permissions(wanted: Wanted) -> list[Permission]:
    found = [Permission.READ_HISTORY]
    if wanted.client is not None:
        found += KNOWING
    if wanted.object is not None and wanted.object.startswith("policy:"):
        found.append(Permission.READ_POLICY)
    return found


# -- which entries -----------------------------------------------------------------------------


def _entries(
    session: Session, wanted: Wanted, before: int | None, limit: int
) -> Sequence[HistoryEntry]:
    """Return entries, newest first.

    Those of each person, or of each verb, are looked for by themselves: each search walks one
    index from its end, where one for all of them would walk the whole history.
    """
    found = list[HistoryEntry]()
    for conditions in _searches(session, wanted):
        query = select(HistoryEntry).where(*conditions).order_by(HistoryEntry.sequence.desc())
        if before is not None:
            query = query.where(HistoryEntry.sequence < before)
        found += session.execute(query.limit(limit)).scalars()
    return sorted(found, key=lambda each: each.sequence, reverse=True)[:limit]


def _number(session: Session, wanted: Wanted, most: int) -> int:
    """Return how many entries there are; no more than so many are counted of each search."""
    number = 0
    for conditions in _searches(session, wanted):
        some = select(HistoryEntry.sequence).where(*conditions).limit(most).subquery()
        number += session.execute(select(func.count()).select_from(some)).scalar_one()
    return number


def _searches(session: Session, wanted: Wanted) -> Iterator[list[ColumnElement[bool]]]:
    """Yield the conditions of searches that find each entry once."""
    common = list(_conditions(session, wanted))
    verbs = None if wanted.what is None else _verbs(wanted.what)
    if wanted.actor == PEOPLE:
        of_verbs = [] if verbs is None else [HistoryEntry.verb.in_(verbs)]
        for name, _ in actors(session):
            yield [*common, *of_verbs, HistoryEntry.actor == name]
    elif verbs is not None:
        for verb in verbs:
            yield [*common, HistoryEntry.verb == verb]
    else:
        yield common


def _conditions(session: Session, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Yield what every search asks for."""
    if wanted.actor not in (None, PEOPLE):
        yield HistoryEntry.actor == wanted.actor
    if wanted.object is not None:
        yield HistoryEntry.object == wanted.object
    if wanted.client is not None:
        yield _about(session, client_named(session, wanted.client))
    yield from _days(session, wanted.first, wanted.last)


def _verbs(what: str) -> Collection[str]:
    verbs = (what,) if what in SENTENCES else verbs_about(what)
    if not verbs:
        raise Invalid([Problem("what", Message("is nothing that is recorded here"))])
    return verbs


_OF_MANY = ("clients.imported", "group.founded", "group.changed")
"""Verbs whose entries are about several clients, and told of only by what they say of each."""


def _about(session: Session, client: Client) -> ColumnElement[bool]:
    """Return the condition that an entry is about a client.

    What it is about is looked for, not whom it says something of: an index over that would be
    written at each decision, and read when somebody asks.
    """
    its = HistoryInput.sequence == HistoryEntry.sequence, HistoryInput.subject == client.subject
    of_many = select(HistoryEntry.sequence).where(
        HistoryEntry.verb.in_(_OF_MANY), select(HistoryInput.sequence).where(*its).exists()
    )
    own = select(HistoryEntry.sequence).where(
        among(session, HistoryEntry.object, _objects_of(session, client))
    )
    return HistoryEntry.sequence.in_(own.union_all(of_many))


def _objects_of(session: Session, client: Client) -> set[str]:
    """Return what there is of a client, as the history names it."""
    found = {f"client:{client.subject}"}
    for kind, column, of in (
        ("decision", Decision.id, Decision.client_id),
        ("measure", Measure.id, Measure.client_id),
        ("notice", Notice.id, Notice.client_id),
        ("notices", Notice.batch, Notice.client_id),
        ("activities", Activity.batch, Activity.client_id),
    ):
        names = session.execute(select(column).where(of == client.id).distinct()).scalars()
        found |= {f"{kind}:{each}" for each in names}
    return found


def _days(session: Session, first: date | None, last: date | None) -> Iterator[ColumnElement[bool]]:
    """Yield what keeps entries to some days.

    They stand in the order of their commits, which is that of the time but for those that ran
    side by side: so the sequence says roughly where to look, and the time says it exactly.
    """
    zone = ZoneInfo(fixed(session).time_zone)
    if first is not None:
        begins = datetime.combine(first, time(), zone)
        yield HistoryEntry.sequence >= _first_at(session, begins - _OVERTAKEN)
        yield HistoryEntry.at >= begins
    if last is not None and last < date.max:
        ends = datetime.combine(last + DAY, time(), zone)
        yield HistoryEntry.sequence < _first_at(session, ends + _OVERTAKEN)
        yield HistoryEntry.at < ends


def _first_at(session: Session, instant: datetime) -> int:
    """Return the sequence from which on entries were recorded at an instant or later."""
    low, high = 0, session.execute(select(HistoryHead.size)).scalar_one()
    while low < high:
        middle = (low + high) // 2
        its = select(HistoryEntry.at).where(HistoryEntry.sequence == middle)
        if session.execute(its).scalar_one() < instant:
            low = middle + 1
        else:
            high = middle
    return low


# -- how they are told -------------------------------------------------------------------------


def _told(session: Session, rulebook: Rulebook, entries: Sequence[HistoryEntry]) -> Sequence[Told]:
    zone = ZoneInfo(fixed(session).time_zone)
    objects = _Objects(session, rulebook, entries)
    said = _said(session, [each for each in entries if each.verb in _WITH_NOTES])
    found = []
    for each in entries:
        details = cast(dict[str, Any], loads(each.leaf))["details"]
        who = objects.actor(each.actor)
        params, about = objects.described(each)
        found.append(
            Told(
                each.sequence,
                each.at.astimezone(zone),
                each.verb,
                who,
                Message(
                    SENTENCES[each.verb],
                    **{**_UNKNOWN, **_detailed(details, zone), **params, "who": who},
                ),
                _note(each, details, said),
                about,
            )
        )
    return found


_WITH_NOTES = frozenset({"role.asked", "role.granted", *verbs_about("measure")})
"""Verbs whose reason is said of somebody, and so kept under their key."""

_ERASED = Message("What was written with it has been erased.")
_SOMEBODY = Message("somebody who is not known here any more")
_SOMETHING = Message("something that is not there any more")


def _said(session: Session, entries: Iterable[HistoryEntry]) -> dict[int, Any]:
    """Return what entries say of a person or a client, by sequence; None if it was erased."""
    objects = {each.sequence: each.object for each in entries}
    rows = session.execute(
        select(HistoryInput.sequence, HistoryInput.sealed, Subject)
        .outerjoin(Subject, Subject.id == HistoryInput.subject)
        .where(HistoryInput.sequence.in_(objects))
    )
    return {
        sequence: _opened(subject, sealed, objects[sequence]) for sequence, sealed, subject in rows
    }


def _opened(subject: Subject | None, sealed: bytes | None, about: str) -> Any:
    if subject is None or sealed is None:
        return None
    return loads(SubjectKey(subject.id, subject.key).open(sealed, about))


def _note(
    entry: HistoryEntry, details: Mapping[str, Any], said: Mapping[int, Any]
) -> Message | str | None:
    """Return what somebody wrote with an entry."""
    content = said.get(entry.sequence, details)
    if content is None:
        return _ERASED
    if entry.verb == "policy.held":
        return " ".join(content["because"])
    note = content.get("reason") or content.get("comment")
    return str(note) if note and entry.verb != "job.failed" else None


def _detailed(details: Mapping[str, Any], zone: ZoneInfo) -> dict[str, object]:
    """Return what goes into a sentence of an entry's own details."""
    found: dict[str, object] = {
        name: value for name, value in details.items() if isinstance(value, int | str)
    }
    if "role" in details:
        found["role"] = Message(ROLES[details["role"]])
    if "channel" in details:
        found["channel"] = Message(CHANNELS[details["channel"]])
    if "day" in details:
        found["day"] = date.fromisoformat(details["day"])
    if "policy" in details:
        found["version"] = details["policy"]["version"]
    if "for" in details:
        local = datetime.fromisoformat(details["for"]).astimezone(zone)
        found |= {"day": local.date(), "time": local.strftime("%H:%M")}
    return found


def named_client(reference: str, is_known: bool) -> Message:
    """Return how a client is named in a sentence."""
    if not is_known:
        return Message("a client who has been erased")
    return Message("client %(reference)s", reference=reference)


_Described = tuple[dict[str, object], tuple[str, str] | None]
"""What goes into a sentence about an object, and where one may look at it."""


class _Objects:
    """What the entries of a page are about, and who acted, each kind read at once."""

    def __init__(
        self, session: Session, rulebook: Rulebook, entries: Sequence[HistoryEntry]
    ) -> None:
        self._session, self._tiers = session, TierNames(session, rulebook)
        ids: dict[str, set[str]] = {}
        for name in {each for one in entries for each in (one.actor, one.object)}:
            kind, _, its = name.partition(":")
            ids.setdefault(kind, set()).add(its)
        self._people = self._names(Person.subject, Person.name, ids.get("person"))
        self._keys = self._names(Key.id, Key.name, ids.get("key"))
        self._described: dict[str, dict[str, _Described]] = {
            kind: describe(self, wanted)
            for kind, describe in _KINDS.items()
            if (wanted := ids.get(kind))
        }

    def actor(self, name: str) -> Message | str:
        kind, _, its = name.partition(":")
        match kind:
            case "person":
                return self._people.get(its, _SOMEBODY)
            case "key":
                return Message("the key “%(key)s”", key=self._keys.get(its, its))
            case _:
                return Message("the service")

    def described(self, entry: HistoryEntry) -> _Described:
        kind, _, its = entry.object.partition(":")
        match kind:
            case "person":
                return {"person": self._people.get(its, _SOMEBODY)}, None
            case "key":
                return {"key": self._keys.get(its, its)}, None
            case "policy":
                return {"version": int(its)}, ("policy", its)
        return self._described.get(kind, {}).get(its, ({}, None))

    def _names(self, column: Any, name: Any, wanted: Collection[Any] | None) -> dict[Any, str]:
        rows = self._session.execute(select(column, name).where(column.in_(wanted or ())))
        return {key: called for key, called in rows}  # noqa: C416 - rows are tuples

    def clients(self, subjects: Collection[str]) -> dict[str, _Described]:
        rows = self._session.execute(
            select(Client.subject, Client.reference, Subject.id)
            .outerjoin(Subject, Subject.id == Client.subject)
            .where(Client.subject.in_(subjects))
        )
        return {each[0]: _of_client(*each[1:]) for each in rows}

    def decisions(self, ids: Collection[str]) -> dict[str, _Described]:
        rows = self._session.execute(
            select(Decision, Client.reference, Subject.id)
            .join(Client, Client.id == Decision.client_id)
            .outerjoin(Subject, Subject.id == Client.subject)
            .where(Decision.id.in_(ids))
        )
        found = {}
        for decision, reference, subject in rows:
            params, about = _of_client(reference, subject)
            version = decision.policy_version
            tier = self._tiers.name(decision.tier, version)
            also = {"version": version, "tier": tier, "day": decision.day}
            found[decision.id] = {**params, **also}, about
        return found

    def measures(self, numbers: Collection[str]) -> dict[str, _Described]:
        rows = self._session.execute(
            select(Measure, Client.reference, Subject.id)
            .join(Client, Client.id == Measure.client_id)
            .outerjoin(Subject, Subject.id == Client.subject)
            .where(Measure.id.in_(map(int, numbers)))
        )
        found = {}
        for measure, reference, subject in rows:
            params, about = _of_client(reference, subject)
            tier = measure.tier and self._tiers.name(measure.tier)
            also = {
                "what": measure_said(cast(MeasureKind, measure.kind), tier),
                "first": measure.first_day,
                "last": measure.last_day,
            }
            found[str(measure.id)] = {**params, **also}, about
        return found

    def notices(self, numbers: Collection[str]) -> dict[str, _Described]:
        rows = self._session.execute(
            select(Notice.id, Client.reference, Subject.id)
            .join(Client, Client.id == Notice.client_id)
            .outerjoin(Subject, Subject.id == Client.subject)
            .where(Notice.id.in_(map(int, numbers)))
        )
        return {
            str(number): (_of_client(reference, subject)[0], ("notice", str(number)))
            for number, reference, subject in rows
        }

    def groups(self, subjects: Collection[str]) -> dict[str, _Described]:
        found = self._names(Group.subject, Group.reference, subjects)
        return {its: ({"group": name}, None) for its, name in found.items()}

    def jobs(self, numbers: Collection[str]) -> dict[str, _Described]:
        found = self._names(Job.id, Job.key, [int(each) for each in numbers])
        return {str(number): ({"job": job_said(key)}, None) for number, key in found.items()}

    def hooks(self, ids: Collection[str]) -> dict[str, _Described]:
        found = self._names(HookReceiver.id, HookReceiver.url, ids)
        return {its: ({"receiver": url}, None) for its, url in found.items()}


_KINDS = {
    "client": _Objects.clients,
    "decision": _Objects.decisions,
    "measure": _Objects.measures,
    "notice": _Objects.notices,
    "group": _Objects.groups,
    "job": _Objects.jobs,
    "hook": _Objects.hooks,
}

_UNKNOWN: dict[str, object] = {
    "client": named_client("", is_known=False),
    **dict.fromkeys(("tier", "what", "group", "job", "receiver"), _SOMETHING),
    **dict.fromkeys(("first", "last"), "–"),
}
"""What goes into a sentence about an object that is not there any more."""


def _of_client(reference: str, subject: str | None) -> _Described:
    is_known = subject is not None
    about = ("client", reference) if is_known else None
    return {"client": named_client(reference, is_known)}, about
