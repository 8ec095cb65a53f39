"""Places among all clients: fixed for a date under a policy, good until the next are."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import func, select

from app.models import Client, FixedPlace
from app.services.authority import SYSTEM
from app.services.clients import Stated, client_named, put_client
from app.services.places import KEPT, are_fixed, fix_places, has_ranks, places_of
from app.services.policies import PolicyInForce
from rules.document import load
from rules.policy import Facts
from tests.app.company import Company
from tests.app.dealings import british, spending
from tests.rules.builders import condition, metric, tier

TODAY = date(2026, 7, 1)
DAY = timedelta(days=1)
RANKED = british(
    metric("spend", "money"),
    metric("place", "decimal", {"kind": "rank", "metric": "spend"}, unit="percent"),
    tiers=(tier("gold", entry=condition("place", "at_most", 50)),),
)


@pytest.fixture
def company(new_company: Company) -> Company:
    """A company with two clients and a policy that ranks them."""
    new_company.publish(RANKED)
    for each in ("ann", "ben"):
        with new_company.merit.acting(SYSTEM) as act:
            put_client(act, each, Stated(), TODAY)
    return new_company


def in_force(company: Company) -> PolicyInForce:
    with company.merit.database.reading() as session:
        return company.merit.rulebook.in_force(session)


def fix(company: Company, day: date, **spent: int | None) -> None:
    """Fix the places of a day, by what each client has spent; None for what is not known."""
    policy = in_force(company)
    with company.merit.acting(SYSTEM) as act:
        known: list[tuple[int, Facts]] = [
            (client_named(act.session, name).id, {} if amount is None else {"spend": amount})
            for name, amount in spent.items()
        ]
        fix_places(act.session, policy, day, known)


def places(company: Company, day: date, version: int | None = None) -> dict[str, Fraction]:
    with company.merit.database.reading() as session:
        names = {each.id: each.reference for each in session.execute(select(Client)).scalars()}
        number = in_force(company).number if version is None else version
        found = places_of(session, list(names), number, day)
    return {names[client]: by_metric["place"] for client, by_metric in found.items()}


def test_a_place_stands_from_its_day_until_the_next_is_fixed(company: Company) -> None:
    fix(company, TODAY, ann=5, ben=9)
    fix(company, TODAY + 2 * DAY, ann=10, ben=9)

    assert places(company, TODAY - DAY) == {}
    assert places(company, TODAY) == {"ann": 100, "ben": 50}
    assert places(company, TODAY + DAY) == {"ann": 100, "ben": 50}
    assert places(company, TODAY + 2 * DAY) == {"ann": 50, "ben": 100}


def test_a_place_is_kept_exactly(company: Company) -> None:
    with company.merit.acting(SYSTEM) as act:
        put_client(act, "cleo", Stated(), TODAY)
    fix(company, TODAY, ann=3, ben=2, cleo=1)

    assert places(company, TODAY) == {"ann": Fraction(100, 3), "ben": Fraction(200, 3), "cleo": 100}


def test_who_has_no_place_any_more_has_none(company: Company) -> None:
    fix(company, TODAY, ann=5, ben=9)
    fix(company, TODAY + DAY, ann=5, ben=None)

    assert places(company, TODAY + DAY) == {"ann": 100}


def test_a_date_fixed_again_replaces_its_places(company: Company) -> None:
    fix(company, TODAY, ann=5, ben=9)
    fix(company, TODAY, ann=9, ben=5)

    assert places(company, TODAY) == {"ann": 50, "ben": 100}


def test_a_place_is_good_under_its_own_version_of_the_policy_only(company: Company) -> None:
    fix(company, TODAY, ann=5, ben=9)
    before = in_force(company).number
    company.publish(RANKED | {"key": "another"})

    assert places(company, TODAY) == {}
    assert len(places(company, TODAY, before)) == 2


def test_whether_the_places_of_a_date_are_fixed_can_be_told(company: Company) -> None:
    fix(company, TODAY, ann=5)
    policy = in_force(company)

    with company.merit.database.reading() as session:
        assert are_fixed(session, policy, TODAY)
        assert not are_fixed(session, policy, TODAY + DAY)


def test_old_places_are_let_go(company: Company) -> None:
    fix(company, TODAY - (KEPT + 1) * DAY, ann=5)
    fix(company, TODAY - KEPT * DAY, ann=5)
    fix(company, TODAY, ann=5)

    with company.merit.database.reading() as session:
        assert session.execute(select(func.count()).select_from(FixedPlace)).scalar_one() == 2


def test_only_a_policy_with_ranks_needs_places() -> None:
    assert has_ranks(load(RANKED))
    assert not has_ranks(load(spending()))
