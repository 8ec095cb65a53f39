"""The way of a version into force, as people walk it on the pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.services.governance import approvals, publish_due
from tests.admin.conftest import SignedIn
from tests.admin.test_versions import content
from tests.admin.visiting import Visitor
from tests.app.company import Company
from tests.app.effects import begun, work
from tests.app.shelf import approved, drafted, held, reviewed, submitted, version, withdrawn
from tests.app.test_verification import busy

_HIDDEN = re.compile(r'name="(digest|against|effect)" value="([^"]*)"')


def seen(visitor: Visitor, number: int) -> dict[str, Any]:
    """Open the page of a review; return what its form holds of what was seen."""
    return dict(_HIDDEN.findall(visitor.get(f"/versions/{number}/review").text))


def decide(
    visitor: Visitor, number: int, verdict: str = "approved", comment: str = "Read and tried."
) -> TestResponse:
    shown = seen(visitor, number)
    return visitor.post(
        f"/versions/{number}/review", {**shown, "verdict": verdict, "comment": comment}
    )


def failing() -> Any:
    """Return a policy of which an example does not give what is expected."""
    document = content()
    document["examples"][0]["tier"] = document["tiers"][0]["key"]
    return document


# -- submitting ------------------------------------------------------------------------------------


def test_a_draft_is_submitted_with_a_reason(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, content())
    visitor = signed_in("edith")

    assert "Nothing is wrong with it" in visitor.get(f"/versions/{number}/submit").text
    answer = visitor.post(f"/versions/{number}/submit", reason="Gold is too hard.")

    assert answer.status_code == 302
    assert (version(shop, number).state, version(shop, number).reason) == (
        "in_review",
        "Gold is too hard.",
    )


def test_without_a_reason_it_stays_a_draft(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, content())
    visitor = signed_in("edith")
    visitor.get(f"/versions/{number}/submit")

    answer = visitor.post(f"/versions/{number}/submit", reason=" ")

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert version(shop, number).state == "draft"


@pytest.mark.parametrize(
    ("document", "said"),
    [(failing(), "it gives"), ({"tiers": []}, "Is missing"), ({}, "Is missing")],
    ids=["an example fails", "not complete", "empty"],
)
def test_what_does_not_pass_is_said_and_it_stays_a_draft(
    signed_in: SignedIn, shop: Company, document: Any, said: str
) -> None:
    number = drafted(shop, document)
    visitor = signed_in("edith")

    before = visitor.get(f"/versions/{number}/submit")
    answer = visitor.post(f"/versions/{number}/submit", reason="Because.")

    assert (before.status_code, answer.status_code) == (200, 422)
    for page in (before, answer):
        assert "It cannot be submitted yet" in page.text
        assert said in page.text
    assert version(shop, number).state == "draft"


def test_each_problem_leads_to_where_it_is_put_right(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, failing())
    visitor = signed_in("edith")

    page = visitor.get(f"/versions/{number}/submit").text

    [address] = set(re.findall(rf'href="(/drafts/{number}/examples/[^"]+)"', page))
    assert visitor.get(address).status_code == 200


def test_only_a_draft_is_submitted(signed_in: SignedIn) -> None:
    visitor = signed_in("edith")

    assert visitor.get("/versions/1/submit").status_code == 409
    assert visitor.post("/versions/1/submit", reason="Again.").status_code == 409
    assert visitor.post("/versions/99/submit", reason="Again.").status_code == 404


# -- reviewing -------------------------------------------------------------------------------------


def test_a_reviewer_sees_difference_examples_and_findings(
    signed_in: SignedIn, shop: Company
) -> None:
    number = submitted(shop, content())

    page = signed_in("paul").get(f"/versions/{number}/review").text

    assert "Because." in page
    assert "<del>" in page
    assert "As expected" in page
    assert "Nothing: it is complete" in page
    assert "It has not been worked out" in page


def test_the_effect_is_shown_and_kept_with_the_approval(signed_in: SignedIn, shop: Company) -> None:
    busy(shop)
    number = submitted(shop, content())
    effect = begun(shop, number)
    work(shop)
    visitor = signed_in("paul")

    assert "clients would move" in visitor.get(f"/versions/{number}/review").text
    assert decide(visitor, number).status_code == 302

    with shop.merit.database.reading() as session:
        [approval] = approvals(session, number)
    assert approval.seen["effect"]["number"] == effect
    assert approval.seen["difference"]
    page = visitor.get(f"/versions/{number}/").text
    assert "Seen beside version 1, which was in force then." in page
    assert re.search(r"Seen: who would move, as of July 1, 2026\. \d+ of \d+ clients", page)


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("approved", "approved"), ("changes_requested", "draft"), ("rejected", "rejected")],
)
def test_a_reviewer_decides_with_a_comment(
    signed_in: SignedIn, shop: Company, verdict: str, state: str
) -> None:
    number = submitted(shop, content())
    visitor = signed_in("paul")

    assert decide(visitor, number, verdict).status_code == 302

    assert version(shop, number).state == state
    assert "Read and tried." in visitor.get(f"/versions/{number}/").text


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"comment": ""}, "comment"), ({"verdict": ""}, "verdict"), ({"verdict": "x"}, "verdict")],
)
def test_what_is_missing_is_asked_for_and_nothing_typed_is_lost(
    signed_in: SignedIn, shop: Company, fields: dict[str, str], field: str
) -> None:
    number = submitted(shop, content())

    answer = decide(signed_in("paul"), number, **{"comment": "Typed already.", **fields})

    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert ("Typed already." in answer.text) == (field != "comment")
    assert version(shop, number).state == "in_review"


def test_the_author_is_told_calmly_why_they_cannot(signed_in: SignedIn, shop: Company) -> None:
    with shop.merit.owner.writing() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO role_grants (person_id, role, reason, asked_at, granted_at) "
            "SELECT id, 'editor', 'Both.', created_at, created_at FROM people "
            "WHERE email = 'paul@example.com'"
        )
    number = submitted(shop, content(), by="paul")
    visitor = signed_in("paul")

    page = visitor.get(f"/versions/{number}/review")

    assert page.status_code == 200
    assert "You wrote some of this version, so somebody else decides" in page.text
    assert 'name="verdict"' not in page.text
    answer = visitor.post(
        f"/versions/{number}/review",
        digest=version(shop, number).digest,
        against="1",
        verdict="approved",
        comment="Mine.",
    )
    assert answer.status_code == 403
    assert version(shop, number).state == "in_review"


@pytest.mark.parametrize("name", ["edith", "max", "olga", "anna"])
def test_who_is_no_approver_reads_and_does_not_decide(
    signed_in: SignedIn, shop: Company, name: str
) -> None:
    number = submitted(shop, content())
    visitor = signed_in(name)

    assert 'name="verdict"' not in visitor.get(f"/versions/{number}/review").text
    visitor.get("/account/")
    answer = visitor.post(f"/versions/{number}/review", verdict="approved", comment="Fine.")
    assert answer.status_code == 403


@pytest.mark.parametrize("wrong", [{"digest": "0" * 64}, {"against": ""}, {"effect": "7"}])
def test_other_bytes_than_were_seen_are_not_decided_about(
    signed_in: SignedIn, shop: Company, wrong: dict[str, str]
) -> None:
    number = submitted(shop, content())
    visitor = signed_in("paul")
    shown = seen(visitor, number)

    answer = visitor.post(
        f"/versions/{number}/review",
        {**shown, **wrong, "verdict": "approved", "comment": "Fine."},
    )

    assert answer.status_code == 412
    assert version(shop, number).state == "in_review"


def test_what_was_decided_is_not_decided_again(signed_in: SignedIn, shop: Company) -> None:
    number = submitted(shop, content())
    visitor = signed_in("paul")
    shown = seen(visitor, number)
    reviewed(shop, number, by="petra")

    answer = visitor.post(
        f"/versions/{number}/review", {**shown, "verdict": "rejected", "comment": "No."}
    )

    assert answer.status_code == 409
    assert version(shop, number).state == "approved"


@pytest.mark.parametrize("minutes", [0, 16, 31])
def test_who_would_lose_a_comment_for_want_of_a_password_is_asked_for_it_first(
    signed_in: SignedIn, shop: Company, minutes: int
) -> None:
    numbers = submitted(shop, content()), approved(shop, content(2_600_000))
    visitor = signed_in("paul")
    with visitor.browser.session_transaction() as session:
        session["fs_paa"] -= minutes * 60
        session.pop("fs_gexp", None)

    for number, part in zip(numbers, ("review", "schedule"), strict=True):
        page = visitor.get(f"/versions/{number}/{part}").text
        assert ('name="comment"' in page) == (minutes == 0)
        assert (f"/confirm?next=/versions/{number}/{part}" in page) == (minutes > 0)


# -- scheduling ------------------------------------------------------------------------------------


def schedule(visitor: Visitor, number: int, **fields: str) -> TestResponse:
    visitor.get(f"/versions/{number}/schedule")
    return visitor.post(f"/versions/{number}/schedule", {"comment": "After lunch.", **fields})


def test_a_version_is_scheduled_for_a_local_time(signed_in: SignedIn, shop: Company) -> None:
    number = approved(shop, content())
    visitor = signed_in("paul")

    answer = schedule(visitor, number, when="at", at="2026-07-02T09:00")

    assert answer.status_code == 302
    assert version(shop, number).scheduled_for == datetime(2026, 7, 2, 8, tzinfo=UTC)
    assert "It comes into force at" in visitor.get(f"/versions/{number}/").text


def test_a_version_scheduled_for_now_comes_into_force(signed_in: SignedIn, shop: Company) -> None:
    number = approved(shop, content())
    visitor = signed_in("paul")

    assert schedule(visitor, number, when="now").status_code == 302
    publish_due(shop.merit.database, shop.clock())

    assert "In force" in visitor.get(f"/versions/{number}/").text
    assert version(shop, number).state == "in_force"


@pytest.mark.parametrize(
    ("at", "choices"),
    [
        ("2026-10-25T01:30", ["2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00+00:00"]),
        ("2027-03-28T01:30", ["2027-03-28T00:30:00+00:00", "2027-03-28T02:30:00+01:00"]),
    ],
    ids=["twice", "never"],
)
def test_a_time_that_comes_twice_or_never_is_asked_about(
    signed_in: SignedIn, shop: Company, at: str, choices: list[str]
) -> None:
    number = approved(shop, content())
    visitor = signed_in("paul")

    asked = schedule(visitor, number, when="at", at=at)

    assert asked.status_code == 422
    assert "Which of the two do you mean?" in asked.text
    assert ('href="#f-choice">The clocks are put back' in asked.text) == at.startswith("2026")
    assert ('href="#f-choice">The clocks are put forward' in asked.text) == at.startswith("2027")
    assert re.findall(r'name="choice" value="([^"]+)"', asked.text) == choices
    assert "After lunch." in asked.text
    assert version(shop, number).state == "approved"
    answer = schedule(visitor, number, when="at", at=at, choice=choices[1])
    assert answer.status_code == 302
    assert version(shop, number).scheduled_for == datetime.fromisoformat(choices[1])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"when": "at", "at": ""}, "at"),
        ({"when": "at", "at": "soon"}, "at"),
        ({"when": "at", "at": "2020-01-01T09:00"}, "at"),
        ({"when": "now", "comment": ""}, "comment"),
    ],
    ids=["no time", "not a time", "over", "no comment"],
)
def test_what_cannot_be_scheduled_is_said_at_its_field(
    signed_in: SignedIn, shop: Company, fields: dict[str, str], field: str
) -> None:
    number = approved(shop, content())

    answer = schedule(signed_in("paul"), number, **fields)

    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert version(shop, number).state == "approved"


def test_what_was_held_is_scheduled_again(signed_in: SignedIn, shop: Company) -> None:
    number = approved(shop, content())
    held(shop, number)

    assert schedule(signed_in("paul"), number, when="now").status_code == 302

    assert version(shop, number).state == "scheduled"


def test_only_what_is_approved_is_scheduled(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, content())
    visitor = signed_in("paul")

    assert visitor.get(f"/versions/{number}/schedule").status_code == 409
    visitor.get("/account/")
    assert visitor.post(f"/versions/{number}/schedule", when="now").status_code in (409, 422)
    withdrawn(shop, number)
    assert visitor.post(f"/versions/{number}/schedule", when="now", comment="x").status_code == 409


def test_an_editor_does_not_schedule(signed_in: SignedIn, shop: Company) -> None:
    number = approved(shop, content())
    visitor = signed_in("edith")

    assert visitor.get(f"/versions/{number}/schedule").status_code == 403
    visitor.get("/account/")
    assert visitor.post(f"/versions/{number}/schedule", when="now").status_code == 403
