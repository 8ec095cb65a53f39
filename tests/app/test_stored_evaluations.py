"""``POST /evaluations`` about a client: what is recorded of them, with some of it changed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.models import Base
from app.services.authority import Scope
from tests.app.asking import answered, post, problem, served
from tests.app.company import Company
from tests.app.dealings import (
    CLIENT,
    at_odds,
    bearing,
    british,
    happened,
    replacing,
    sale,
    spending,
    standing,
    stated,
)
from tests.rules.builders import condition, metric, tier

STATED: dict[str, Any] = {"facts": {"revenue_12m": 1, "orders": 1, "days_since_order": 1}}
RECORDED: dict[str, Any] = {"client": CLIENT, "changed": {}}


@pytest.fixture
def app(company: Company) -> Flask:
    """The service, with a client of three sales and a cancellation."""
    app = served(company)
    stated(app)
    happened(app, *map(sale, range(3)), sale(3, kind="cancellation", amount=-1))
    return app


def ask(app: Flask, question: object) -> Any:
    return answered(post(app, question))


def values(answer: Any) -> dict[str, Any]:
    return {each["condition"]: each["value"] for each in answer["conditions"]}


def changed(**facts: object) -> dict[str, Any]:
    return {"client": CLIENT, "changed": facts}


def rows(company: Company) -> dict[str, int]:
    """Return how many rows every table has."""
    with company.merit.database.reading() as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Base.metadata.tables.items()
        }


def test_what_is_recorded_is_judged_as_it_is(app: Flask) -> None:
    answer = ask(app, RECORDED)

    assert answer["tier"]["key"] == "silver"
    assert (answer["client"], answer["date"]) == (CLIENT, "2026-07-01")
    found = values(answer)
    assert (found["revenue_12m"], found["orders"], found["days_since_order"]) == (149999, 3, 30)


def test_what_is_changed_stands_instead_and_the_rest_stays(app: Flask) -> None:
    answer = ask(app, changed(revenue_12m=99999))

    assert answer["tier"]["key"] == "standard"
    assert values(answer) == {**values(ask(app, RECORDED)), "revenue_12m": 99999}


def test_what_is_derived_follows_what_is_changed(app: Flask) -> None:
    assert values(ask(app, changed(orders=4)))["cancelled_share"] == 25
    assert values(ask(app, changed(cancellations=3)))["cancelled_share"] == 100
    assert values(ask(app, changed(orders=0)))["cancelled_share"] is None
    assert values(ask(app, changed(orders=4, cancelled_share=7)))["cancelled_share"] == 7


def test_a_change_to_null_is_to_something_missing(app: Flask) -> None:
    answer = ask(app, changed(days_since_order=None, orders=None))

    found = values(answer)
    assert (found["days_since_order"], found["orders"]) == (None, None)
    assert found["cancelled_share"] is None
    assert answer["tier"]["key"] == "standard"


def test_it_is_judged_on_the_date_that_is_asked_about(app: Flask) -> None:
    answer = ask(app, {**RECORDED, "date": "2027-06-02"})

    assert values(answer)["days_since_order"] == 366
    assert answer["tier"]["key"] == "standard"
    assert values(ask(app, {**RECORDED, "date": "2026-05-31"}))["orders"] == 0


def test_the_tier_held_is_that_of_the_standing_unless_it_is_stated(app: Flask) -> None:
    question = changed(revenue_12m=90000)
    assert ask(app, question)["to_stay"] is None  # nobody has decided yet

    assert standing(app)["tier"]["key"] == "silver"

    answer = ask(app, question)
    assert answer["tier"]["key"] == "standard"
    assert answer["to_stay"]["key"] == "silver"
    assert answer["next_tier"]["key"] == "gold"
    assert ask(app, {**question, "held": "gold"})["to_stay"]["key"] == "gold"
    assert ask(app, {**question, "held": "standard"})["to_stay"] is None


def test_a_tier_held_that_is_no_more_is_not_held(new_company: Company) -> None:
    new_company.publish(spending())
    app = served(new_company)
    stated(app, spend=1000)
    assert standing(app)["tier"]["key"] == "silver"
    entry = condition("spend", "at_least", 1000)
    document = british(metric("spend", "money"), tiers=(tier("amber", entry=entry),))
    new_company.publish(replacing(document, silver="amber"))

    answer = ask(app, RECORDED)

    assert answer["tier"]["key"] == "amber"
    assert answer == ask(app, {**RECORDED, "held": "amber"})


def test_nothing_is_recorded_and_nothing_changes(company: Company, app: Flask) -> None:
    before = rows(company)

    ask(app, [RECORDED, changed(revenue_12m=10**9), STATED])
    assert rows(company) == before

    told = standing(app)
    before = rows(company)
    ask(app, [changed(revenue_12m=0), {**RECORDED, "date": "2030-01-01"}])
    assert rows(company) == before
    assert standing(app) == told


def test_many_questions_have_the_answers_of_each_alone(app: Flask) -> None:
    stated(app, "C-18")
    standing(app)
    questions = [
        RECORDED,
        STATED,
        {"client": "C-18", "changed": {}},
        {"client": "C-18", "changed": {"orders": 3, "revenue_12m": 100000, "days_since_order": 0}},
        {**changed(orders=None), "held": "gold", "date": "2026-12-31"},
        RECORDED,
    ]

    together = post(app, questions)

    assert together.text == f"[{', '.join(post(app, each).text for each in questions)}]"


# -- what is refused ---------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "facts and changes": ({**RECORDED, **STATED}, "facts"),
    "neither": ({"client": CLIENT}, "facts"),
    "changes without a client": ({"changed": {}}, "client"),
    "a client nobody knows": ({"client": "C-99", "changed": {}}, "client"),
    "a client that is a number": ({"client": 17, "changed": {}}, "client"),
    "a client null": ({"client": None, "changed": {}}, "client"),
    "a client that cannot be one": ({"client": "C 17", "changed": {}}, "client"),
    "a client with NUL": ({"client": "\x00", "changed": {}}, "client"),
    "changes null": ({"client": CLIENT, "changed": None}, "changed"),
    "changes a list": ({"client": CLIENT, "changed": []}, "changed"),
    "an unknown metric": (changed(profit=1), "changed.profit"),
    "a value of another type": (changed(orders="3"), "changed.orders"),
    "a value too large": (changed(orders=10**16), "changed.orders"),
    "a tier there is not": ({**RECORDED, "held": "diamond"}, "held"),
    "another currency": ({**RECORDED, "currency": "EUR"}, "currency"),
    "no business date": ({**RECORDED, "date": "1899-12-31"}, "date"),
}


def test_what_is_wrong_is_said_alone_and_among_others(app: Flask) -> None:
    for what, (question, path) in WRONG.items():
        assert list(problem(post(app, question), 422)["errors"]) == [path], what
        several = problem(post(app, [RECORDED, question, RECORDED]), 422)
        assert list(several["errors"]) == [f"[1].{path}"], what


def test_what_was_recorded_before_and_cannot_be_measured_is_said(new_company: Company) -> None:
    app = served(new_company)
    stated(app, spend="much")
    new_company.publish(spending())

    found = problem(post(app, RECORDED), 422)

    assert "spend" in found["errors"]["client"][0]
    assert ask(app, changed(spend=1000))["tier"]["key"] == "silver"


def test_more_than_can_be_counted_is_said(app: Flask) -> None:
    happened(app, sale("m", amount=10**15), sale("n", amount=10**15))

    assert list(problem(post(app, RECORDED), 422)["errors"]) == ["changed.revenue_12m"]


def test_where_the_evaluators_differ_there_is_no_answer(new_company: Company) -> None:
    new_company.publish(spending())
    app = served(new_company)
    stated(app, spend=1000)
    at_odds(new_company, spending(999))

    assert ask(app, RECORDED)["tier"]["key"] == "silver"
    assert problem(post(app, changed(spend=999)), 503)["type"] == "urn:merit:problem:no-answer"


# -- who may ask -------------------------------------------------------------------------------


def test_each_scope_lets_ask_its_own_and_no_more(company: Company, app: Flask) -> None:
    for scope, may, other, may_not in (
        (Scope.EVALUATE_CLIENT, RECORDED, Scope.EVALUATE_FACTS, STATED),
        (Scope.EVALUATE_FACTS, STATED, Scope.EVALUATE_CLIENT, RECORDED),
    ):
        desk = bearing(company, scope)
        assert ask(desk, may) == ask(app, may)
        assert ask(desk, [may, may]) == ask(app, [may, may])
        for question in (may_not, [may_not], [may, may_not], [may_not, may]):
            assert other.value in problem(post(desk, question), 403)["detail"]
    both = bearing(company, Scope.EVALUATE_FACTS, Scope.EVALUATE_CLIENT)
    assert ask(both, [RECORDED, STATED]) == ask(app, [RECORDED, STATED])


def test_who_may_not_ask_about_clients_is_not_told_which_there_are(
    company: Company, app: Flask
) -> None:
    desk = bearing(company, Scope.EVALUATE_FACTS)

    answers = [post(desk, {"client": each, "changed": {}}) for each in (CLIENT, "C-99")]

    assert answers[0].get_data() == answers[1].get_data()
    problem(post(app, {"client": "C-99", "changed": {}}), 422)
