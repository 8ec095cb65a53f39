"""What lies before a reviewer is kept with what they decide about it."""

from __future__ import annotations

from typing import Any

import pytest

from app.models import Approval
from app.services import governance, reviewing
from app.services.errors import NotAllowed, Stale
from app.services.reviewing import Laid, Shown
from tests.app.company import Company
from tests.app.dealings import british
from tests.app.effects import begun, work
from tests.app.shelf import document, drafted, submitted, version
from tests.rules.builders import metric


@pytest.fixture
def company(new_company: Company) -> Company:
    new_company.publish(document(1000))
    return new_company


def laid(company: Company, number: int) -> Laid:
    with company.merit.database.reading() as session:
        return reviewing.lay_out(session, number)


def shown(company: Company, number: int) -> Shown:
    """Return what somebody has before them who opens a version now."""
    found = laid(company, number)
    return Shown(found.version.digest or "", found.against, found.effect_shown)


def approve(company: Company, number: int, what: Shown, by: str = "paul") -> None:
    with company.merit.acting(company.actor(by)) as act:
        reviewing.review(act, number, what, "approved", "Read and tried.")


def approval(company: Company, number: int) -> Approval:
    with company.merit.database.reading() as session:
        [found] = governance.approvals(session, number)
        return found


def seen(company: Company, number: int) -> dict[str, Any]:
    found: dict[str, Any] = approval(company, number).seen
    return found


def test_the_difference_and_the_effect_lie_before_a_reviewer(company: Company) -> None:
    number = submitted(company, document(2000))
    begun(company, number)
    work(company)

    found = laid(company, number)

    assert found.against == 1
    assert [str(each.subject) for each in found.difference or ()] == [
        "The tier “silver”: what it asks for"
    ]
    assert found.effect_shown is not None
    assert found.problems == ()


def test_a_first_version_is_compared_with_nothing(new_company: Company) -> None:
    found = laid(new_company, submitted(new_company))

    assert (found.against, found.difference, found.effect) == (None, None, None)


def test_the_version_in_force_is_not_compared_with_itself(company: Company) -> None:
    assert (laid(company, 1).against, laid(company, 1).difference) == (None, None)


def test_a_draft_that_cannot_be_read_has_its_problems(company: Company) -> None:
    found = laid(company, drafted(company, {"tiers": []}))

    assert found.policy is None
    assert found.problems
    assert found.difference is None


def test_what_a_reviewer_saw_is_kept_with_the_approval(company: Company) -> None:
    number = submitted(company, document(2000))
    effect = begun(company, number)
    work(company)

    approve(company, number, shown(company, number))

    kept = seen(company, number)
    assert (kept["in_force"], kept["revision"]) == (1, 1)
    assert kept["effect"]["number"] == effect
    assert kept["effect"]["cells"] == []
    assert len(kept["difference"]) == 64
    assert kept["findings"] == []


def test_without_an_effect_that_is_kept_too(company: Company) -> None:
    number = submitted(company, document(2000))

    approve(company, number, shown(company, number))

    assert seen(company, number)["effect"] is None


def test_the_effect_of_an_earlier_revision_is_none_of_these_bytes(company: Company) -> None:
    number = drafted(company, document(2000))
    begun(company, number)
    work(company)
    with company.merit.acting(company.actor("emil")) as act:
        governance.save(act, number, 1, document(3000))

    assert laid(company, number).effect_shown is None


def test_what_changed_since_it_was_opened_has_to_be_read_again(company: Company) -> None:
    number = submitted(company, document(2000))
    before = shown(company, number)
    company.publish(document(1500))

    with pytest.raises(Stale):
        approve(company, number, before)

    begun(company, number)
    work(company)
    before = shown(company, number)
    begun(company, number)
    with pytest.raises(Stale):
        approve(company, number, before)
    assert version(company, number).state == "in_review"


def test_other_bytes_and_authors_are_refused_as_ever(company: Company) -> None:
    number = submitted(company, document(2000))
    before = shown(company, number)

    with pytest.raises(Stale):
        approve(company, number, Shown("0" * 64, before.against, None))
    with pytest.raises(NotAllowed):
        approve(company, number, before, by="edith")


def test_who_wrote_any_of_it_is_known_beforehand(company: Company) -> None:
    number = submitted(company, british(metric("spend", "money"), tiers=(document()["tiers"][1],)))

    with company.merit.database.reading() as session:
        assert reviewing.wrote_any(session, company.actor("edith"), number)
        assert not reviewing.wrote_any(session, company.actor("paul"), number)
