"""``GET /decisions/{id}``: what was answered then, by the policy of then."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import delete, select

from app.models import Client, Subject
from rules.document.strict_json import loads
from tests.app.asking import EXAMPLE, answered, problem, served
from tests.app.company import Company

AT = "/api/v1/clients/C-17"


def sold(app: Flask) -> Any:
    """Record three sales and a cancellation, and return how the client stands."""
    asking = app.test_client()
    asking.put(AT, json={})
    happened = [("sale", 50000)] * 3 + [("cancellation", -100)]
    body = [
        {"source": "till", "id": str(number), "client": "C-17", "kind": kind,
         "date": "2026-06-01", "amount": amount}
        for number, (kind, amount) in enumerate(happened)
    ]  # fmt: skip
    answered(asking.post("/api/v1/activities", json=body))
    return answered(asking.get(f"{AT}/standing"))


def test_a_decision_is_told_as_it_was_made_also_under_a_later_policy(company: Company) -> None:
    app = served(company)
    standing = sold(app)
    asking = app.test_client()
    address = f"/api/v1/decisions/{standing['decision']}"
    before = answered(asking.get(address))

    later: Any = loads(EXAMPLE.read_bytes())
    later["metrics"][0]["name"]["en"] = "Turnover"
    company.publish(later)

    assert answered(asking.get(address)) == before
    assert before["conditions"] == standing["reasons"]
    assert before["policy"] == standing["policy"]
    assert before["exact"] == {"cancelled_share": "100/3"}
    assert (before["client"], before["tier"], before["held"]) == ("C-17", "silver", "silver")


def test_of_the_erased_only_what_is_no_personal_fact_is_told(company: Company) -> None:
    app = served(company)
    standing = sold(app)
    asking = app.test_client()
    with company.merit.owner.writing() as session:
        session.execute(delete(Subject).where(Subject.id.in_(select(Client.subject))))

    found = answered(asking.get(f"/api/v1/decisions/{standing['decision']}"))
    assert (found["facts"], found["conditions"], found["exact"]) == (None, None, {})
    told = asking.get(f"{AT}/standing", headers={"Accept-Language": "uk"})
    assert answered(told) == standing
    company.clock.advance(days=1)
    assert answered(asking.get(f"{AT}/standing"))["stale"] is True


def test_a_decision_nobody_made_is_not_there(company: Company) -> None:
    asking = served(company).test_client()

    for name in ("0" * 32, "x", "%00", "%FF", "0" * 5000):
        problem(asking.get(f"/api/v1/decisions/{name}"), 404)


def test_the_history_takes_only_what_it_knows(company: Company) -> None:
    asking = served(company).test_client()

    for query in (
        "from=-1", "from=x", "from=1&from=2", "from=" + "9" * 40, "limit=0", "limit=1001",
        "limit=", "actor=", "actor=%00", "verb=a%0Ab", "object=" + "x" * 81, "actr=system",
    ):  # fmt: skip
        found = problem(asking.get(f"/api/v1/history?{query}"), 422)
        assert list(found["errors"]) == [query.partition("=")[0]]


def test_the_history_is_read_page_by_page_and_names_nobody(company: Company) -> None:
    app = served(company)
    sold(app)
    asking = app.test_client()

    whole = asking.get("/api/v1/history?limit=1000")
    paged = list[Any]()
    start: Any = 0
    while start is not None:
        page = answered(asking.get(f"/api/v1/history?from={start}&limit=7"))
        paged += page["entries"]
        start = page["next"]

    assert paged == answered(whole)["entries"]
    assert [each["sequence"] for each in paged] == list(range(len(paged)))
    assert not any(name in whole.text for name in ("C-17", "@example.com", "Edith"))
    decided = answered(asking.get("/api/v1/history?verb=client.decided"))["entries"]
    assert [each["verb"] for each in decided] == ["client.decided"]
