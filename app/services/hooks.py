"""Web hooks: receivers are told of every standing that changed, at least once and in order.

What is to be told is written in the transaction of the decisions it is about (an outbox), once for
each receiver.  It is sent later, outside transactions, by :mod:`app.services.courier`.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from random import SystemRandom
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from cryptography.exceptions import InvalidTag
from sqlalchemy import CursorResult, Select, delete, exists, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from app.models import HookDelivery, HookMessage, HookReceiver
from app.services.authority import Permission
from app.services.changes import Change, events_written, standing_written
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.history import Act, Entry, random_id, record
from app.services.keys import LONGEST, Secret
from app.services.people import require
from app.services.rows import insert_rows
from app.services.sending import SECRET_PREFIX, Answer, Letter, NotSent
from rules.document import Problem
from rules.document.strict_json import dumps
from rules.messages import Message

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""How long after each failure a message is sent again; after one more it is given up."""

LONGEST_WAIT = timedelta(hours=24)
"""How long a receiver may wish to be left in peace."""

KEPT = timedelta(days=30)
"""How long messages are kept that nobody waits for any more."""

_JITTER = 0.1
"""The part of a delay that is added at random, lest all that failed together come together."""

_URL = re.compile(r"https?://[!-~]+")
_LONGEST_URL = 2000
_SECRET_BYTES = 32
_GONE = 410
_random = SystemRandom()
_WAITING = literal("waiting", literal_execute=True)
"""Written out in statements: else the indexes of what waits could not be used."""

Outcome = Literal["delivered", "failed", "given_up", "lost"]
"""What became of an attempt; it is *lost* where somebody else has taken the message since."""


class SecretUnreadable(NotSent):
    """What would sign the message was encrypted with another secret of the installation."""


# -- receivers ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A receiver's new secret: ``text`` is shown once and stored only encrypted."""

    receiver: str
    text: str


def add_receiver(act: Act, secret: Secret, url: str) -> NewSecret:
    """Have an address told from now on.

    :raises Invalid: if it is no address that anything can be sent to.
    """
    person = require(act.session, act.actor, Permission.MANAGE_ACCOUNTS)
    if problems := list(url_problems(url)):
        raise Invalid(problems)
    new = NewSecret(secrets.token_hex(6), _new_secret())
    act.session.add(
        HookReceiver(
            id=new.receiver,
            url=url,
            state="active",
            secret=_sealed(secret, new),
            created_by=person,
            created_at=act.at,
        )
    )
    _record(act, "hook.added", new.receiver, host=urlsplit(url).netloc)
    return new


def rotate_secret(act: Act, secret: Secret, receiver_id: str, overlap: timedelta) -> NewSecret:
    """Give a receiver a new secret; the old one signs beside it for the overlap.

    :raises Invalid: for an overlap that is none.
    :raises NotActionable: if two sign already, and both would have to go on.
    """
    receiver = _administered(act, receiver_id)
    if not timedelta(0) <= overlap <= LONGEST:
        message = Message("must be 0 to %(most)d days", most=LONGEST.days)
        raise Invalid([Problem("overlap", message)])
    if overlap and has_two_secrets(receiver, act.at):
        raise NotActionable("Two secrets sign already; wait, or rotate without an overlap.")
    new = NewSecret(receiver_id, _new_secret())
    receiver.former_secret = receiver.secret if overlap else None
    receiver.former_until = act.at + overlap if overlap else None
    receiver.secret = _sealed(secret, new)
    until = receiver.former_until and receiver.former_until.isoformat()
    _record(act, "hook.rotated", receiver_id, former_until=until)
    return new


def disable_receiver(act: Act, receiver_id: str) -> None:
    """Send a receiver nothing more until it is enabled again; what waits for it goes on waiting.

    :raises NotActionable: if it is disabled already.
    """
    _switch(act, receiver_id, "disabled")
    _record(act, "hook.disabled", receiver_id)


def enable_receiver(act: Act, receiver_id: str) -> None:
    """Send a receiver again what waits for it and what comes.

    :raises NotActionable: if it is not disabled.
    """
    _switch(act, receiver_id, "active")
    _record(act, "hook.enabled", receiver_id)


def remove_receiver(act: Act, receiver_id: str) -> None:
    """Forget a receiver and all that waits for it."""
    act.session.delete(_administered(act, receiver_id))
    act.session.flush()
    _record(act, "hook.removed", receiver_id)


def retry(act: Act, receiver_id: str) -> int:
    """Have all that was given up or waits for a receiver sent at once, as if it never had been.

    :return: how many messages.
    """
    _administered(act, receiver_id)
    changed = act.session.execute(
        update(HookDelivery)
        .where(
            HookDelivery.receiver_id == receiver_id,
            HookDelivery.state.in_(("waiting", "given_up")),
        )
        .values(state="waiting", due_at=act.at, attempts=0, ended_at=None)
        .execution_options(synchronize_session=False)
    )
    number = _number(changed)
    _record(act, "hook.retried", receiver_id, messages=number)
    return number


def ping(act: Act, secret: Secret, receiver_id: str) -> Letter:
    """Return a message that says nothing, to try a receiver with; it is not kept."""
    receiver = _administered(act, receiver_id)
    _record(act, "hook.tested", receiver_id)
    body = {"type": "ping", "timestamp": act.at.isoformat(), "data": {}}
    signing = _secrets(secret, receiver, act.at)
    return Letter(_message_id(), receiver.url, signing, dumps(body).encode())


def has_two_secrets(receiver: HookReceiver, now: datetime) -> bool:
    """Tell whether the former secret signs still."""
    return receiver.former_until is not None and now < receiver.former_until


@dataclass(frozen=True, slots=True)
class Listed:
    """A receiver, and how many messages are in which state; ``oldest`` of those that wait."""

    receiver: HookReceiver
    numbers: Mapping[str, int]
    oldest: datetime | None


def receivers(session: Session) -> Sequence[Listed]:
    """Return all receivers, the oldest first."""
    numbers: dict[str, dict[str, int]] = {}
    states = (HookDelivery.receiver_id, HookDelivery.state)
    for each, state, number in session.execute(select(*states, func.count()).group_by(*states)):
        numbers.setdefault(each, {})[state] = number
    waiting = (
        select(HookDelivery.receiver_id, func.min(HookMessage.created_at))
        .join(HookMessage)
        .where(HookDelivery.state == _WAITING)
        .group_by(HookDelivery.receiver_id)
    )
    oldest = {each[0]: each[1] for each in session.execute(waiting)}
    found = select(HookReceiver).order_by(HookReceiver.created_at, HookReceiver.id)
    return [
        Listed(each, numbers.get(each.id, {}), oldest.get(each.id))
        for each in session.execute(found).scalars()
    ]


def deliveries(session: Session, receiver_id: str, limit: int) -> Sequence[HookDelivery]:
    """Return what was to be sent to a receiver, the newest first.

    :raises NotThere: if there is no such receiver.
    """
    _there(receiver_id, session.get(HookReceiver, receiver_id))
    found = (
        select(HookDelivery)
        .where(HookDelivery.receiver_id == receiver_id)
        .order_by(HookDelivery.id.desc())
        .limit(limit)
    )
    return session.execute(found).scalars().all()


def url_problems(url: str) -> Iterator[Problem]:
    """Say what is wrong with the address of a receiver, if anything is."""
    parts = _parts(url)
    if parts is None:
        yield Problem("url", Message("must be an address such as https://example.com/merit"))
    elif parts.username is not None or parts.fragment:
        yield Problem("url", Message("must have neither a user's name nor a fragment"))
    if len(url) > _LONGEST_URL:
        message = Message("must be at most %(n)d characters long", n=_LONGEST_URL)
        yield Problem("url", message)


def _parts(url: str) -> SplitResult | None:
    """Return the parts of an address; None if it cannot be one."""
    if not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:  # of the port, or of brackets
        return None


def _new_secret() -> str:
    return SECRET_PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _message_id() -> str:
    return f"msg_{random_id()}"


def _object(receiver_id: str) -> str:
    return f"hook:{receiver_id}"


def _record(act: Act, verb: str, receiver_id: str, **details: Any) -> None:
    record(act, Entry(verb, _object(receiver_id), details))


def _sealed(secret: Secret, new: NewSecret) -> bytes:
    return secret.sealing.seal(new.text.encode(), _object(new.receiver))


def _secrets(secret: Secret, receiver: HookReceiver, now: datetime) -> tuple[str, ...]:
    """Return what signs for a receiver, the newest first.

    :raises SecretUnreadable: if the installation's secret is another one now.
    """
    found = [receiver.secret]
    if receiver.former_secret is not None and has_two_secrets(receiver, now):
        found.append(receiver.former_secret)
    try:
        return tuple(secret.sealing.open(each, _object(receiver.id)).decode() for each in found)
    except InvalidTag as error:
        raise SecretUnreadable(
            Message(
                "The installation's secret is not the one with which this receiver was added; "
                "rotate the receiver's without an overlap."
            )
        ) from error


def _administered(act: Act, receiver_id: str) -> HookReceiver:
    require(act.session, act.actor, Permission.MANAGE_ACCOUNTS)
    return _there(receiver_id, act.session.get(HookReceiver, receiver_id, with_for_update=True))


def _there(receiver_id: str, receiver: HookReceiver | None) -> HookReceiver:
    if receiver is None:
        raise NotThere("There is no receiver %(id)s.", id=receiver_id)
    return receiver


def _switch(act: Act, receiver_id: str, state: str) -> None:
    receiver = _administered(act, receiver_id)
    if receiver.state == state:
        raise NotActionable("This receiver is in that state already.")
    receiver.state = state


# -- what there is to tell -----------------------------------------------------------------------


def announce(act: Act, changes: Sequence[Change]) -> int:
    """Write what is to be told of these changes, in the transaction that makes them.

    Nothing is written of a change without events, nor where nobody listens.

    :return: of how many changes there is something to tell.
    """
    told = [each for each in changes if each.events]
    if not told:
        return 0
    listening = (
        act.session.execute(
            select(HookReceiver.id)
            .where(HookReceiver.state == "active")
            .with_for_update(read=True, key_share=True)  # none is removed meanwhile
        )
        .scalars()
        .all()
    )
    if not listening:
        return 0
    messages = [(_message_id(), each.subject, _payload(each, act.at), act.at) for each in told]
    insert_rows(act.session, HookMessage, ("id", "subject", "payload", "created_at"), messages)
    rows = [
        (message, receiver, subject, "waiting", act.at, 0, 0)
        for message, subject, *_ in messages
        for receiver in listening
    ]
    insert_rows(act.session, HookDelivery, _NEW, rows)
    return len(told)


_NEW = ("message_id", "receiver_id", "subject", "state", "due_at", "fence", "attempts")


def _payload(change: Change, at: datetime) -> bytes:
    """Write what is told of a change: by reference, without names or a client's figures."""
    policy = change.in_force.policy
    return dumps(
        {
            "type": "standing.changed",
            "timestamp": at.isoformat(),
            "data": {
                "client": change.reference,
                "date": change.day.isoformat(),
                "issued": change.issued.isoformat(),
                "decision": change.decision,
                "events": events_written(change.events),
                **standing_written(policy, change.standing, change.measures, change.older),
                "policy": {"version": change.in_force.number, "digest": policy.digest},
            },
        }
    ).encode()


def forget(act: Act, limit: int) -> int:
    """Delete messages that are old, and that no receiver waits for any more."""
    waiting = exists().where(
        HookDelivery.message_id == HookMessage.id, HookDelivery.state == _WAITING
    )
    old = (
        select(HookMessage.id)
        .where(HookMessage.created_at < act.at - KEPT, ~waiting)
        .order_by(HookMessage.created_at)
        .limit(limit)
    )
    found = act.session.execute(old).scalars().all()
    act.session.execute(delete(HookMessage).where(HookMessage.id.in_(found)))
    return len(found)


# -- what is on its way ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """A message that may be sent now: nothing earlier about the same client waits."""

    id: int
    receiver: str
    fence: int
    failures: int
    letter: Letter | SecretUnreadable


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a message that was sent."""

    due: Due
    result: Answer | NotSent


def due(
    session: Session, secret: Secret, now: datetime, most: int, busy: Mapping[str, int]
) -> list[Due]:
    """Return what may be sent now, at most so many messages to each receiver at once.

    Those come first to whose receiver the fewest are being sent: slow ones hold up only themselves.

    :param busy: how many messages each receiver is being sent already.
    """
    active = select(HookReceiver).where(HookReceiver.state == "active")
    found: list[tuple[int, Due]] = []
    for receiver in session.execute(active).scalars():
        sending = busy.get(receiver.id, 0)
        rows = session.execute(_due_for(receiver.id, now, most - sending)).all()
        if rows:
            signing = _signing(secret, receiver, now)
            for place, each in enumerate(rows, sending):
                letter = _letter(each, receiver.url, signing)
                message = Due(each.id, receiver.id, each.fence, each.attempts, letter)
                found.append((place, message))
    return [each for _, each in sorted(found, key=itemgetter(0))]


def _due_for(receiver_id: str, now: datetime, limit: int) -> Select[int, str, int, int, bytes]:
    earlier = aliased(HookDelivery)
    is_behind = exists().where(
        earlier.receiver_id == receiver_id,
        earlier.subject == HookDelivery.subject,
        earlier.state == _WAITING,
        earlier.id < HookDelivery.id,
    )
    return (
        select(
            HookDelivery.id,
            HookDelivery.message_id,
            HookDelivery.fence,
            HookDelivery.attempts,
            HookMessage.payload,
        )
        .join(HookMessage, HookMessage.id == HookDelivery.message_id)
        .where(
            HookDelivery.receiver_id == receiver_id,
            HookDelivery.state == _WAITING,
            HookDelivery.due_at <= now,
            ~is_behind,
        )
        .order_by(HookDelivery.due_at, HookDelivery.id)
        .limit(max(0, limit))
    )


def _signing(
    secret: Secret, receiver: HookReceiver, now: datetime
) -> tuple[str, ...] | SecretUnreadable:
    try:
        return _secrets(secret, receiver, now)
    except SecretUnreadable as error:
        return error


def _letter(
    row: Any, url: str, signing: tuple[str, ...] | SecretUnreadable
) -> Letter | SecretUnreadable:
    if isinstance(signing, SecretUnreadable):
        return signing
    return Letter(row.message_id, url, signing, row.payload)


def claim(act: Act, wanted: Collection[Due], lease: timedelta) -> list[Due]:
    """Take messages to send them; return those that nobody else took first.

    If nobody settles them, they are due again when the lease is over.
    """
    ids = select(HookDelivery.id).where(
        HookDelivery.id.in_([each.id for each in wanted]),
        HookDelivery.state == _WAITING,
        HookDelivery.due_at <= act.at,
    )
    free = act.session.execute(
        ids.order_by(HookDelivery.id).with_for_update(skip_locked=True)
    ).scalars()
    taken = act.session.execute(
        update(HookDelivery)
        .where(HookDelivery.id.in_(free.all()))
        .values(due_at=act.at + lease, fence=HookDelivery.fence + 1)
        .returning(HookDelivery.id, HookDelivery.fence)
        .execution_options(synchronize_session=False)
    )
    fences = {each.id: each.fence for each in taken}
    return [replace(each, fence=fences[each.id]) for each in wanted if each.id in fences]


def settle(act: Act, settled: Collection[Settled]) -> list[Outcome]:
    """Note what became of messages that were sent.

    A receiver that says it is gone for good is disabled.
    """
    outcomes = [_settle(act, each) for each in settled]
    gone = {each.due.receiver for each in settled if _status(each.result) == _GONE}
    for receiver_id in sorted(gone):
        receiver = act.session.get(HookReceiver, receiver_id, with_for_update=True)
        if receiver is not None and receiver.state == "active":
            receiver.state = "disabled"
            act.session.flush()
            _record(act, "hook.disabled", receiver_id, status=_GONE)
    return outcomes


def _settle(act: Act, settled: Settled) -> Outcome:
    due, result = settled.due, settled.result
    outcome, when = _next(result, due.failures, act.at)
    changed = act.session.execute(
        update(HookDelivery)
        .where(
            HookDelivery.id == due.id,
            HookDelivery.fence == due.fence,
            HookDelivery.state == _WAITING,
        )
        .values(
            state="waiting" if outcome == "failed" else outcome,
            attempts=due.failures + 1,
            status=_status(result),
            error=str(result.message) if isinstance(result, NotSent) else None,
            **when,
        )
        .execution_options(synchronize_session=False)
    )
    return outcome if _number(changed) else "lost"


def _next(
    result: Answer | NotSent, failures: int, now: datetime
) -> tuple[Outcome, Mapping[str, datetime]]:
    """Return what an attempt came to, and when the message is sent again or was done with."""
    if isinstance(result, Answer) and result.is_good:
        return "delivered", {"ended_at": now}
    if failures >= len(DELAYS):
        return "given_up", {"ended_at": now}
    asked = result.wait if isinstance(result, Answer) else None
    delay = DELAYS[failures] * (1 + _random.uniform(0, _JITTER))
    return "failed", {"due_at": now + max(delay, min(asked or delay, LONGEST_WAIT))}


def _number(changed: Any) -> int:
    """Return how many rows a statement changed."""
    return changed.rowcount if isinstance(changed, CursorResult) else 0


def _status(result: Answer | NotSent) -> int | None:
    return result.status if isinstance(result, Answer) else None
