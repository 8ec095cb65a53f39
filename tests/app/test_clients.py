"""What is stated about clients, as a service: from which day, and what does not fit the rules."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from app.models import Client, HistoryEntry
from app.services.authority import SYSTEM
from app.services.clients import (
    ANY,
    NONE,
    Contact,
    Stated,
    client_named,
    misfits,
    put_client,
    require_fit,
    state,
    stated_of,
)
from app.services.errors import Invalid, NotThere, Stale
from app.services.recorded import recorded_of
from rules.measure import Raw, Statement
from tests.app.company import Company
from tests.rules.builders import activities, attribute, metric, policy

YESTERDAY, TODAY, TOMORROW = (date(2026, 7, 1) + timedelta(days=by) for by in (-1, 0, 1))
NOBODY = Stated()
WHOLE = Stated(
    "Café Nord",
    "uk",
    {"rating": 5, "vip": True, "trade": "hotel"},
    (Contact("p2", "Olena", "director", date(1980, 2, 29), "max"), Contact("p1", "Ivan")),
)


def put(
    company: Company,
    stated: Stated,
    day: date = TODAY,
    expected: Container[int | None] | None = None,
) -> int:
    """State the whole set about C-17; return the version that they are then."""
    with company.merit.acting(SYSTEM) as act:
        client, _ = put_client(act, "C-17", stated, day, expected)
        return client.version


def say(company: Company, day: date, **values: Raw | None) -> list[str]:
    """State attributes of C-17 from a day on; return which were not so already."""
    with company.merit.acting(SYSTEM) as act:
        return state(act.session, client_named(act.session, "C-17").id, day, values)


def known(company: Company) -> Stated:
    with company.merit.database.reading() as session:
        return stated_of(session, client_named(session, "C-17"))


def history(company: Company, name: str) -> list[Statement]:
    """Return what was stated under a name, as it is measured."""
    with company.merit.database.reading() as session:
        found = client_named(session, "C-17").id
        return list(recorded_of(session, [found])[found].statements.get(name, ()))


def facts_version(company: Company) -> int:
    with company.merit.database.reading() as session:
        return client_named(session, "C-17").facts_version


# -- attributes, from a day on -----------------------------------------------------------------


@pytest.fixture
def company(new_company: Company) -> Company:
    """A company with a client, of whom nothing is stated."""
    put(new_company, NOBODY)
    return new_company


def test_a_value_holds_from_its_day_until_another_is_stated(company: Company) -> None:
    assert say(company, TODAY, rating=4, vip=True) == ["rating", "vip"]
    assert say(company, TOMORROW, rating=5, vip=True) == ["rating"]

    assert history(company, "rating") == [Statement(TODAY, 4), Statement(TOMORROW, 5)]
    assert history(company, "vip") == [Statement(TODAY, True)]
    assert known(company).attributes == {"rating": 5, "vip": True}


def test_stating_the_same_changes_nothing(company: Company) -> None:
    say(company, TODAY, rating=4)

    assert say(company, TODAY, rating=4) == []
    assert say(company, TOMORROW, rating=4) == []
    assert history(company, "rating") == [Statement(TODAY, 4)]


def test_true_is_not_one_and_a_text_is_no_number(company: Company) -> None:
    values: list[Raw] = [1, True, "1"]

    assert [say(company, TODAY, vip=value) for value in values] == [["vip"]] * 3


def test_a_value_ends_with_none_and_may_begin_anew(company: Company) -> None:
    assert say(company, TODAY, rating=None) == []  # nothing there to end
    say(company, YESTERDAY, rating=4)
    assert say(company, TODAY, rating=None) == ["rating"]
    assert say(company, TODAY, rating=None) == []
    assert known(company).attributes == {}

    assert say(company, TOMORROW, rating=4) == ["rating"]
    assert history(company, "rating") == [
        Statement(YESTERDAY, 4),
        Statement(TODAY, None),
        Statement(TOMORROW, 4),
    ]


def test_of_two_values_on_one_day_the_one_stated_last_holds(company: Company) -> None:
    say(company, TODAY, rating=4)
    say(company, TODAY, rating=5)
    assert known(company).attributes == {"rating": 5}

    say(company, TODAY, rating=4)
    assert known(company).attributes == {"rating": 4}
    assert [each.value for each in history(company, "rating")] == [4, 5, 4]


def test_what_is_stated_of_an_earlier_day_leaves_the_later_as_it_was(company: Company) -> None:
    say(company, TOMORROW, rating=5)

    assert say(company, TODAY, rating=5) == ["rating"]
    assert say(company, YESTERDAY, rating=4) == ["rating"]
    assert [each.value for each in history(company, "rating")] == [4, 5, 5]
    assert known(company).attributes == {"rating": 5}


# -- the whole of it ---------------------------------------------------------------------------


def test_what_was_stated_is_read_back_whole_and_in_its_order(company: Company) -> None:
    put(company, WHOLE)

    assert known(company) == WHOLE


def test_the_history_has_an_entry_only_of_what_changed(company: Company) -> None:
    def entries() -> int:
        with company.merit.database.reading() as session:
            return session.execute(
                select(func.count()).where(HistoryEntry.verb == "client.stated")
            ).scalar_one()

    before = entries()

    assert [put(company, each) for each in (WHOLE, WHOLE, NOBODY, NOBODY)] == [2, 2, 3, 3]
    assert entries() == before + 2


def test_only_what_is_measured_makes_a_client_due(company: Company) -> None:
    first = facts_version(company)

    put(company, Stated("Café Nord", "uk", contacts=WHOLE.contacts))
    assert facts_version(company) == first
    put(company, WHOLE)
    assert facts_version(company) == first + 1


def test_what_is_left_out_is_stated_no_more_from_that_day_on(company: Company) -> None:
    put(company, WHOLE, YESTERDAY)
    put(company, Stated(attributes={"vip": True}), TODAY)

    assert known(company) == Stated(attributes={"vip": True})
    assert history(company, "rating") == [Statement(YESTERDAY, 5), Statement(TODAY, None)]
    assert history(company, "vip") == [Statement(YESTERDAY, True)]


@pytest.mark.parametrize("expected", [NONE, [0], [2], []], ids=["none", "0", "2", "nothing"])
def test_another_version_than_expected_is_not_replaced(
    company: Company, expected: Container[int | None]
) -> None:
    with pytest.raises(Stale, match="Client C-17 is not as the request expects it"):
        put(company, WHOLE, expected=expected)

    assert known(company) == NOBODY


@pytest.mark.parametrize(
    "expected",
    [None, ANY, [1], [2, 1], [None, 1]],
    ids=["whatever", "any", "1", "2 or 1", "none or 1"],
)
def test_an_expected_version_is_replaced(
    company: Company, expected: Container[int | None] | None
) -> None:
    assert put(company, WHOLE, expected=expected) == 2


@pytest.mark.parametrize("expected", [ANY, [1], []], ids=["any", "1", "nothing"])
def test_whoever_expects_a_client_creates_none(
    new_company: Company, expected: Container[int | None]
) -> None:
    with pytest.raises(Stale):
        put(new_company, WHOLE, expected=expected)

    with new_company.merit.database.reading() as session:
        assert session.execute(select(func.count()).select_from(Client)).scalar_one() == 0
        with pytest.raises(NotThere, match=r"There is no client C-17\."):
            client_named(session, "C-17")


@pytest.mark.parametrize("expected", [None, NONE, [None, 5]], ids=["whatever", "none", "none or 5"])
def test_whoever_expects_nobody_creates_one(
    new_company: Company, expected: Container[int | None] | None
) -> None:
    assert put(new_company, NOBODY, expected=expected) == 1


# -- what the rules can measure ----------------------------------------------------------------

RULES = policy(
    metric("rating", "decimal", attribute("rating"), places=1),
    metric("birthday", "date"),
    metric("trade", "choice"),
    metric("vip", "boolean"),
    metric(
        "balance",
        "money",
        {
            "kind": "attribute_history",
            "attribute": "balance",
            "aggregate": "minimum",
            "window": {"kind": "lifetime"},
        },
    ),
    metric("stars", "decimal", activities("average", "attribute:stars")),
)


def test_attributes_that_the_rules_do_not_read_may_be_anything() -> None:
    assert list(misfits(RULES, {"shoe_size": "XL", "stars": "many"})) == []


def test_every_attribute_that_does_not_fit_is_named_with_the_reason() -> None:
    good: dict[str, Raw] = {
        "rating": 5,
        "birthday": "1980-02-29",
        "trade": "hotel",
        "vip": True,
        "balance": 100,
    }
    bad: dict[str, Raw] = {
        "rating": "5",
        "birthday": "1981-02-29",
        "trade": "bank",
        "vip": 1,
        "balance": True,
    }
    require_fit(RULES, good)

    with pytest.raises(Invalid) as refused:
        require_fit(RULES, bad)

    assert [each.path for each in refused.value.problems] == [f"attributes.{name}" for name in bad]
    for name, value in bad.items():
        assert [each.path for each in misfits(RULES, {**good, name: value})] == [
            f"attributes.{name}"
        ]
