"""The history read again from its first entry: whether it is what was recorded, all of it.

What this proves, and what only a checkpoint kept elsewhere could, is in docs/history.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import Row, exists, func, literal, select
from sqlalchemy.orm import Session

from app.merkle import Frontier, leaf_hash
from app.models import Activity, HistoryEntry, HistoryHead, HistoryInput, Notice, Subject
from app.services import activities, notices
from app.services.history import SubjectKey, inputs_digest
from rules.document.strict_json import JsonRefused, canonical_bytes, loads
from rules.messages import N_, Message

_CHUNK = 1000
_ACTIVITIES, _NOTICES = "activities:", "notices:"
_NAMES = {"sequence", "at", "actor", "verb", "object", "details", "inputs"}
_COLUMNS = ("sequence", "actor", "verb", "object")

_Row = Row[Any]
_Inputs = Mapping[int, Sequence[_Row]]


class HistoryBroken(Exception):
    """The history is not as it was recorded.

    ``sequence`` is that of the first entry with which something is wrong, ``message`` says what.
    """

    def __init__(self, sequence: int, template: str, /, **params: object) -> None:
        self.sequence = sequence
        self.message = Message(
            "Entry %(sequence)d: %(what)s", sequence=sequence, what=Message(template, **params)
        )
        super().__init__(self.message)


def verify(session: Session, progress: Callable[[int], object] = lambda _: None) -> Frontier:
    """Recompute the whole tree from the leaves and return it.

    :param progress: told after each chunk how many entries it had.
    :raises HistoryBroken: at the first thing that is not as it was recorded.
    """
    tree, said = Frontier(), 0
    for chunk in _chunks(session):
        inputs = _inputs(session, chunk[0].sequence, chunk[-1].sequence)
        for place, row in enumerate(chunk, tree.size):
            _require_entry(place, row, inputs.get(row.sequence, ()))
            _require_inputs(session, row, inputs.get(row.sequence, ()))
        tree = tree.add([leaf_hash(row.leaf.encode()) for row in chunk])
        said += sum(map(len, inputs.values()))
        progress(len(chunk))
    _require_head(session, tree)
    _require_nothing_else(session, tree, said)
    return tree


def size(session: Session) -> int:
    """Return how many entries the history says it has."""
    return session.execute(select(HistoryHead.size)).scalar() or 0


def _chunks(session: Session) -> Iterator[Sequence[_Row]]:
    columns = HistoryEntry.__table__.columns
    rows = session.execute(
        select(*columns).order_by(HistoryEntry.sequence), execution_options={"yield_per": _CHUNK}
    )
    yield from rows.partitions()


def _inputs(session: Session, first: int, last: int) -> _Inputs:
    """Return what a range of entries says of subjects, with their keys where these still exist."""
    rows: Iterable[_Row] = session.execute(
        select(
            HistoryInput.sequence,
            HistoryInput.subject,
            HistoryInput.digest,
            HistoryInput.sealed,
            Subject.key,
        )
        .outerjoin(Subject, Subject.id == HistoryInput.subject)
        .where(HistoryInput.sequence.between(first, last))
    )
    found: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row.sequence].append(row)
    return found


def _require_entry(place: int, row: _Row, inputs: Sequence[_Row]) -> None:
    """Refuse an entry out of its place, or that contradicts what is kept beside it."""
    if row.sequence != place:
        raise HistoryBroken(place, N_("it is missing, or another stands in its place."))
    try:
        leaf = loads(row.leaf)
    except JsonRefused as error:
        raise HistoryBroken(place, N_("its leaf is no JSON: %(why)s"), why=error.message) from error
    if (
        not isinstance(leaf, dict)
        or set(leaf) != _NAMES
        or canonical_bytes(leaf).decode() != row.leaf
    ):
        raise HistoryBroken(place, N_("its leaf is not written as leaves are."))
    repeated = {name: getattr(row, name) for name in _COLUMNS}
    if repeated != {name: leaf[name] for name in _COLUMNS} or row.at != _instant(leaf["at"]):
        raise HistoryBroken(place, N_("its columns and its leaf do not say the same."))
    if leaf["inputs"] != inputs_digest((each.subject, each.digest) for each in inputs):
        raise HistoryBroken(place, N_("the digests of its inputs are not those in its leaf."))


def _instant(written: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        return None


def _require_inputs(session: Session, row: _Row, inputs: Sequence[_Row]) -> None:
    """Refuse inputs that are not what was digested; those of the erased nobody can read."""
    kept = _kept(session, row)
    known = {each.subject for each in inputs}
    for subject in kept:
        if subject not in known:
            raise HistoryBroken(row.sequence, N_("its batch has something that was not in it."))
    for each in inputs:
        if each.key is None:
            continue
        key = SubjectKey(each.subject, each.key)
        content = kept.get(each.subject) if each.sealed is None else _opened(key, each, row)
        if content is None or key.digest(content) != each.digest:
            raise HistoryBroken(
                row.sequence,
                N_("what it says of subject %(subject)s is not what was recorded."),
                subject=each.subject,
            )


def _kept(session: Session, row: _Row) -> Mapping[str, bytes]:
    """Return the contents that stayed in their own table, by subject."""
    if row.object.startswith(_ACTIVITIES):
        happened = activities.batch(session, row.object.removeprefix(_ACTIVITIES))
        return {subject: activities.digested(each) for subject, each in happened.items()}
    if row.object.startswith(_NOTICES):
        written = notices.batch(session, row.object.removeprefix(_NOTICES))
        return {subject: notices.digested(each) for subject, each in written.items()}
    return {}


def _opened(key: SubjectKey, each: _Row, row: _Row) -> bytes | None:
    try:
        return key.open(each.sealed, row.object)
    except (InvalidTag, ValueError):
        return None


def _require_head(session: Session, tree: Frontier) -> None:
    head = session.execute(select(HistoryHead.size, HistoryHead.frontier)).one_or_none()
    if head is None:
        raise HistoryBroken(tree.size, N_("the head is missing, which says how many there are."))
    if head.size != tree.size:
        raise HistoryBroken(
            min(head.size, tree.size),
            N_("there are %(found)d entries, and the head says %(said)d."),
            found=tree.size,
            said=head.size,
        )
    if head.frontier != tree.to_bytes():
        first, last = _differing(tree, head.frontier)
        raise HistoryBroken(
            first,
            N_("it or another up to %(last)d was changed, or the head was: their hashes differ."),
            last=last,
        )


def _differing(tree: Frontier, packed: bytes) -> tuple[int, int]:
    """Return the first and the last sequence of the first whole subtree whose root differs."""
    first = 0
    for place, root in enumerate(tree.roots):
        leaves = 1 << ((tree.size - first).bit_length() - 1)
        if packed[32 * place : 32 * (place + 1)] != root:
            return first, first + leaves - 1
        first += leaves
    return 0, tree.size - 1


def _require_nothing_else(session: Session, tree: Frontier, said: int) -> None:
    """Refuse what stands beside the history without an entry that speaks of it."""
    if session.execute(select(func.count()).select_from(HistoryInput)).scalar_one() != said:
        raise HistoryBroken(tree.size, N_("there are inputs of entries that do not exist."))
    entry = exists().where(HistoryEntry.object == literal(_ACTIVITIES) + Activity.batch)
    if session.execute(select(Activity.id).where(~entry).limit(1)).scalar() is not None:
        raise HistoryBroken(tree.size, N_("there are activities that no entry speaks of."))
    entry = exists().where(HistoryEntry.object == literal(_NOTICES) + Notice.batch)
    if session.execute(select(Notice.id).where(~entry).limit(1)).scalar() is not None:
        raise HistoryBroken(tree.size, N_("there are notices that no entry speaks of."))
