"""Versions of the policy: which there are, what each says, how it got where it is, and onwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, redirect, request, url_for

from admin.effects import EffectPages
from admin.given import NUMBER, asked_number, written
from admin.history import by_day
from admin.language import words
from admin.links import link
from admin.problems import by_field
from admin.reviews import ReviewPages
from admin.states import DECIDED, tag
from admin.tryouts import TryPages
from admin.views import acting, actor, may, page, reading, told
from app.merit import merit
from app.models import PolicyVersion
from app.services import chronicle, governance, people, reviewing
from app.services.authority import Permission
from app.services.chronicle import Wanted
from app.services.errors import Invalid
from app.services.governance import State
from rules.compare import compare
from rules.describe import describe
from rules.document import DocumentInvalid, load
from rules.document.strict_json import canonical_bytes
from rules.messages import N_, Message
from rules.policy import Policy

_READ, _DRAFT = Permission.READ_POLICY, Permission.DRAFT_POLICY
_REVIEW, _CLIENTS = Permission.REVIEW_POLICY, Permission.READ_CLIENTS

WITHDRAWABLE: tuple[State, ...] = ("draft", "in_review", "approved", "scheduled", "held")


class Versions(ReviewPages, EffectPages, TryPages):
    """All pages about versions; of a review, an effect, a try in modules of their own."""

    label = N_("Versions")

    def __init__(self) -> None:
        super().__init__(endpoint="versions", url="/versions")

    @page("/", _READ)
    def index(self) -> str:
        with reading() as session:
            found = governance.versions(session)
            return self.render(
                "versions/list.html",
                versions=[
                    (each, tag(each, governance.approvals(session, each.id))) for each in found
                ],
                can_draft=may(_DRAFT),
                names=_names(session),
            )

    @page(f"/{NUMBER}/", _READ)
    def version(self, number: int, problems: Any = None) -> Any:
        """Show what a version says, its life, and what whoever reads it may do with it."""
        with reading() as session:
            version = governance.version_named(session, number)
            approvals = governance.approvals(session, number)
            its = Wanted(object=f"policy:{number}")
            life = chronicle.read(session, merit().rulebook, actor(), its, asked_number("before"))
            shown = self.render(
                "versions/version.html",
                version=version,
                tag=tag(version, approvals),
                approvals=approvals,
                decided=DECIDED,
                names=_names(session),
                others=[each for each in governance.versions(session) if each.id != number],
                against=before(session, number),
                days=by_day(life.entries),
                further=life.before,
                lines=_described(version),
                possible=list(possible(version, reviewing.wrote_any(session, actor(), number))),
                is_due=_is_due(version),
                link=link,
                given=request.form,
                problems=problems,
            )
        return shown if problems is None else (shown, 422)

    @page(f"/{NUMBER}/compare", _READ)
    def compare(self, number: int) -> str:
        """Say in what a version differs from another, the one in force unless another is named."""
        with reading() as session:
            version = governance.version_named(session, number)
            other = asked_number("with") or before(session, number) or version.based_on or number
            former = governance.version_named(session, other)
            policies = [_policy(each) for each in (former, version)]
            return self.render(
                "versions/compare.html",
                version=version,
                former=former,
                choices=[
                    (each.id, words().say(Message("Version %(number)d", number=each.id)))
                    for each in governance.versions(session)
                ],
                unreadable=[
                    each
                    for each, policy in zip((former, version), policies, strict=True)
                    if policy is None
                ],
                difference=compare(policies[0], policies[1]) if all(policies) else None,  # type: ignore[arg-type]  # all are there
            )

    @page(f"/{NUMBER}/policy.json", _READ)
    def exported(self, number: int) -> Response:
        with reading() as session:
            content = canonical_bytes(governance.version_named(session, number).document)
        named = {"Content-Disposition": f'attachment; filename="policy-{number}.json"'}
        return Response(content, content_type="application/json", headers=named)

    @page(f"/{NUMBER}/withdraw", _DRAFT, _REVIEW, methods=("POST",))
    def withdraw(self, number: int) -> Any:
        try:
            with acting() as act:
                governance.withdraw(act, number, written("comment"))
        except Invalid as error:
            return Versions.version(self, number, by_field(error.problems))
        told(Message("Version %(number)d is withdrawn.", number=number))
        return redirect(url_for("versions.version", number=number))


def possible(version: PolicyVersion, wrote_any: bool) -> Iterator[str]:
    """Yield what whoever is signed in may do with a version now."""
    state = version.state
    if may(_DRAFT) and state == "draft":
        yield from ("edit", "submit")
    if state == "in_review":
        yield "read"
        if may(_REVIEW) and not wrote_any:
            yield "review"
    if may(_REVIEW) and state in ("approved", "held"):
        yield "schedule"
    if version.in_force_from is None:
        yield "effect"
    if may(_CLIENTS):
        yield "try"
    if may(_DRAFT):
        yield "copy"
    if may(_DRAFT, _REVIEW) and state in WITHDRAWABLE:
        yield "withdraw"


def before(session: Any, number: int) -> int | None:
    """Return the version with which one is compared: the one in force, if it is another."""
    found = governance.in_force_now(session)
    return None if found is None or found.id == number else found.id


def _is_due(version: PolicyVersion) -> bool:
    due = version.scheduled_for
    return version.state == "scheduled" and due is not None and due <= merit().clock()


def _names(session: Any) -> dict[int, str]:
    return {person.id: person.name for person, _ in people.people(session)}


def _policy(version: PolicyVersion) -> Policy | None:
    try:
        return load(version.document)
    except DocumentInvalid:
        return None


def _described(version: PolicyVersion) -> Any:
    policy = _policy(version)
    return None if policy is None else describe(policy)
