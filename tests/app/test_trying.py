"""A client tried on a draft and on the policy in force, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from app.models import Client, Decision, HistoryEntry
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM, Actor
from app.services.clients import Stated, put_client
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.policies import as_draft
from app.services.ranking import rank_everybody
from app.services.standings import decide
from app.services.trying import Tried, Trying, Year
from app.words import Words
from rules.standing import Event
from tests.app.company import Company
from tests.app.dealings import british
from tests.app.granting import erase
from tests.app.shelf import document
from tests.rules.builders import Document, activities, condition, metric, tier

TODAY = date(2026, 7, 1)
YEAR: Document = {"kind": "rolling", "n": 3, "unit": "months"}


def state(company: Company, reference: str = "C-17", **attributes: Any) -> None:
    with company.merit.acting(Actor("key:till")) as act:
        put_client(act, reference, Stated(attributes=attributes), TODAY)


def decided(company: Company, day: date = TODAY) -> None:
    with company.merit.acting(SYSTEM) as act:
        ids = list(act.session.execute(select(Client.id)).scalars())
        rank_everybody(act, company.merit.rulebook, day)
        decide(act, company.merit.rulebook, ids, day, Words())


@pytest.fixture
def company(new_company: Company) -> Company:
    """A company with silver from 1,000 on, and a client who holds it."""
    new_company.publish(document(1000))
    state(new_company, spend=1500)
    decided(new_company)
    return new_company


def tried(company: Company, draft: Document, reference: str = "C-17") -> Tried:
    with company.merit.database.reading() as session:
        trying = Trying(session, company.merit.rulebook, as_draft(draft))
        return trying.client(reference, TODAY, Words())


def invented(company: Company, draft: Document, **facts: object) -> Tried:
    with company.merit.database.reading() as session:
        trying = Trying(session, company.merit.rulebook, as_draft(draft))
        return trying.facts(facts, TODAY, Words())


def year(company: Company, draft: Document, reference: str = "C-17") -> Year:
    with company.merit.database.reading() as session:
        trying = Trying(session, company.merit.rulebook, as_draft(draft))
        return trying.past_year(reference, TODAY)


def tiers(found: Tried) -> Iterator[str | None]:
    """Yield the tier that each gives, the policy in force first."""
    for side in (found.in_force, found.draft):
        answer = side and side.answer
        yield answer["tier"] and answer["tier"]["key"] if answer else None


def test_a_client_is_judged_by_both_and_what_differs_is_marked(company: Company) -> None:
    found = tried(company, document(2000))

    assert tuple(tiers(found)) == ("silver", "base")
    assert found.differs
    [reason] = found.reasons
    assert reason.in_force
    assert reason.draft
    assert (reason.in_force["met"], reason.draft["met"], reason.differs) == (True, False, True)
    assert {each.draft["key"]: each.differs for each in found.tiers if each.draft} == {
        "base": False,
        "silver": True,
    }


def test_where_nothing_differs_nothing_is_marked(company: Company) -> None:
    found = tried(company, document(1000))

    assert not found.differs
    assert not any(each.differs for each in (*found.tiers, *found.reasons))


def test_what_only_one_of_them_asks_for_stands_alone(company: Company) -> None:
    draft = british(
        metric("spend", "money"),
        metric("visits", "count"),
        tiers=(tier("bronze", entry=condition("visits", "at_least", 1)),),
    )

    found = tried(company, draft)

    assert [(each.in_force is None, each.draft is None) for each in found.reasons] == [
        (True, False),
        (False, True),
    ]


def test_the_draft_goes_on_from_how_the_client_stands(company: Company) -> None:
    silver = tier(
        "silver",
        entry=condition("spend", "at_least", 2000),
        keep=condition("spend", "at_least", 1000),
    )

    found = tried(company, british(metric("spend", "money"), tiers=(silver,)))

    assert found.draft.answer
    assert found.draft.answer["to_stay"]["key"] == "silver"


def test_without_a_policy_in_force_the_draft_stands_alone(new_company: Company) -> None:
    state(new_company, spend=1500)

    found = tried(new_company, document(1000))

    assert tuple(tiers(found)) == (None, "silver")
    assert not found.differs
    assert not any(each.differs for each in found.reasons)


def test_what_cannot_be_measured_is_said(company: Company) -> None:
    draft = british(metric("spend", "choice"), tiers=())

    found = tried(company, draft)

    assert found.draft.answer is None
    assert "cannot be measured" in str(found.draft.why)


def test_places_count_where_both_rank_alike(new_company: Company) -> None:
    def ranking(limit: int, by: str = "spend") -> Document:
        return british(
            metric("spend", "money"),
            metric("visits", "count"),
            metric("place", "decimal", {"kind": "rank", "metric": by}, unit="percent"),
            tiers=(tier("silver", entry=condition("place", "at_most", limit)),),
        )

    new_company.publish(ranking(10))
    for number in range(4):
        state(new_company, f"C-{number}", spend=number, visits=number)
    decided(new_company)

    assert tuple(tiers(tried(new_company, ranking(50), "C-2"))) == ("base", "silver")
    assert tuple(tiers(tried(new_company, ranking(50, "visits"), "C-2"))) == ("base", "base")


def test_nothing_is_stored(company: Company) -> None:
    def size() -> list[int]:
        with company.merit.database.reading() as session:
            return [
                session.execute(select(func.count()).select_from(each)).scalar_one()
                for each in (Decision, HistoryEntry)
            ]

    before = size()
    tried(company, document(2000))
    invented(company, document(2000), spend=1)
    year(company, document(2000))

    assert size() == before


# -- invented --------------------------------------------------------------------------------------


def test_an_invented_client_is_judged_by_both(company: Company) -> None:
    assert tuple(tiers(invented(company, document(2000), spend=1500))) == ("silver", "base")


def test_the_policy_in_force_is_told_what_it_measures_alike(company: Company) -> None:
    draft = british(
        metric("spend", "count"),
        tiers=(tier("silver", entry=condition("spend", "at_least", 5)),),
    )

    assert tuple(tiers(invented(company, draft, spend=9999))) == ("base", "silver")


def test_an_invented_client_needs_no_policy_in_force(new_company: Company) -> None:
    assert tuple(tiers(invented(new_company, document(1000), spend=1500))) == (None, "silver")


def test_a_fact_that_does_not_fit_is_named(company: Company) -> None:
    with pytest.raises(Invalid) as error:
        invented(company, document(1000), spend="a lot", visits=3)

    assert sorted(each.path for each in error.value.problems) == ["spend", "visits"]


# -- the past year ---------------------------------------------------------------------------------


def sales(limit: int = 1000, **parts: Any) -> Document:
    """Return a policy with silver from this revenue in three months on."""
    revenue = metric("revenue", "money", activities("sum", "amount", window=YEAR))
    silver = tier("silver", entry=condition("revenue", "at_least", limit), **parts)
    return british(revenue, tiers=(silver,))


def sold(company: Company, *days: date) -> None:
    made = [NewActivity("till", f"t-{each}", "C-17", "sale", each, amount=1000) for each in days]
    with company.merit.acting(SYSTEM) as act:
        record_activities(act, made, add_missing=True)


def test_a_year_tells_what_was_held_from_when_and_what_happened(company: Company) -> None:
    sold(company, date(2025, 9, 10), date(2026, 6, 20))

    found = year(company, sales())

    assert (found.first, found.last) == (date(2025, 7, 2), TODAY)
    assert found.held == (
        (date(2025, 7, 2), "base"),
        (date(2025, 9, 10), "silver"),
        (date(2025, 12, 10), "base"),
        (date(2026, 6, 20), "silver"),
    )
    assert found.events[0] == Event("promoted", date(2025, 9, 10), "silver", "base")
    assert [each.kind for each in found.events] == ["promoted", "demoted", "promoted"]


def test_what_was_earned_the_year_before_is_brought_along(company: Company) -> None:
    sold(company, date(2025, 3, 1))
    for_life = sales(lifetime_after_years=0)

    found = year(company, for_life)

    assert found.held == ((date(2025, 7, 2), "silver"),)
    assert found.events == ()


def test_how_the_client_really_stood_is_told_beside_it(company: Company) -> None:
    assert year(company, document(2000)).decided == ((TODAY, "silver"),)


def test_days_that_cannot_be_measured_are_counted(company: Company) -> None:
    found = year(company, british(metric("spend", "choice"), tiers=()))

    assert found.held[0] == (date(2025, 7, 2), "base")
    assert found.unmeasured == 1


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", [tried, year])
def test_only_who_is_there_is_tried(company: Company, attempt: Any) -> None:
    with pytest.raises(NotThere):
        attempt(company, document(), "C-99")


@pytest.mark.parametrize("attempt", [tried, year])
def test_who_has_been_erased_is_not_tried(company: Company, attempt: Any) -> None:
    erase(company)

    with pytest.raises(NotActionable):
        attempt(company, document(), "C-17")
