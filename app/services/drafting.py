"""Drafts written by several people at once: each change is merged onto what others saved.

Whoever edits says from which revision they began and what they changed of it.  The change is
merged by path onto the newest revision and saved through :func:`app.services.governance.save`;
where somebody else has changed the very same place, nothing is saved and both are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.models import PolicyRevision, PolicyVersion
from app.services.authority import Permission
from app.services.errors import Conflict, NotThere, Refused
from app.services.governance import draft_taken, left_out, misplaced, save
from app.services.history import Act
from app.services.installation import Fixed
from app.services.people import require
from app.services.policies import example_problems
from rules.document import DocumentInvalid, Problem, load, merge
from rules.document.merge import Merged
from rules.document.paths import Place, get, has, parse, put, remove, written
from rules.messages import N_
from rules.policy import Policy
from rules.reference import Reference

Document = dict[str, Any]


class Clash(Refused):
    """Somebody else changed the same places since; nothing was saved.

    ``merged`` has all changes that are in nobody's way, and theirs where they clash; ``revision``
    is the newest.
    """

    def __init__(
        self, base: Document, document: Document, current: PolicyVersion, merged: Merged
    ) -> None:
        super().__init__(
            N_("Somebody else changed the same since you began: nothing of yours is saved yet.")
        )
        self.revision, self.clashes, self.merged = current.revision, merged.clashes, merged.document
        self._base, self._mine, self._theirs = base, document, current.document

    def merged_with(self, path: str) -> Document:
        """Return ``merged``, with one's own at the path of a clash."""
        choices = {each.path: each.path == path for each in self.clashes}
        found: Document = merge.merge(self._base, self._mine, self._theirs, choices).document
        return found


def edit(
    act: Act,
    number: int,
    base_revision: int,
    change: Callable[[Document], Document],
    choices: Mapping[str, bool] | None = None,
) -> int:
    """Change a draft as it was at a revision, keep what others saved since; return the newest.

    Where nothing comes out different, nothing is saved.

    :param choices: by the path of a clash that was shown, whether this change is to stand there.
    :raises Clash: if somebody else changed the same places.
    :raises NotThere: if there is no such version or revision.
    :raises NotActionable: if it is no draft any more.
    """
    require(act.session, act.actor, Permission.DRAFT_POLICY)
    current = draft_taken(act.session, number)
    base = document_at(act.session, number, base_revision)
    mine = change(base)
    merged = merge.merge(base, mine, current.document, choices)
    if merged.clashes:
        raise Clash(base, mine, current, merged)
    if merge.same(merged.document, current.document):
        return current.revision
    return save(act, number, current.revision, merged.document)


def undo(act: Act, number: int, choices: Mapping[str, bool] | None = None) -> int:
    """Take back one's own newest edit that still stands; return the newest revision.

    What others saved since stays as it is.

    :raises Clash: if somebody else changed the same places since.
    :raises Conflict: if there is nothing of one's own to take back.
    """
    person = require(act.session, act.actor, Permission.DRAFT_POLICY)
    current = draft_taken(act.session, number)
    for revision in _standing_edits(act.session, number, person):
        after, before = (
            document_at(act.session, number, each) for each in (revision, revision - 1)
        )
        merged = merge.merge(after, before, current.document, choices)
        if merged.clashes:
            raise Clash(after, before, current, merged)
        if not merge.same(merged.document, current.document):
            return save(act, number, current.revision, merged.document, undoes=revision)
    raise Conflict("There is nothing of yours to take back.")


def can_undo(session: Session, number: int, person: int) -> bool:
    """Tell whether a person has an edit in a version that still stands."""
    return next(_standing_edits(session, number, person), None) is not None


def _standing_edits(session: Session, number: int, person: int) -> Iterator[int]:
    """Yield a person's edits that are neither undone nor take back others, the newest first."""
    undoing = aliased(PolicyRevision)
    yield from session.execute(
        select(PolicyRevision.revision)
        .where(
            PolicyRevision.version_id == number,
            PolicyRevision.person_id == person,
            PolicyRevision.revision > 1,
            PolicyRevision.undoes.is_(None),
            ~select(undoing.revision)
            .where(undoing.version_id == number, undoing.undoes == PolicyRevision.revision)
            .exists(),
        )
        .order_by(PolicyRevision.revision.desc())
    ).scalars()


def document_at(session: Session, number: int, revision: int) -> Document:
    """Return a version's document as it was at a revision.

    :raises NotThere: if it never had that one.
    """
    found: Document | None = session.execute(
        select(PolicyRevision.document).where(
            PolicyRevision.version_id == number, PolicyRevision.revision == revision
        )
    ).scalar()
    if found is None:
        raise NotThere(
            "Version %(number)d has no revision %(revision)d.", number=number, revision=revision
        )
    return found


# -- what is wrong with a draft, and what can be read of it ------------------------------------


def findings(
    document: Document, installation: Fixed, former: Document | None
) -> tuple[Problem, ...]:
    """Return all that keeps a draft from being submitted, but for its trial on the engine.

    :param former: the document of the version in force, if there is one.
    """
    problems = list(misplaced(document, installation))
    try:
        policy = load(document)
    except DocumentInvalid as error:
        return (*error.problems, *problems)
    failed = example_problems(policy, Reference(policy).judge)
    return (*problems, *left_out(policy, former), *failed)


@dataclass(frozen=True, slots=True)
class Reading:
    """As much of a draft as can be read; ``problems`` are in what had to be left out."""

    policy: Policy | None
    problems: tuple[Problem, ...]


_ROUNDS = 40


def readable(document: Document) -> Reading:
    """Read a draft without the parts that are wrong, so that all others can be put into words.

    What is wrong is taken out, then what cannot be without it, and so on; a name that is missing
    is made up from the key.
    """
    problems: tuple[Problem, ...] = ()
    left: Any = document
    for _ in range(_ROUNDS):
        try:
            return Reading(load(left), problems)
        except DocumentInvalid as error:
            problems = problems or error.problems
            left = _without(left, error.problems)
    return Reading(None, problems)


def _without(document: Any, problems: Iterable[Problem]) -> Any:
    """Return a document without what is wrong; what is part of a list goes last first."""
    targets = {_target(document, parse(each.path)) for each in problems}
    outermost = [
        place for place in targets if not any(place[:end] in targets for end in range(len(place)))
    ]
    for place in sorted(outermost, key=_from_behind):
        if place[-1:] == ("name",):
            document = _named(document, place)
        elif len(place) > 1:
            document = remove(document, written(place))
        elif place and place[0] in _NEEDED:
            document = {**document, place[0]: _NEEDED[place[0]]}
        elif place:
            document = remove(document, written(place))
        else:
            document = {**_NEEDED, **(document if isinstance(document, dict) else {})}
    return document


def _target(document: Any, place: Place) -> Place:
    """Return what has to go for a problem to be gone: a name is only replaced."""
    if "name" in place:
        named = place[: place.index("name") + 1]
        if has(document, written(named[:-1])) and not merge.same(_named(document, named), document):
            return named
    while place and not has(document, written(place)):
        place = place[:-1]
    return place[:-1] if place[-1:] == ("name",) else place


def _named(document: Any, place: Place) -> Any:
    """Return a document in which something is named by its key, in the first language."""
    holder = get(document, written(place[:-1]))
    languages = document.get("languages")
    language = languages[0] if isinstance(languages, list) and languages else "en"
    key = holder.get("key") if isinstance(holder, dict) else None
    return put(document, written(place), {str(language): str(key or "…")})


def _from_behind(place: Place) -> tuple[tuple[int, str], ...]:
    return tuple((-step, "") if isinstance(step, int) else (0, step) for step in place)


_NEEDED: dict[Any, Any] = {
    "format": 1,
    "key": "draft",
    "name": {"en": "…"},
    "languages": ["en"],
    "currency": "EUR",
    "time_zone": "UTC",
    "metrics": [],
    "tiers": [{"key": "base", "name": {"en": "…"}}],
}
