"""Clients judged by their group, by their standing and by their place among all, in the service."""

from __future__ import annotations

from datetime import date
from functools import partial
from threading import Event
from typing import Any

import pytest
from flask import Flask

from app.services import jobs, review
from app.services.authority import SYSTEM
from app.services.counts import tiers_on
from rules.document.strict_json import dumps
from tests.app.asking import problem, served
from tests.app.company import Company
from tests.app.dealings import british, happened, sale, standing, stated
from tests.rules.builders import Document, activities, condition, metric, tier

OWN = metric("own", "money", activities("sum", "amount"))
POOLED = metric("together", "money", {"kind": "group", "metric": "own"})


def pooling(goes_to: str = "members") -> Document:
    """Return a policy that asks for 1,000 of all members together."""
    gold = tier("gold", entry=condition("together", "at_least", 100000))
    return british(OWN, POOLED, tiers=(gold,)) | {"groups": {"tier_goes_to": goes_to}}


def grouped(app: Flask, *members: str) -> None:
    body = {"members": list(members), **({"head": members[0]} if members else {})}
    answered_by = app.test_client().put(
        "/api/v1/groups/F-1", data=dumps(body), content_type="application/json"
    )
    assert answered_by.status_code in (200, 201), answered_by.text


def tiers(app: Flask, *references: str) -> list[str]:
    return [standing(app, each)["tier"]["key"] for each in references]


def reviewed(company: Company, day: date) -> None:
    """Review everybody for a date, as the worker does."""
    with company.merit.acting(SYSTEM) as act:
        jobs.add(act, "review", f"review:{day}", act.at)
    lease = jobs.claim(company.merit.database, "one", company.clock(), ["review"])
    assert lease is not None
    work = partial(review.review, company.merit.rulebook, company.merit.fixed)
    jobs.carry_out(company.merit.database, company.clock, lease, work, Event())


@pytest.fixture
def app(new_company: Company) -> Flask:
    """A company that adds up, with two clients who have bought something each."""
    new_company.publish(pooling())
    found = served(new_company)
    for each in ("ann", "ben"):
        stated(found, each)
    happened(found, sale(1, client="ann", amount=61234), sale(2, client="ben", amount=38766))
    return found


def test_members_reach_together_what_none_reaches_alone(app: Flask) -> None:
    assert tiers(app, "ann", "ben") == ["base", "base"]

    grouped(app, "ann", "ben")

    assert tiers(app, "ann", "ben") == ["gold", "gold"]


def test_what_one_member_buys_or_returns_is_told_of_the_others(app: Flask) -> None:
    grouped(app, "ann", "ben")
    assert tiers(app, "ann") == ["gold"]

    happened(app, sale(3, client="ben", amount=1))

    [reason] = standing(app, "ann")["reasons"][:1]
    assert reason["value"] == 100001
    assert reason["sentence"].startswith("Together (of the whole group) is £1,000.01;")


def test_no_more_is_told_of_another_member_than_the_sum(app: Flask) -> None:
    grouped(app, "ann", "ben")

    answer = dumps(standing(app, "ann"))

    assert "100000" in answer
    assert not any(each in answer for each in ('"ben"', "38766", "387.66", "F-1"))


def test_what_if_a_member_had_bought_more_counts_for_the_group(app: Flask) -> None:
    grouped(app, "ann", "ben")
    question = {"client": "ann", "changed": {"own": 1}, "date": "2026-07-01"}

    response = app.test_client().post("/api/v1/evaluations", json=question)

    assert response.json is not None
    assert response.json["conditions"][0]["value"] == 38767
    assert response.json["tier"]["key"] == "base"


def test_tiers_are_counted_by_what_the_group_comes_to(new_company: Company, app: Flask) -> None:
    grouped(app, "ann", "ben")

    with new_company.merit.database.reading() as session:
        _, counts, _ = tiers_on(session, new_company.merit.rulebook, date(2026, 7, 1))

    assert counts == {"gold": 2, "base": 0}


def test_leaving_is_an_ordinary_failure(new_company: Company, app: Flask) -> None:
    grouped(app, "ann", "ben")
    assert tiers(app, "ann", "ben") == ["gold", "gold"]
    grouped(app, "ann")
    assert tiers(app, "ann", "ben") == ["gold", "gold"]  # nothing is lost between two nights

    new_company.clock.advance(days=1)

    assert tiers(app, "ann", "ben") == ["base", "base"]


def test_where_the_head_has_it_only_the_head_rises(new_company: Company, app: Flask) -> None:
    new_company.publish(pooling("head"))
    grouped(app, "ann", "ben")

    assert tiers(app, "ann", "ben") == ["gold", "base"]
    assert standing(app, "ben")["reasons"][0]["value"] is None


def test_days_at_a_tier_count_up_from_the_standing_before(new_company: Company) -> None:
    here = metric(
        "here", "days", {"kind": "standing", "measure": "days_at_or_above", "tier": "silver"}
    )
    silver = tier("silver", entry=condition("spend", "at_least", 1))
    gold = tier("gold", entry=condition("here", "at_least", 2))
    new_company.publish(british(metric("spend", "money"), here, tiers=(silver, gold)))
    app = served(new_company)
    stated(app, spend=1)

    found = []
    for _ in range(3):
        found += tiers(app, "C-17")
        new_company.clock.advance(days=1)

    assert found == ["silver", "silver", "gold"]


def ranking() -> Document:
    place = metric("place", "decimal", {"kind": "rank", "metric": "own"}, unit="percent")
    gold = tier("gold", entry=condition("place", "at_most", 50))
    return british(OWN, place, tiers=(gold,))


def test_a_review_ranks_everybody_before_it_decides(new_company: Company, app: Flask) -> None:
    new_company.publish(ranking())
    assert tiers(app, "ann", "ben") == ["base", "base"]  # nobody has been ranked

    new_company.clock.advance(days=1)
    reviewed(new_company, date(2026, 7, 2))
    assert tiers(app, "ann", "ben") == ["gold", "base"]
    happened(app, sale(3, client="ben", amount=900000))
    assert tiers(app, "ann", "ben") == ["gold", "base"]  # a place stands until the next review

    new_company.clock.advance(days=1)
    reviewed(new_company, date(2026, 7, 3))
    assert tiers(app, "ann", "ben") == ["base", "gold"]


def test_a_member_whose_facts_do_not_fit_is_not_told_of(new_company: Company, app: Flask) -> None:
    own = metric("own", "money")
    document: dict[str, Any] = {**pooling(), "metrics": [own, POOLED]}
    stated(app, "ben", own="a lot")
    new_company.publish(document)
    stated(app, "ann", own=5)
    grouped(app, "ann", "ben")

    refused = problem(app.test_client().get("/api/v1/clients/ann/standing"), 503)

    assert refused["detail"] == (
        "The metric together cannot be measured: what is recorded of another member of the group "
        "does not fit it."
    )
