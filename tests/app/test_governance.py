"""How a policy comes into force: through others than who wrote it, checked, at its time, once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.merit import Merit
from app.models import PolicyRevision
from app.services import governance
from app.services.authority import Role
from app.services.errors import Conflict, Invalid, NotActionable, NotAllowed, NotThere, Stale
from app.services.governance import (
    _TRANSITIONS,
    _publish,
    approvals,
    authors,
    draft,
    publish_due,
    review,
    save,
    schedule,
    submit,
    withdraw,
)
from app.services.history import Act
from app.services.people import ask_role, grant_role
from app.services.policies import LARGEST_DOCUMENT, ExamplesFail
from app.services.trial import TrialFailed
from rules.document import DocumentInvalid
from rules.document.strict_json import digest
from tests.app.company import NOW, Company, branch, close, email
from tests.app.dealings import racing
from tests.app.shelf import (
    STATES,
    TOMORROW,
    VERBS,
    VERDICTS,
    approved,
    by_hand,
    document,
    drafted,
    everything,
    held,
    reviewed,
    saved,
    scheduled,
    states,
    stocked,
    submitted,
    told,
    verbs,
    version,
    withdrawn,
)

INSTANT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def stocking(
    founding: Company, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Company, dict[Any, int]]]:
    """A company with a version in every state; only ever copied."""
    with branch(founding, tmp_path_factory.mktemp("stocking")) as company:
        numbers = stocked(company)
        assert {state: version(company, number).state for state, number in numbers.items()} == {
            state: state for state in STATES
        }
        close(company)
        yield company, numbers


@pytest.fixture
def shelf(stocking: tuple[Company, dict[Any, int]], tmp_path: Path) -> Iterator[Company]:
    """A company of the test's own with a version in every state."""
    with branch(stocking[0], tmp_path) as company:
        yield company


@pytest.fixture
def numbers(stocking: tuple[Company, dict[Any, int]]) -> dict[Any, int]:
    """Which version of the shelf is in which state."""
    return stocking[1]


def both(company: Company, *names: str) -> None:
    """Let these editors approve as well."""
    for name in names:
        with company.merit.acting(company.actor("anna")) as act:
            ask_role(act, email(name), Role.APPROVER, "Short of people.")
        with company.merit.acting(company.actor("ben")) as act:
            grant_role(act, email(name), Role.APPROVER)


# -- the life of a version -------------------------------------------------------------------


def test_a_policy_goes_from_its_draft_into_force_and_out_of_it(new_company: Company) -> None:
    company = new_company
    first = drafted(company)
    assert version(company, first).state == "draft"
    saved(company, first, document(2000), 1)
    found = submit(company.merit.database, company.actor("edith"), first, "Why.", NOW)
    assert (version(company, first).state, found) == ("in_review", digest(document(2000)))
    reviewed(company, first)
    assert version(company, first).state == "approved"
    scheduled(company, first)
    assert version(company, first).state == "scheduled"
    [published] = publish_due(company.merit.database, NOW)
    assert (published.number, published.problems) == (first, ())
    assert (version(company, first).state, version(company, first).in_force_from) == (
        "in_force",
        NOW,
    )

    company.clock.advance(days=1)
    second = company.publish(document(3000))

    assert states(company) == {first: "superseded", second: "in_force"}
    assert version(company, first).in_force_until == TOMORROW
    assert verbs(company, first) == [
        "drafted",
        "saved",
        "submitted",
        "approved",
        "scheduled",
        "published",
        "superseded",
    ]


def test_changes_are_requested_made_and_approved(new_company: Company) -> None:
    number = submitted(new_company)
    reviewed(new_company, number, "changes_requested")
    assert version(new_company, number).state == "draft"

    saved(new_company, number, document(2000), 1)
    VERBS["submitted"](new_company, number)
    reviewed(new_company, number, by="petra")

    assert version(new_company, number).state == "approved"
    with new_company.merit.database.reading() as session:
        found = [(each.verdict, each.digest) for each in approvals(session, number)]
    assert found == [
        ("changes_requested", digest(document())),
        ("approved", digest(document(2000))),
    ]


def test_going_back_is_a_new_version_from_the_old_document(new_company: Company) -> None:
    first, _second = (new_company.publish(document(limit)) for limit in (1000, 2000))

    with new_company.merit.acting(new_company.actor("edith")) as act:
        again = draft(act, version(new_company, first).document, based_on=first)

    assert (version(new_company, again).state, version(new_company, again).based_on) == (
        "draft",
        first,
    )
    assert version(new_company, first).state == "superseded"


def test_what_is_not_in_force_yet_can_be_withdrawn(shelf: Company, numbers: dict[Any, int]) -> None:
    for state in ("draft", "in_review", "approved", "scheduled", "held"):
        withdrawn(shelf, numbers[state])

        assert version(shelf, numbers[state]).state == "withdrawn"
        assert verbs(shelf, numbers[state])[-1] == "withdrawn"
    assert publish_due(shelf.merit.database, TOMORROW) == []


def test_a_held_version_can_be_scheduled_again(shelf: Company, numbers: dict[Any, int]) -> None:
    because = version(shelf, numbers["held"]).held_because
    assert because == ["currency: must be EUR, the installation's"]

    scheduled(shelf, numbers["held"])
    assert version(shelf, numbers["held"]).held_because is None
    [published] = publish_due(shelf.merit.database, NOW)

    assert (published.number, published.problems) == (numbers["held"], ())


# -- transitions as data ---------------------------------------------------------------------


def test_every_state_and_every_transition_is_reached_by_the_table() -> None:
    verbs_of_the_clock = {"published", "held", "superseded"}
    assert set(_TRANSITIONS) == set(VERBS) | verbs_of_the_clock
    assert {after for _before, after in _TRANSITIONS.values()} == set(STATES)
    assert [verb for verb, (_, after) in _TRANSITIONS.items() if after == "in_force"] == [
        "published"
    ]
    assert governance.STATES.keys() == set(STATES)


def test_a_verb_is_refused_in_every_state_not_in_its_row_and_changes_nothing(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    untouched = everything(shelf)
    for verb, action in VERBS.items():
        before, _after = _TRANSITIONS[verb]
        for state in set(STATES) - set(before):
            with pytest.raises(NotActionable, match=f"^Version {numbers[state]} is "):
                action(shelf, numbers[state])
    assert everything(shelf) == untouched


def test_only_what_is_scheduled_is_ever_published(shelf: Company, numbers: dict[Any, int]) -> None:
    untouched = everything(shelf)
    for state in set(STATES) - {"scheduled"}:
        with pytest.raises(NotActionable):
            _publish(shelf.merit.database, numbers[state], TOMORROW)
    assert everything(shelf) == untouched


def test_what_is_not_there_is_said_so(new_company: Company) -> None:
    tries: list[tuple[str, Callable[[Act], object]]] = [
        ("edith", lambda act: draft(act, document(), based_on=17)),
        ("edith", lambda act: save(act, 17, 1, document())),
        ("edith", lambda act: withdraw(act, 17, "Why.")),
        ("paul", lambda act: review(act, 17, "", "approved", "Why.")),
        ("paul", lambda act: schedule(act, 17, NOW, "Why.")),
    ]
    for by, verb in tries:
        with (
            pytest.raises(NotThere, match="There is no version 17"),
            new_company.merit.acting(new_company.actor(by)) as act,
        ):
            verb(act)
    with pytest.raises(NotThere, match="There is no version 17"):
        VERBS["submitted"](new_company, 17)


# -- four eyes -------------------------------------------------------------------------------


def test_an_author_does_not_review_even_with_both_roles(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    both(shelf, "edith")
    untouched = everything(shelf)

    for verdict in VERDICTS:
        with pytest.raises(NotAllowed, match="You wrote some of this"):
            reviewed(shelf, numbers["in_review"], verdict, by="edith")

    assert everything(shelf) == untouched


def test_an_author_of_an_earlier_revision_does_not_approve(new_company: Company) -> None:
    both(new_company, "edith", "emil")
    number = drafted(new_company, by="edith")
    saved(new_company, number, document(2000), 1, by="emil")
    VERBS["submitted"](new_company, number)

    for author in ("edith", "emil"):
        with pytest.raises(NotAllowed):
            reviewed(new_company, number, by=author)
    reviewed(new_company, number, by="paul")


def test_an_author_of_a_version_taken_over_unapproved_does_not_approve(
    new_company: Company,
) -> None:
    both(new_company, "edith", "emil")
    number = drafted(new_company, by="edith")
    for _ in range(2):
        with new_company.merit.acting(new_company.actor("emil")) as act:
            number = draft(act, document(), based_on=number)
    submit(new_company.merit.database, new_company.actor("emil"), number, "Why.", NOW)

    with pytest.raises(NotAllowed):
        reviewed(new_company, number, by="edith")


def test_an_author_of_what_was_in_force_may_approve_what_comes_after(
    new_company: Company,
) -> None:
    both(new_company, "edith")
    first = new_company.publish(document())
    with new_company.merit.acting(new_company.actor("emil")) as act:
        second = draft(act, document(2000), based_on=first)
    submit(new_company.merit.database, new_company.actor("emil"), second, "Why.", NOW)

    reviewed(new_company, second, by="edith")

    with new_company.merit.database.reading() as session:
        assert authors(session, second) == {new_company.actor("emil").person_id}


def test_a_role_ended_since_somebody_signed_in_is_theirs_no_more(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    paul, untouched = shelf.actor("paul"), everything(shelf)
    by_hand(shelf, "UPDATE role_grants SET ended_at = asked_at WHERE role = 'approver'")

    with (
        pytest.raises(NotAllowed, match="This takes the role approver"),
        shelf.merit.acting(paul) as act,
    ):
        review(act, numbers["in_review"], digest(document(4000)), "approved", "Good.")

    assert everything(shelf) == untouched


def test_an_approval_is_of_exactly_the_bytes_that_were_seen(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    untouched = everything(shelf)

    for other in ("0" * 64, digest(document(3000))):
        with pytest.raises(Stale, match=digest(document(4000))):
            reviewed(shelf, numbers["in_review"], digest=other)

    assert everything(shelf) == untouched


def test_what_was_seen_is_kept_with_the_approval(shelf: Company, numbers: dict[Any, int]) -> None:
    reviewed(shelf, numbers["in_review"])

    with shelf.merit.database.reading() as session:
        [found] = approvals(session, numbers["in_review"])
    assert found.seen == {
        "revision": 1,
        "reason": "Because.",
        "examples": 0,
        "in_force": numbers["in_force"],
    }
    assert (found.comment, found.digest, found.at) == (
        "It is approved.",
        digest(document(4000)),
        NOW,
    )


def test_a_comment_is_obligatory_and_can_be_kept(shelf: Company, numbers: dict[Any, int]) -> None:
    untouched = everything(shelf)
    paul, edith = shelf.actor("paul"), shelf.actor("edith")
    seen = version(shelf, numbers["in_review"]).digest or ""

    for comment in ("", "   \n", "x" * 4001, "a\0b", "a\ud800b"):
        with pytest.raises(Invalid, match="reason"):
            submit(shelf.merit.database, edith, numbers["draft"], comment, NOW)
        for verdict in VERDICTS:
            with pytest.raises(Invalid, match="comment"), shelf.merit.acting(paul) as act:
                review(act, numbers["in_review"], seen, verdict, comment)
        with pytest.raises(Invalid, match="comment"), shelf.merit.acting(paul) as act:
            schedule(act, numbers["approved"], NOW, comment)
        with pytest.raises(Invalid, match="comment"), shelf.merit.acting(paul) as act:
            withdraw(act, numbers["draft"], comment)
    assert everything(shelf) == untouched


# -- what a draft must pass ------------------------------------------------------------------

FAILING = {
    "name": {"en": "Just enough"},
    "facts": {"spend": 1000},
    "date": "2026-07-01",
    "tier": "base",
}
UNFIT: list[tuple[dict[str, Any], type[Exception], str]] = [
    (document(tiers=[]), DocumentInvalid, "tiers"),
    ({}, DocumentInvalid, "currency"),
    (document(currency="EUR"), Invalid, "currency: must be GBP"),
    (document(time_zone="Europe/Kyiv"), Invalid, "time_zone: must be Europe/London"),
]


def test_what_cannot_come_into_force_is_not_submitted_and_stays_a_draft(
    new_company: Company,
) -> None:
    for content, error, said in UNFIT:
        number = drafted(new_company, content)
        untouched = everything(new_company)

        with pytest.raises(error, match=said):
            VERBS["submitted"](new_company, number)

        assert everything(new_company) == untouched


def test_a_draft_whose_example_fails_is_not_submitted(new_company: Company) -> None:
    number = drafted(new_company, document(examples=[FAILING]))
    untouched = everything(new_company)

    with pytest.raises(ExamplesFail, match="Just enough"):
        VERBS["submitted"](new_company, number)

    assert everything(new_company) == untouched
    saved(new_company, number, document(examples=[{**FAILING, "tier": "silver"}]), 1)
    VERBS["submitted"](new_company, number)


def test_a_draft_that_the_engine_does_not_survive_is_not_submitted(
    new_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = drafted(new_company)
    untouched = everything(new_company)
    monkeypatch.setattr(sys, "executable", "/bin/false")  # a child that dies

    with pytest.raises(TrialFailed):
        VERBS["submitted"](new_company, number)

    assert everything(new_company) == untouched


def test_a_draft_saved_while_it_was_checked_is_not_submitted(
    new_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, really = drafted(new_company), governance.check

    def slow(*given: Any) -> Any:
        saved(new_company, number, document(2000), 1)
        return really(*given)

    monkeypatch.setattr(governance, "check", slow)
    with pytest.raises(Stale, match="changed while it was checked"):
        VERBS["submitted"](new_company, number)

    assert version(new_company, number).state == "draft"


def test_a_draft_may_be_unfinished_but_not_too_large(new_company: Company) -> None:
    number = drafted(new_company, {"format": 1})
    large = {"": "x" * LARGEST_DOCUMENT}

    with pytest.raises(Invalid, match="at most"):
        drafted(new_company, large)
    with pytest.raises(Invalid, match="at most"):
        saved(new_company, number, large, 1)


# -- two at a draft --------------------------------------------------------------------------


def test_of_two_who_save_over_one_revision_the_second_is_told_and_nothing_is_lost(
    new_company: Company,
) -> None:
    number = drafted(new_company)
    assert saved(new_company, number, document(2000), 1, by="edith") == 2

    with pytest.raises(Stale, match="since you began from revision 1"):
        saved(new_company, number, document(3000), 1, by="emil")

    assert version(new_company, number).document == document(2000)
    assert saved(new_company, number, document(3000), 2, by="emil") == 3
    with new_company.merit.database.reading() as session:
        kept = session.execute(
            select(PolicyRevision.document).order_by(PolicyRevision.revision)
        ).scalars()
        assert list(kept) == [document(), document(2000), document(3000)]


def test_of_two_who_save_at_the_same_moment_one_wins(new_company: Company) -> None:
    number = drafted(new_company)

    found = racing(
        *(
            lambda each=each, limit=limit: saved(new_company, number, document(limit), 1, each)
            for each, limit in (("edith", 2000), ("emil", 3000))
        )
    )

    assert 2 in found
    assert [type(each) for each in found].count(Stale) == 1
    assert version(new_company, number).revision == 2


def test_a_change_that_changes_nothing_is_refused(new_company: Company) -> None:
    number = drafted(new_company)
    untouched = everything(new_company)
    other_layout = dict(reversed(document().items()))

    with pytest.raises(Conflict, match="Nothing is different"):
        saved(new_company, number, other_layout, 1)

    assert everything(new_company) == untouched


# -- its time --------------------------------------------------------------------------------


def test_what_is_scheduled_for_later_comes_into_force_exactly_then(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    database = shelf.merit.database
    assert publish_due(database, TOMORROW - INSTANT) == []
    assert version(shelf, numbers["in_force"]).state == "in_force"

    [published] = publish_due(database, TOMORROW)

    assert published.number == numbers["scheduled"]
    assert version(shelf, numbers["in_force"]).state == "superseded"


def test_a_clock_that_jumps_back_publishes_nothing_twice(shelf: Company) -> None:
    database = shelf.merit.database
    publish_due(database, TOMORROW)
    untouched = everything(shelf)

    for at in (NOW, TOMORROW - INSTANT, TOMORROW, TOMORROW + timedelta(days=1)):
        assert publish_due(database, at) == []
    assert everything(shelf) == untouched


def test_of_several_that_are_due_the_last_one_stays(new_company: Company) -> None:
    later, sooner = (approved(new_company, document(limit)) for limit in (1000, 2000))
    scheduled(new_company, later, timedelta(hours=2))
    scheduled(new_company, sooner, timedelta(hours=1))

    found = publish_due(new_company.merit.database, TOMORROW)

    assert [each.number for each in found] == [sooner, later]
    assert states(new_company) == {later: "in_force", sooner: "superseded"}


def test_what_was_put_off_while_it_was_checked_is_not_published(
    shelf: Company, numbers: dict[Any, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    really, number = governance.check, numbers["scheduled"]

    def slow(*given: Any) -> Any:
        later = "UPDATE policy_versions SET scheduled_for = '2027-01-01' WHERE id = :number"
        by_hand(shelf, later, number=number)
        return really(*given)

    monkeypatch.setattr(governance, "check", slow)
    assert publish_due(shelf.merit.database, TOMORROW) == []
    assert version(shelf, number).state == "scheduled"


def test_nothing_is_scheduled_for_the_past(shelf: Company, numbers: dict[Any, int]) -> None:
    for by in (INSTANT, timedelta(days=1)):
        with pytest.raises(Invalid, match="must not be in the past"):
            scheduled(shelf, numbers["approved"], -by)


# -- checked again when it is due ------------------------------------------------------------


def test_what_no_longer_passes_is_held_and_the_former_stays_in_force(
    shelf: Company, numbers: dict[Any, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")  # the engine's trial dies
    [found] = publish_due(shelf.merit.database, TOMORROW)

    assert found.number == numbers["scheduled"]
    assert "did not survive a trial" in str(found.problems[0])
    now = version(shelf, numbers["scheduled"])
    assert (now.state, now.scheduled_for) == ("held", None)
    assert now.held_because == [str(each) for each in found.problems]
    assert version(shelf, numbers["in_force"]).state == "in_force"
    assert told(shelf, numbers["scheduled"])[-1]["details"] == {"because": now.held_because}


def test_what_nobody_approved_is_held_whatever_its_row_says(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    number = numbers["in_review"]
    by_hand(
        shelf,
        "UPDATE policy_versions SET state = 'scheduled', scheduled_for = '2026-07-01 12:00:00' "
        "WHERE id = :number",
        number=number,
    )
    [found] = publish_due(shelf.merit.database, TOMORROW - INSTANT)

    assert [str(each) for each in found.problems] == [
        "nobody who did not write it approved these bytes"
    ]
    assert version(shelf, number).state == "held"


def test_one_that_is_held_does_not_keep_others_from_coming_into_force(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    bad, good = numbers["approved"], numbers["scheduled"]
    scheduled(shelf, bad, timedelta(hours=1))
    _tamper(shelf, bad)

    found = publish_due(shelf.merit.database, TOMORROW)

    assert [(each.number, bool(each.problems)) for each in found] == [(bad, True), (good, False)]


def _tamper(company: Company, number: int) -> None:
    """Do what the triggers forbid, as somebody who owns the tables can."""
    if company.place.kind == "sqlite":
        by_hand(company, "DROP TRIGGER policy_versions_frozen")
    else:
        by_hand(company, "ALTER TABLE policy_versions DISABLE TRIGGER policy_versions_frozen")
    by_hand(company, "UPDATE policy_versions SET digest = 'x' WHERE id = :number", number=number)


def test_from_the_moment_it_is_acknowledged_every_process_answers_by_the_new_version(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    other = Merit(shelf.merit.config, shelf.clock)
    try:
        with other.database.reading() as session:
            assert other.rulebook.in_force(session).number == numbers["in_force"]
        publish_due(shelf.merit.database, TOMORROW)
        with other.database.reading() as session:
            found = other.rulebook.in_force(session)
        assert (found.number, found.policy.digest) == (
            numbers["scheduled"],
            digest(document(9000)),
        )
    finally:
        other.database.close()


# -- at the same moment ----------------------------------------------------------------------


def test_of_two_reviewers_at_the_same_moment_one_decides(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    number = numbers["in_review"]

    found = racing(
        lambda: reviewed(shelf, number, "approved", by="paul"),
        lambda: reviewed(shelf, number, "rejected", by="petra"),
    )

    assert sorted(str(type(each).__name__) for each in found) == ["NoneType", "NotActionable"]
    with shelf.merit.database.reading() as session:
        [kept] = approvals(session, number)
    assert version(shelf, number).state == kept.verdict
    assert verbs(shelf, number) == ["drafted", "submitted", kept.verdict]


def test_of_two_publishers_at_the_same_moment_one_publishes(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    other = Merit(shelf.merit.config, shelf.clock)
    try:
        found = racing(
            lambda: publish_due(shelf.merit.database, TOMORROW),
            lambda: publish_due(other.database, TOMORROW),
        )
    finally:
        other.database.close()

    assert sorted(len(each) for each in found if isinstance(each, list)) == [0, 1]
    assert verbs(shelf, numbers["scheduled"]).count("published") == 1
    assert verbs(shelf, numbers["in_force"]).count("superseded") == 1


def test_withdrawn_and_published_at_the_same_moment_it_is_one_of_them(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    number = numbers["scheduled"]

    racing(
        lambda: publish_due(shelf.merit.database, TOMORROW),
        lambda: withdrawn(shelf, number),
    )

    state = version(shelf, number).state
    assert verbs(shelf, number)[-1] == {"in_force": "published", "withdrawn": "withdrawn"}[state]
    former = version(shelf, numbers["in_force"]).state
    assert former == ("superseded" if state == "in_force" else "in_force")


# -- the history -----------------------------------------------------------------------------


def test_every_verb_leaves_one_entry_with_who_and_why(new_company: Company) -> None:
    company = new_company
    who = {each: company.actor(each).name for each in ("edith", "emil", "paul", "petra")}
    number = drafted(company)
    saved(company, number, document(2000), 1)
    VERBS["submitted"](company, number)
    reviewed(company, number, "changes_requested")
    VERBS["submitted"](company, number)
    reviewed(company, number)
    held(company, number)
    scheduled(company, number)
    withdrawn(company, number)

    found = told(company, number)
    assert [(each["verb"], each["actor"]) for each in found] == [
        ("policy.drafted", who["edith"]),
        ("policy.saved", who["emil"]),
        ("policy.submitted", who["edith"]),
        ("policy.changes_requested", who["paul"]),
        ("policy.submitted", who["edith"]),
        ("policy.approved", who["paul"]),
        ("policy.scheduled", who["petra"]),
        ("policy.held", "system"),
        ("policy.scheduled", who["petra"]),
        ("policy.withdrawn", who["edith"]),
    ]
    details = [each["details"] for each in found]
    now = digest(document(2000))
    assert details[0] == {"revision": 1, "digest": digest(document()), "based_on": None}
    assert details[1] == {"revision": 2, "digest": now}
    assert details[2] == {"revision": 2, "digest": now, "reason": "Because."}
    assert details[3] == {"digest": now, "comment": "It is changes_requested."}
    assert details[5] == {"digest": now, "comment": "It is approved."}
    assert details[6] == {"digest": now, "for": NOW.isoformat(), "comment": "When it is due."}
    assert details[9] == {"comment": "Not needed."}


# -- what nobody can change ------------------------------------------------------------------


CHANGES = {
    "sqlite": (
        "UPDATE {table} SET version_id = version_id + 1",
        "DELETE FROM {table}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    ),
    "postgresql": (
        "UPDATE {table} SET version_id = version_id + 1",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "TRUNCATE policy_versions CASCADE",
    ),
}


def test_approvals_and_revisions_cannot_be_changed(shelf: Company) -> None:
    untouched = everything(shelf)
    for database in (shelf.merit.database, shelf.merit.owner):
        for table in ("approvals", "policy_revisions"):
            for statement in CHANGES[shelf.place.kind]:
                with (
                    pytest.raises(DBAPIError, match=r"append-only|permission denied"),
                    database.writing() as session,
                ):
                    session.execute(text(statement.format(table=table)))

    assert everything(shelf) == untouched


def test_a_submitted_document_cannot_be_changed_even_by_hand(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    untouched = everything(shelf)
    for state in set(STATES) - {"draft"}:
        for statement in (
            "UPDATE policy_versions SET document = '{}' WHERE id = :number",
            "UPDATE policy_versions SET digest = 'x' WHERE id = :number",
        ):
            with pytest.raises(DBAPIError, match="a submitted policy cannot be changed"):
                by_hand(shelf, statement, number=numbers[state])
    assert everything(shelf) == untouched


def test_no_version_can_be_deleted_and_no_second_one_put_in_force_even_by_hand(
    shelf: Company, numbers: dict[Any, int]
) -> None:
    for statement in (
        "DELETE FROM policy_versions WHERE id = :number",
        "UPDATE policy_versions SET state = 'in_force' WHERE id = :number",
    ):
        with pytest.raises(DBAPIError):
            by_hand(shelf, statement, number=numbers["draft"])
