"""Keys of the API: shown once, kept as a keyed hash, with scopes, an end, and a successor."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import DatabaseUnsuitable
from app.models import Key
from app.services.authority import Permission, Scope
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.history import Act, Entry, SubjectKey, record
from app.services.people import require
from app.services.texts import text_problems
from rules.document import Problem
from rules.messages import Message

_KEY = re.compile(r"merit_([0-9a-f]{12})_([A-Za-z0-9_-]{43})_([0-9a-f]{8})")
PER_MINUTE = 6000
"""Requests a minute that a key may make of each server process, unless it says otherwise."""

MOST_PER_MINUTE = 10**9

LONGEST = timedelta(days=400)
_LONGEST_NAME = 100
_SECRET_BYTES = 32


class Secret:
    """The installation's secret: keys that were not made with it are worth nothing here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: bytes | None = None

    def digest(self, secret: str) -> bytes:
        """Return the hash of a key's secret that is stored and compared."""
        return hmac.digest(self._value(), secret.encode(), "sha256")

    @property
    def sealing(self) -> SubjectKey:
        """What encrypts the secrets that have to be read again, as those that sign web hooks."""
        return SubjectKey("installation", self.derived("sealing"))

    def derived(self, purpose: str) -> bytes:
        """Return 64 bytes that serve one purpose and tell nothing of those that serve another."""
        return hmac.digest(self._value(), f"merit: {purpose}".encode(), "sha512")

    def ensure(self) -> None:
        """Make a secret if there is none, for its owner's eyes only."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._path.touch(0o600, exist_ok=False)
        except FileExistsError:
            return
        self._path.write_text(secrets.token_hex(_SECRET_BYTES))

    def require_safe(self) -> None:
        """Refuse a secret that others can read, or that could be guessed.

        :raises DatabaseUnsuitable: if so.
        """
        self._value()
        if self._path.stat().st_mode & 0o077:
            raise DatabaseUnsuitable(
                Message("Others can read %(path)s: chmod 600 it.", path=str(self._path))
            )

    def _value(self) -> bytes:
        if self._read is None:
            try:
                found = self._path.read_bytes().strip()
            except OSError as error:
                raise DatabaseUnsuitable(
                    Message(
                        "The secret in %(path)s cannot be read: flask setup makes one, "
                        "MERIT_SECRET_FILE says where it is.",
                        path=str(self._path),
                    )
                ) from error
            if len(found) < _SECRET_BYTES:
                raise DatabaseUnsuitable(
                    Message("The secret in %(path)s is too short.", path=str(self._path))
                )
            self._read = found
        return self._read


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: ``text`` is shown once and stored nowhere."""

    id: str
    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """What a key may do, how often in a minute, and how long it lasts."""

    name: str
    scopes: Collection[Scope]
    lasts: timedelta
    per_minute: int = PER_MINUTE


def create_key(act: Act, secret: Secret, terms: Terms) -> NewKey:
    """Make a key for a system.

    :raises Invalid: naming what is wrong with what was asked for.
    """
    person = require(act.session, act.actor, Permission.MANAGE_ACCOUNTS)
    wanted = sorted(set(terms.scopes))
    _require_fit(terms)
    new, row = _make(secret, terms.name, wanted, act.at, act.at + terms.lasts)
    row.created_by, row.per_minute = person, terms.per_minute
    act.session.add(row)
    details = {
        "name": terms.name,
        "scopes": wanted,
        "per_minute": terms.per_minute,
        "expires_at": new.expires_at.isoformat(),
    }
    record(act, Entry("key.created", f"key:{new.id}", details))
    return new


def rotate_key(act: Act, secret: Secret, key_id: str, overlap: timedelta) -> NewKey:
    """Make a key's successor; the old one is good for the overlap still, so that two live.

    :raises NotActionable: if it is not good any more, or has a successor already.
    :raises Invalid: for an overlap that is none.
    """
    person = require(act.session, act.actor, Permission.MANAGE_ACCOUNTS)
    if not timedelta(0) <= overlap <= LONGEST:
        message = Message("must be 0 to %(most)d days", most=LONGEST.days)
        raise Invalid([Problem("overlap", message)])
    old = _find(act.session, key_id)
    if not is_good(old, act.at):
        raise NotActionable("This key is not good any more; make a new one.")
    alive = [each for each in keys(act.session) if each.name == old.name and is_good(each, act.at)]
    if len(alive) > 1:
        raise NotActionable("There are two live keys of this name; revoke one first.")
    lasts = old.expires_at - old.created_at
    new, row = _make(secret, old.name, old.scopes, act.at, act.at + lasts)
    row.created_by, row.per_minute = person, old.per_minute
    act.session.add(row)
    old.expires_at = min(old.expires_at, act.at + overlap)
    details = {"successor": new.id, "expires_at": old.expires_at.isoformat()}
    record(act, Entry("key.rotated", f"key:{old.id}", details))
    return new


def revoke_key(act: Act, key_id: str) -> None:
    """End a key at once.

    :raises NotActionable: if it is not good any more anyway.
    """
    require(act.session, act.actor, Permission.MANAGE_ACCOUNTS)
    key = _find(act.session, key_id)
    if not is_good(key, act.at):
        raise NotActionable("This key is not good any more already.")
    key.revoked_at = act.at
    record(act, Entry("key.revoked", f"key:{key.id}"))


def keys(session: Session) -> Sequence[Key]:
    """Return all keys, the newest first."""
    return session.execute(select(Key).order_by(Key.created_at.desc(), Key.id)).scalars().all()


def is_good(key: Key, now: datetime) -> bool:
    """Tell whether a key may be used now."""
    return key.revoked_at is None and now < key.expires_at


def parse(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of a key as it was shown; None if it cannot be one."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    key_id, secret, checksum = found.groups()
    return (key_id, secret) if checksum == _checksum(key_id, secret) else None


def _require_fit(terms: Terms) -> None:
    problems = list(text_problems("name", terms.name, _LONGEST_NAME))
    if not terms.scopes:
        problems.append(Problem("scopes", Message("is missing")))
    if not timedelta(0) < terms.lasts <= LONGEST:
        message = Message("must be 1 to %(most)d days", most=LONGEST.days)
        problems.append(Problem("days", message))
    if not 1 <= terms.per_minute <= MOST_PER_MINUTE:
        message = Message("must be 1 to %(most)d", most=MOST_PER_MINUTE)
        problems.append(Problem("per_minute", message))
    if problems:
        raise Invalid(problems)


def _make(
    secret: Secret, name: str, scopes: Sequence[str], now: datetime, expires_at: datetime
) -> tuple[NewKey, Key]:
    key_id, own = secrets.token_hex(6), secrets.token_urlsafe(_SECRET_BYTES)
    row = Key(
        id=key_id,
        name=name,
        digest=secret.digest(own),
        scopes=list(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    return NewKey(key_id, f"merit_{key_id}_{own}_{_checksum(key_id, own)}", expires_at), row


def _checksum(key_id: str, secret: str) -> str:
    """Return what tells a mistyped key, and those who look for leaked ones, that it is one."""
    return f"{crc32(f'{key_id}_{secret}'.encode()):08x}"


def _find(session: Session, key_id: str) -> Key:
    key = session.get(Key, key_id, with_for_update=True)
    if key is None:
        raise NotThere("There is no key %(id)s.", id=key_id)
    return key
