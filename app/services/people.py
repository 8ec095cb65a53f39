"""Accounts, and the roles that two administrators give together."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.orm import Session

from app.database import Database
from app.models import HistoryHead, Installation, Person, RoleGrant, Subject
from app.services import browsers
from app.services.authority import RULING, SECONDED, SYSTEM, Actor, Permission, Role
from app.services.errors import Conflict, Invalid, NotActionable, NotAllowed, NotThere
from app.services.history import Act, Entry, Input, SubjectKey, add_subjects, record
from app.services.installation import lock
from app.services.limits import count_failure, forget_failures, require_few
from app.services.texts import require_reason, text_problems
from rules.document import Problem
from rules.document.strict_json import canonical_bytes
from rules.messages import Message

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_LONGEST = 200
SHORTEST_PASSWORD = 12
"""Characters in a password of one's own choice."""

_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe())
"""Verified against where there is no such account, so that both take as long."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who is to have an account."""

    email: str
    name: str


def set_up(
    session: Session, installation: Installation, first: NewPerson, second: NewPerson
) -> tuple[str, str]:
    """Fix what is fixed once, and make the first two administrators; return their passwords.

    It is the only way to an account without an administrator, so only an empty database takes
    it, and the history begins with it.

    :raises NotActionable: if there is anything already.
    :raises Invalid: if the two are one, or not properly named.
    """
    began = session.execute(select(HistoryHead.size).with_for_update()).scalar_one()
    if began or session.get(Installation, 1) is not None:
        raise NotActionable("This database is set up already; administrators add accounts.")
    if first.email.casefold() == second.email.casefold():
        message = Message("must be another's: the two administrators watch over each other")
        raise Invalid([Problem("second administrator", message)])
    session.add(installation)
    passwords, entries = [], []
    for each in (first, second):
        person, password, subject = _new(session, each, installation.created_at)
        session.add(
            RoleGrant(
                person_id=person.id,
                role=Role.ADMINISTRATOR,
                reason="set-up",
                asked_at=installation.created_at,
                granted_at=installation.created_at,
            )
        )
        passwords.append(password)
        entries += [
            _told("person.added", person, subject, {"email": person.email, "name": person.name}),
            Entry("role.granted", f"person:{person.subject}", {"role": Role.ADMINISTRATOR}),
        ]
    fixed = Entry(
        "installation.set_up",
        "installation:1",
        {
            "currency": installation.currency,
            "time_zone": installation.time_zone,
            "language": installation.language,
            "demo": installation.demo,
        },
    )
    record(Act(session, SYSTEM, installation.created_at), fixed, *entries)
    return passwords[0], passwords[1]


def add_person(act: Act, new: NewPerson) -> str:
    """Open an account without any role and return its first password.

    :raises Conflict: if the address has one already.
    """
    _administrator(act)
    if _find(act.session, new.email) is not None:
        raise Conflict("There is an account for %(email)s already.", email=new.email)
    person, password, subject = _new(act.session, new, act.at)
    told = {"email": person.email, "name": person.name}
    record(act, _told("person.added", person, subject, told))
    return password


def ask_role(act: Act, email: str, role: Role, reason: str) -> bool:
    """Give somebody a role; return whether it is theirs now or has to be granted by another.

    :raises Conflict: if they have it, or it was asked for already.
    :raises NotAllowed: if it would let one person both make accounts and make rules.
    """
    asker = _administrator(act)
    person = find_person(act.session, email)
    require_reason("reason", reason)
    for grant in _open_grants(act.session, person.id):
        if grant.role == role:
            raise Conflict("%(email)s has this role, or it was asked for already.", email=email)
        if {Role(grant.role), role} & RULING and Role.ADMINISTRATOR in (grant.role, role):
            raise NotAllowed("Who makes accounts makes no rules: end the other role first.")
    at_once = role not in SECONDED
    act.session.add(
        RoleGrant(
            person_id=person.id,
            role=role,
            reason=reason,
            asked_by=asker,
            asked_at=act.at,
            granted_by=asker if at_once else None,
            granted_at=act.at if at_once else None,
        )
    )
    verb = "role.granted" if at_once else "role.asked"
    said = [Input(_key_of(act.session, person), canonical_bytes({"reason": reason}))]
    record(act, Entry(verb, f"person:{person.subject}", {"role": role}, said))
    return at_once


def grant_role(act: Act, email: str, role: Role) -> None:
    """Grant a role that another administrator asked for.

    :raises NotActionable: if nobody did.
    :raises NotAllowed: to who asked for it, and to whose it would be.
    """
    granter = _administrator(act)
    person = find_person(act.session, email)
    grant = _open_grant(act.session, person.id, role)
    if grant is None or grant.granted_at is not None:
        raise NotActionable("Nobody has asked for this role for %(email)s.", email=email)
    if granter in (grant.asked_by, person.id):
        raise NotAllowed("Another administrator has to grant this.")
    grant.granted_by, grant.granted_at = granter, act.at
    entry = Entry("role.granted", f"person:{person.subject}", {"role": role})
    record(act, entry)


def end_role(act: Act, email: str, role: Role) -> None:
    """Take a role from somebody, or an asking for it back.

    :raises NotActionable: if they do not have it, or too few administrators would be left.
    """
    ender = _administrator(act)
    person = find_person(act.session, email)
    grant = _open_grant(act.session, person.id, role)
    if grant is None:
        raise NotActionable("%(email)s does not have this role.", email=email)
    if grant.granted_at is not None and role is Role.ADMINISTRATOR:
        _require_more_administrators(act.session)
    grant.ended_by, grant.ended_at = ender, act.at
    record(act, Entry("role.ended", f"person:{person.subject}", {"role": role}))


def new_password(act: Act, email: str) -> str:
    """Give somebody else's account a new password and return it.

    Whoever does so could act as them, so the roles that take two administrators to give are
    asked for anew: another has to grant them.  Their authenticator is forgotten, and wherever they
    are signed in ends.

    :raises NotActionable: if too few administrators would be left.
    :raises NotAllowed: for one's own, which one chooses.
    """
    administrator = _administrator(act)
    person, password = find_person(act.session, email), secrets.token_urlsafe(12)
    if person.id == administrator:
        raise NotAllowed("Your own password you choose yourself.")
    seconded = [
        each
        for each in _open_grants(act.session, person.id)
        if each.role in SECONDED and each.granted_at is not None
    ]
    if any(each.role == Role.ADMINISTRATOR for each in seconded) and person.active:
        _require_more_administrators(act.session)
    for each in seconded:
        each.ended_by, each.ended_at = administrator, act.at
    act.session.flush()  # before they are asked for again: only one may be open
    act.session.add_all(
        RoleGrant(
            person_id=person.id,
            role=each.role,
            reason=each.reason,
            asked_by=administrator,
            asked_at=act.at,
        )
        for each in seconded
    )
    person.password_hash = _hash(password)
    person.totp_secret = person.totp_counter = None
    browsers.end_all(act.session, person.id)
    details = {"asked_anew": sorted(each.role for each in seconded)}
    record(act, Entry("person.password_reset", f"person:{person.subject}", details))
    return password


def show_public_page(act: Act, shown: bool) -> None:
    """Have the page that needs no account shown, or hidden.

    :raises Conflict: if it is so already.
    """
    _administrator(act)
    installation = act.session.get_one(Installation, 1)
    if installation.public_page is shown:
        if shown:
            raise Conflict("The public page is shown already.")
        raise Conflict("The public page is hidden already.")
    installation.public_page = shown
    act.session.flush()
    verb = "installation.page_shown" if shown else "installation.page_hidden"
    record(act, Entry(verb, "installation:1"))


def choose_password(act: Act, password: str) -> None:
    """Change one's own password, which ends wherever one is signed in.

    :raises Invalid: if it is too short.
    """
    person = _acting(act.session, act.actor)
    if len(password) < SHORTEST_PASSWORD:
        message = Message("must be at least %(n)d characters long", n=SHORTEST_PASSWORD)
        raise Invalid([Problem("password", message)])
    person.password_hash = _hash(password)
    browsers.end_all(act.session, person.id)
    record(act, Entry("person.password_chosen", f"person:{person.subject}"))


def use_authenticator(act: Act, sealed_secret: str | None) -> None:
    """Have an authenticator's codes asked for whenever one signs in; None for no more."""
    person = _acting(act.session, act.actor)
    person.totp_secret = sealed_secret
    verb = "person.authenticator_ended" if sealed_secret is None else "person.authenticator_added"
    record(act, Entry(verb, f"person:{person.subject}"))


def note_code(session: Session, person_id: int, counter: int) -> bool:
    """Note that an authenticator's code was used; tell whether it, and later ones, never were."""
    changed = session.execute(
        update(Person)
        .where(
            Person.id == person_id,
            or_(Person.totp_counter.is_(None), Person.totp_counter < counter),
        )
        .values(totp_counter=counter)
    )
    return isinstance(changed, CursorResult) and changed.rowcount == 1


def require(session: Session, actor: Actor, *permissions: Permission) -> int:
    """Return the id of who acts, if one of the roles they have now gives one of these permissions.

    What they had when they signed in may have been ended since.

    :raises NotAllowed: if none does.
    """
    actor.require(*permissions)
    return actor_for(session, _acting(session, actor)).require(*permissions)


def sign_in(database: Database, email: str, password: str, now: datetime) -> Actor:
    """Return who this is, if the password is theirs.

    :raises NotAllowed: if it is not, without saying what was wrong.
    :raises TooMany: after too many failures for this address.
    """
    place = f"sign-in:{sha256(_bytes(email.casefold())).hexdigest()}"
    with database.reading() as session:
        require_few(session, place, now)
        person = _find(session, email)
        found = None if person is None or not person.active else actor_for(session, person)
    if _fits(_NOBODY if person is None else person.password_hash, password) and found is not None:
        with database.writing() as session:
            forget_failures(session, place)
        return found
    with database.writing() as session:
        count_failure(session, place, now)
    raise NotAllowed("There is no such account, or this is not its password.")


def actor_for(session: Session, person: Person) -> Actor:
    """Return a person with the roles they have now; none once their account is closed."""
    grants = _open_grants(session, person.id) if person.active else ()
    roles = frozenset(Role(each.role) for each in grants if each.granted_at is not None)
    return Actor(f"person:{person.subject}", person.id, roles)


def person_with(session: Session, subject: str | None, email: str | None) -> Person | None:
    """Return who the history calls by this subject, or else whose address this is."""
    if subject is not None:
        return session.execute(select(Person).where(Person.subject == subject)).scalar_one_or_none()
    return None if email is None else _find(session, email)


def find_person(session: Session, email: str) -> Person:
    """Return whose account it is.

    :raises NotThere: if nobody's.
    """
    person = _find(session, email)
    if person is None:
        raise NotThere("There is no account for %(email)s.", email=email)
    return person


def people(session: Session) -> Sequence[tuple[Person, Sequence[RoleGrant]]]:
    """Return all accounts by address, each with the roles it has or that were asked for."""
    found = session.execute(select(Person).order_by(Person.email)).scalars()
    return [(each, _open_grants(session, each.id)) for each in found]


def _new(session: Session, new: NewPerson, now: datetime) -> tuple[Person, str, SubjectKey]:
    _require_fit(new)
    subject, password = SubjectKey.new(), secrets.token_urlsafe(12)
    add_subjects(session, [subject])
    person = Person(
        subject=subject.id,
        email=new.email.casefold(),
        name=new.name,
        password_hash=_hash(password),
        active=True,
        created_at=now,
    )
    session.add(person)
    session.flush()
    return person, password, subject


def _require_fit(new: NewPerson) -> None:
    problems = list(text_problems("name", new.name, _LONGEST))
    if not _is_address(new.email):
        problems.append(Problem("email", Message("must be an address such as anna@example.com")))
    if problems:
        raise Invalid(problems)


def _told(verb: str, person: Person, subject: SubjectKey, told: Mapping[str, Any]) -> Entry:
    return Entry(verb, f"person:{person.subject}", {}, [Input(subject, canonical_bytes(told))])


def _find(session: Session, email: str) -> Person | None:
    if not _is_address(email):
        return None
    return session.execute(
        select(Person).where(Person.email == email.casefold())
    ).scalar_one_or_none()


def _is_address(email: str) -> bool:
    fits = _EMAIL.fullmatch(email) is not None and email.isprintable()
    return fits and len(email.casefold()) <= _LONGEST


def _key_of(session: Session, person: Person) -> SubjectKey:
    found = session.get_one(Subject, person.subject)
    return SubjectKey(found.id, found.key)


def _administrator(act: Act) -> int:
    """Return who manages accounts, one after the other: each sees what the last one did.

    :raises NotAllowed: to who may not.
    """
    act.actor.require(Permission.MANAGE_ACCOUNTS)
    lock(act.session)
    return require(act.session, act.actor, Permission.MANAGE_ACCOUNTS)


def _acting(session: Session, actor: Actor) -> Person:
    """Return who acts, as they are now.

    :raises NotAllowed: if it is no person, or their account was closed.
    """
    person = None if actor.person_id is None else session.get(Person, actor.person_id)
    if person is None or not person.active:
        raise NotAllowed("This takes a person whose account is open.")
    return person


def _open_grant(session: Session, person_id: int, role: Role) -> RoleGrant | None:
    return next((each for each in _open_grants(session, person_id) if each.role == role), None)


def _open_grants(session: Session, person_id: int) -> Sequence[RoleGrant]:
    return (
        session.execute(
            select(RoleGrant)
            .where(RoleGrant.person_id == person_id, RoleGrant.ended_at.is_(None))
            .order_by(RoleGrant.id)
        )
        .scalars()
        .all()
    )


def _require_more_administrators(session: Session) -> None:
    """Refuse to do without one of the last two.

    :raises NotActionable: if there are no more.
    """
    number = session.execute(
        select(func.count())
        .select_from(RoleGrant)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.role == Role.ADMINISTRATOR,
            RoleGrant.granted_at.is_not(None),
            RoleGrant.ended_at.is_(None),
            Person.active,
        )
    ).scalar_one()
    if number <= 2:
        raise NotActionable("Two administrators have to remain, to watch over each other.")


def _hash(password: str) -> str:
    return _hasher.hash(_bytes(password))


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, _bytes(password))
    except VerifyMismatchError:
        return False


def _bytes(text: str) -> bytes:
    """Return what was typed as bytes, whatever it was."""
    return text.encode(errors="surrogatepass")
