"""Who would move where by a version: as a table, as a picture, and by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from admin.given import NUMBER, asked, written
from admin.language import words
from admin.pictures import Stream, Told, flow
from admin.problems import by_field
from admin.views import View, acting, may, page, reading
from app.services import effect, governance
from app.services.authority import Permission
from app.services.effect import Cell, Estimate
from app.services.errors import Invalid, NotActionable, NotThere
from rules.document import DocumentInvalid, Problem, load
from rules.messages import N_, Message
from rules.policy import Policy
from rules.sentences import Named, Shown

_READ, _DRAFT = Permission.READ_POLICY, Permission.DRAFT_POLICY
_REVIEW, _CLIENTS = Permission.REVIEW_POLICY, Permission.READ_CLIENTS

NAMES = 50
"""Names on one page."""

COMES: Mapping[str, str] = {
    "at_once": N_("at once"),
    "notice": N_("after a notice"),
    "later": N_("later"),
}

_Place = tuple[str | None, str | None]

_NONE = "~"
"""Stands in an address for no tier: nothing held, or nobody measured."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """What an effect came to, by tiers from the highest: those held in rows, those given beside.

    Tiers are by key and name; ``key`` None is for those who hold none, or cannot be measured.
    """

    rows: Sequence[tuple[str | None, str]]
    columns: Sequence[tuple[str | None, str]]
    cells: Mapping[tuple[str | None, str | None], Cell]
    concerned: str | None
    metric: str | None

    def row_name(self, key: str | None) -> str:
        return dict(self.rows)[key]

    def column_name(self, key: str | None) -> str:
        return dict(self.columns)[key]

    @property
    def moving(self) -> list[Cell]:
        """The cells of those who would move, the largest first."""
        found = [each for each in self.cells.values() if each.moves]
        return sorted(found, key=lambda each: -each.clients)


class EffectPages(View):
    """What a version would do: begun, looked at while it is worked out, and opened by name."""

    @page(f"/{NUMBER}/effect", _READ)
    def effect(self, number: int, problems: Any = None) -> Any:
        """Show the effect of a version: what it came to, or how far it is worked out."""
        with reading() as session:
            version = governance.version_named(session, number)
            found = effect.latest(session, number)
            policy = _policy(version.document)
            shown = self.render(
                "versions/effect.html",
                version=version,
                found=found,
                is_overtaken=_is_overtaken(found),
                is_of_now=found is not None and found.effect.revision == version.revision,
                can_begin=may(_DRAFT, _REVIEW) and version.in_force_from is None,
                metrics=[] if policy is None else _metrics(policy),
                policy=policy,
                given=request.form,
                problems=problems,
                address=_address,
                **_came_to(session, found),
            )
        return shown if problems is None else (shown, 422)

    @page(f"/{NUMBER}/effect", _DRAFT, _REVIEW, methods=("POST",))
    def begin(self, number: int) -> Any:
        """Have the effect worked out anew, on a day and by a metric."""
        try:
            day = _day(written("date"))
            with acting() as act:
                effect.begin(act, number, day, written("metric") or None)
        except DocumentInvalid:
            message = Message("Something in the version is wrong; put that right first.")
            return EffectPages.effect(self, number, by_field((Problem("", message),)))
        except Invalid as error:
            return EffectPages.effect(self, number, by_field(tuple(map(_at_field, error.problems))))
        return redirect(url_for("versions.effect", number=number))

    @page(f"/{NUMBER}/effect/names", _CLIENTS)
    def names(self, number: int) -> str:
        """Name those who would move, or those of them of one cell."""
        with reading() as session:
            version = governance.version_named(session, number)
            found = _finished(session, number)
            after, cell = asked("after"), _cell()
            listed = effect.moves(session, found.effect.id, cell, after, NAMES + 1)
            matrix, money = matrix_of(session, found)
            return self.render(
                "versions/names.html",
                version=version,
                cell=None if cell == effect.ANY else cell,
                matrix=matrix,
                money=money,
                held=dict(matrix.rows),
                given_tiers=dict(matrix.columns),
                comes=COMES,
                moves=listed[:NAMES],
                further=listed[NAMES - 1].reference if len(listed) > NAMES else None,
                after=after,
                address=_address,
            )

    @page(f"/{NUMBER}/effect/names.csv", _CLIENTS)
    def names_exported(self, number: int) -> Response:
        with reading() as session:
            found = _finished(session, number)
            content = effect.names_table(effect.moves(session, found.effect.id, _cell()))
        named = {"Content-Disposition": f'attachment; filename="effect-{number}.csv"'}
        return Response(content, content_type="text/csv; charset=utf-8", headers=named)


def _finished(session: Session, number: int) -> Estimate:
    found = effect.latest(session, number)
    if found is None:
        raise NotThere("The effect of version %(number)d was not worked out.", number=number)
    if not found.is_finished:
        raise NotActionable("The effect of version %(number)d is not ready.", number=number)
    return found


def _is_overtaken(found: Estimate | None) -> bool:
    """Tell whether an effect will never be finished."""
    return found is not None and not found.is_finished and found.state == "finished"


def _came_to(session: Session, found: Estimate | None) -> dict[str, Any]:
    """Return what the templates show of an effect, once there is anything to show."""
    if found is None or not found.is_finished:
        return {"matrix": None, "picture": None, "money": str}
    matrix, money = matrix_of(session, found)
    return {
        "matrix": matrix,
        "picture": picture_of(found, matrix),
        "money": money,
        "segments": _segments(session, found),
    }


def _policies(session: Session, found: Estimate) -> tuple[Policy | None, Policy]:
    """Return the policy that an effect was compared with, and the version itself."""
    number = found.effect.in_force
    former = None if number is None else load(governance.version_named(session, number).document)
    return former, load(effect.document_of(session, found.effect))


def _segments(session: Session, found: Estimate) -> dict[str, str]:
    policies = [each for each in _policies(session, found) if each is not None]
    return {each.key: words().name(each.name) for one in policies for each in one.segments}


def matrix_of(session: Session, found: Estimate) -> tuple[Matrix, Any]:
    """Return an effect by tiers, and what writes an amount of its metric."""
    former, draft = _policies(session, found)
    metric = draft.metrics.get(found.effect.metric or "")

    def money(amount: int | None) -> str:
        if metric is None or amount is None:
            return ""
        return words().say(Shown(metric, amount, draft.currency))

    cells = {(each.held, each.gives): each for each in found.summary.cells}
    held, given = ({place[side] for place in cells} for side in (0, 1))
    matrix = Matrix(
        _tiers(former, held, Message("No tier yet")),
        _tiers(draft, given, Message("Cannot be measured")),
        cells,
        money(found.summary.concerned) or None,
        None if metric is None else words().name(metric.name),
    )
    return matrix, money


def _tiers(
    policy: Policy | None, used: set[str | None], none: Message
) -> Sequence[tuple[str | None, str]]:
    tiers = () if policy is None else reversed(policy.tiers)
    found: list[tuple[str | None, str]] = [(each.key, words().name(each.name)) for each in tiers]
    known = {key for key, _ in found}
    found += [(key, key) for key in sorted(used - known - {None}, key=str) if key]
    return [*found, (None, words().say(none))] if None in used else found


def picture_of(found: Estimate, matrix: Matrix) -> Markup:
    """Draw who goes from which tier held to which one given."""
    say = words().say
    title = Message(
        "From the tier held to the tier that version %(number)d gives",
        number=found.effect.version_id,
    )
    description = Message(
        "%(moving)d of %(clients)d clients would move; the table has the numbers.",
        moving=found.summary.moving,
        clients=found.summary.clients,
    )
    streams = [
        Stream(matrix.row_name(each.held), matrix.column_name(each.gives), each.clients, each.moves)
        for each in found.summary.cells
    ]
    return flow(
        Told("flow", say(title), say(description)),
        [name for _, name in matrix.rows],
        [name for _, name in matrix.columns],
        streams,
    )


def _metrics(policy: Policy) -> list[tuple[str, str]]:
    return [(key, words().say(Named(policy.metrics[key].name))) for key in effect.money(policy)]


def _policy(document: dict[str, Any]) -> Policy | None:
    try:
        return load(document)
    except DocumentInvalid:
        return None


def _at_field(problem: Problem) -> Problem:
    """Return a problem by its field; of one in the version itself, by none of this form."""
    return problem if problem.path in ("date", "metric") else Problem("", problem.message)


def _day(text: str) -> date | None:
    """:raises Invalid: if it is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        message = Message("must be a date such as 2026-07-31")
        raise Invalid([Problem("date", message)]) from error


def _cell() -> _Place:
    """Return which cell an address names; every one if it names none."""
    if not asked("held") or not asked("gives"):
        return effect.ANY
    held, gives = (None if asked(name) == _NONE else asked(name) for name in ("held", "gives"))
    return held, gives


def _address(
    name: str, number: int, cell: tuple[str | None, str | None] | None, **also: str
) -> str:
    """Return the address of names, or of a file with them, of a cell or of all."""
    if cell is not None:
        also |= {"held": cell[0] or _NONE, "gives": cell[1] or _NONE}
    return url_for(f"versions.{name}", number=number, **also)  # type: ignore[arg-type]  # texts
