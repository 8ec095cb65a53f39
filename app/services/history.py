"""The history's writing end: every use case appends what it did, in its own transaction.

A leaf names people and clients only by random subjects.  What it says of a subject is digested
with the subject's key, so that nobody can guess it from the log, and kept beside the log,
encrypted with that key.  Deleting the key erases the person; the log still verifies.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.merkle import Frontier, leaf_hash
from app.models import HistoryEntry, HistoryHead, HistoryInput, Subject
from app.services.authority import Actor
from app.services.rows import insert_rows
from rules.document.strict_json import canonical_bytes, loads

_NONCE, _HALF = 12, 32


def random_id() -> str:
    """Return a new random name: 128 bits in hex."""
    return uuid4().hex


class SubjectKey(NamedTuple):
    """A subject and its key: one half salts digests, the other encrypts."""

    id: str
    key: bytes

    @classmethod
    def new(cls) -> SubjectKey:
        return cls(random_id(), secrets.token_bytes(2 * _HALF))

    def digest(self, content: bytes) -> bytes:
        """Return the digest of a content, which only who has the key can compute."""
        return hmac.digest(self.key[:_HALF], content, "sha256")

    def seal(self, content: bytes, about: str) -> bytes:
        """Encrypt a content; it opens only with the same ``about``."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.key[_HALF:]).encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """Decrypt what :meth:`seal` made.

        :raises cryptography.exceptions.InvalidTag: if it was changed, or is about another object.
        """
        nonce, ciphertext = sealed[:_NONCE], sealed[_NONCE:]
        return AESGCM(self.key[_HALF:]).decrypt(nonce, ciphertext, about.encode())


class Input(NamedTuple):
    """What an entry says of one subject; ``kept`` where the content stays in its own table."""

    subject: SubjectKey
    content: bytes
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done (``subject.action``), to what (``kind:id``), with details about nobody."""

    verb: str
    object: str
    details: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[Input] = ()


def add_subjects(session: Session, subjects: Sequence[SubjectKey]) -> None:
    """Store the keys of new subjects."""
    insert_rows(session, Subject, ("id", "key"), ((each.id, each.key) for each in subjects))


@dataclass(frozen=True, slots=True)
class Act:
    """A use case being carried out: in which transaction, by whom, at what instant."""

    session: Session
    actor: Actor
    at: datetime


def record(act: Act, *entries: Entry) -> None:
    """Append entries to the history: the last thing a transaction does before it commits.

    Whoever appends holds the head until then, so that the sequence has no gaps and its order is
    that of the commits.
    """
    session, actor, at = act.session, act.actor, act.at
    sealed = [[_sealed(each, one) for one in each.inputs] for each in entries]
    head = session.execute(select(HistoryHead.size, HistoryHead.frontier).with_for_update()).one()
    frontier = Frontier.from_bytes(head.size, head.frontier)
    rows, inputs, hashes = [], list[tuple[Any, ...]](), []
    for sequence, (entry, said) in enumerate(zip(entries, sealed, strict=True), head.size):
        leaf = canonical_bytes(
            {
                "sequence": sequence,
                "at": at.isoformat(),
                "actor": actor.name,
                "verb": entry.verb,
                "object": entry.object,
                "details": entry.details,
                "inputs": inputs_digest(each[:2] for each in said),
            }
        )
        hashes.append(leaf_hash(leaf))
        rows.append((sequence, at, actor.name, entry.verb, entry.object, leaf.decode()))
        inputs += [(sequence, *each) for each in said]
    insert_rows(session, HistoryEntry, _ENTRY, rows)
    insert_rows(session, HistoryInput, _INPUT, inputs)
    frontier = frontier.add(hashes)
    session.execute(update(HistoryHead).values(size=frontier.size, frontier=frontier.to_bytes()))


_ENTRY = ("sequence", "at", "actor", "verb", "object", "leaf")
_INPUT = ("sequence", "subject", "digest", "sealed")


def _sealed(entry: Entry, each: Input) -> tuple[str, bytes, bytes | None]:
    """Return an input's subject, its digest, and its content encrypted unless it is kept."""
    subject, content, kept = each
    sealed = None if kept else subject.seal(content, entry.object)
    return subject.id, subject.digest(content), sealed


def inputs_digest(digests: Iterable[tuple[str, bytes]]) -> str | None:
    """Return the one digest that stands in a leaf for those of all its subjects."""
    found = sorted(digests)
    if not found:
        return None
    return sha256(b"".join(subject.encode() + digest for subject, digest in found)).hexdigest()


def read_input(session: Session, about: str, subject: str) -> Any | None:
    """Return what the history keeps of a subject about an object; None if it was erased.

    :raises LookupError: if it never kept anything.
    """
    sealed = (
        session.execute(
            select(HistoryInput.sealed)
            .join(HistoryEntry, HistoryEntry.sequence == HistoryInput.sequence)
            .where(HistoryEntry.object == about, HistoryInput.subject == subject)
            .order_by(HistoryInput.sequence.desc())
        )
        .scalars()
        .first()
    )
    if sealed is None:
        raise LookupError(about)
    key = session.get(Subject, subject)
    return None if key is None else loads(SubjectKey(key.id, key.key).open(sealed, about))


def entries(
    session: Session, first: int, limit: int, wanted: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return leaves of the history from a sequence on, those whose columns are as wanted."""
    columns = {
        "actor": HistoryEntry.actor,
        "verb": HistoryEntry.verb,
        "object": HistoryEntry.object,
    }
    found = session.execute(
        select(HistoryEntry.leaf)
        .where(
            HistoryEntry.sequence >= first,
            *(columns[name] == value for name, value in wanted.items()),
        )
        .order_by(HistoryEntry.sequence)
        .limit(limit)
    ).scalars()
    return [loads(leaf) for leaf in found]  # type: ignore[misc]  # each leaf is an object
