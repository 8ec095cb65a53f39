"""What lies before a reviewer, kept with what they decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.models import PolicyVersion
from app.services import effect, governance
from app.services.authority import Actor
from app.services.drafting import findings
from app.services.effect import Estimate
from app.services.errors import Stale
from app.services.governance import Verdict, authors, in_force_now, version_named
from app.services.history import Act
from app.services.installation import fixed
from rules.compare import Difference, compare
from rules.describe import Line
from rules.document import DocumentInvalid, Problem, load
from rules.document.strict_json import digest
from rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Laid:
    """A version as it lies before whoever reads it.

    ``against`` is the number of the version in force, with which it was compared; ``difference``
    is None where there is nothing to compare.
    """

    version: PolicyVersion
    policy: Policy | None
    problems: tuple[Problem, ...]
    against: int | None
    difference: tuple[Difference, ...] | None
    effect: Estimate | None

    @property
    def effect_shown(self) -> int | None:
        """The number of the effect, if it is worked out and of these very bytes."""
        return self.effect.effect.id if self.effect and _is_of(self.effect, self.version) else None


def lay_out(session: Session, number: int) -> Laid:
    """Return what there is to be seen of a version.

    :raises NotThere: if there is none of this number.
    """
    version, former = version_named(session, number), in_force_now(session)
    before = None if former is None or former.id == number else former
    policy = _read(version.document)
    difference = None
    if before is not None and policy is not None:
        difference = compare(load(before.document), policy)
    return Laid(
        version,
        policy,
        findings(version.document, fixed(session), None if before is None else before.document),
        None if before is None else before.id,
        difference,
        effect.latest(session, number),
    )


def wrote_any(session: Session, actor: Actor, number: int) -> bool:
    """Tell whether somebody wrote any of a version, so that others have to decide about it."""
    return actor.person_id in authors(session, number)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reviewer had before them: which bytes, compared with which version, which effect."""

    digest: str
    against: int | None
    effect: int | None


def review(act: Act, number: int, shown: Shown, verdict: Verdict, comment: str) -> None:
    """Record what a reviewer decided, and what they saw.

    :raises NotAllowed, Stale, NotActionable, Invalid: as :func:`app.services.governance.review`.
    :raises Stale: if another version has come into force since, or another effect was worked out.
    """
    laid = lay_out(act.session, number)
    if laid.against != shown.against:
        raise Stale("Another version has come into force since you opened this; read it again.")
    if shown.effect is not None and shown.effect != laid.effect_shown:
        raise Stale("The effect was worked out anew since you opened this; read it again.")
    seen = {
        "difference": None if laid.difference is None else _digest(laid.difference),
        "findings": [str(each) for each in laid.problems],
        "effect": _kept(laid.effect) if shown.effect is not None and laid.effect else None,
    }
    governance.review(act, number, shown.digest, verdict, comment, seen)


def _read(document: dict[str, Any]) -> Policy | None:
    try:
        return load(document)
    except DocumentInvalid:
        return None


def _is_of(found: Estimate, version: PolicyVersion) -> bool:
    return found.is_finished and found.effect.digest == digest(version.document)


def _digest(difference: tuple[Difference, ...]) -> str:
    """Return the digest of a difference as it reads in English."""
    return digest(
        [
            [str(each.subject), each.kind, _written(each.before), _written(each.after)]
            for each in difference
        ]
    )


def _written(lines: tuple[Line, ...]) -> list[list[object]]:
    return [[line.depth, str(line.sentence)] for line in lines]


def _kept(found: Estimate) -> dict[str, Any]:
    return {
        "number": found.effect.id,
        "day": found.effect.day.isoformat(),
        "metric": found.effect.metric,
        **found.summary.written(),
    }
