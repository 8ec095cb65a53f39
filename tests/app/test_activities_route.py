"""``POST /activities``: all of a request or none of it, each recorded once, on the right day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from app.api.activities import MOST_AT_ONCE, MOST_PROBLEMS
from app.models import Activity, Client, HistoryEntry, Subject
from rules.document.strict_json import dumps
from tests.app.asking import answered, problem, served
from tests.app.company import Company
from tests.app.dealings import (
    at_once,
    british,
    decisions,
    happened,
    sale,
    send,
    standing,
    stated,
    void,
)
from tests.rules.builders import Document, activities, condition, metric, tier

NDJSON = "application/x-ndjson"


@pytest.fixture
def app(company: Company) -> Flask:
    """The service, with two clients."""
    app = served(company)
    stated(app)
    stated(app, "C-18")
    return app


def lines(*items: Document) -> bytes:
    return "\n".join(map(dumps, items)).encode()


def numbers(company: Company) -> tuple[int, int, int]:
    """Return how many activities and entries there are, and how often facts changed."""
    with company.merit.database.reading() as session:
        return (
            session.execute(select(func.count()).select_from(Activity)).scalar_one(),
            session.execute(select(func.count()).select_from(HistoryEntry)).scalar_one(),
            session.execute(select(func.sum(Client.facts_version))).scalar_one(),
        )


def days(company: Company) -> dict[str, date]:
    with company.merit.database.reading() as session:
        rows = session.execute(select(Activity.external_id, Activity.day)).all()
    return {name: day for name, day in rows}  # noqa: C416 - rows are tuples


def errors(app: Flask, *items: object, status: int = 422) -> dict[str, list[str]]:
    found: dict[str, list[str]] = problem(send(app, items), status)["errors"]
    return found


# -- what is taken -----------------------------------------------------------------------------


def test_an_array_is_recorded_as_one_entry_of_the_history(company: Company, app: Flask) -> None:
    recorded, entries, facts = numbers(company)

    assert happened(app, sale(1), sale(2), sale(3, client="C-18")) == {"recorded": 3, "known": 0}

    assert numbers(company) == (recorded + 3, entries + 1, facts + 2)


def test_lines_are_recorded_as_an_array_is(app: Flask) -> None:
    body = b"\n" + lines(sale(1), sale(2, product="Line\u2028break")) + b"\r\n\r\n"

    assert answered(send(app, body, NDJSON)) == {"recorded": 2, "known": 0}
    assert happened(app, sale(1), sale(2, product="Line\u2028break"))["known"] == 2


def test_a_line_that_cannot_be_read_is_named_and_none_is_recorded(
    company: Company, app: Flask
) -> None:
    before = numbers(company)

    for line in (b"{", b'{"id": NaN}', b'{"id": "1", "id": "2"}', b"\xff", b"[" * 1000):
        body = lines(sale(1)) + b"\n\n" + line + b"\n" + lines(sale(2))
        found = problem(send(app, body, NDJSON), 400)
        assert found["type"] == "urn:merit:problem:not-json"
        assert found["detail"].startswith("Line 3: "), found
    assert numbers(company) == before


def test_ten_thousand_are_taken_at_once_and_one_more_is_not(company: Company, app: Flask) -> None:
    many = [sale(number, client=f"C-{17 + number % 2}") for number in range(MOST_AT_ONCE + 1)]
    before = numbers(company)

    for response in (send(app, many), send(app, lines(*many), NDJSON)):
        assert "10000 activities" in problem(response, 422)["errors"][""][0]
    assert numbers(company) == before

    assert happened(app, *many[1:]) == {"recorded": MOST_AT_ONCE, "known": 0}
    assert numbers(company)[0] == MOST_AT_ONCE


def test_of_too_many_lines_the_rest_is_not_even_read(app: Flask) -> None:
    body = b"1\n" * (MOST_AT_ONCE + 1) + b"{"

    assert "10000 activities" in problem(send(app, body, NDJSON), 422)["errors"][""][0]


def test_nothing_at_all_is_refused(app: Flask) -> None:
    for body, kind in ((b"[]", "application/json"), (b"", NDJSON), (b"\n \n", NDJSON)):
        assert "1 to 10000" in problem(send(app, body, kind), 422)["errors"][""][0]


def test_what_is_no_list_is_refused(app: Flask) -> None:
    for body in (b"{}", b"1", b'"x"', b"null"):
        assert "list" in problem(send(app, body), 422)["errors"][""][0]


def test_what_cannot_be_read_is_no_json(app: Flask) -> None:
    for body in (
        b"", b"[", b"[NaN]", b'[{"id": "1", "id": "1"}]', b"\xff", b"[" * 100_000, b"[1e400]",
    ):  # fmt: skip
        problem(send(app, body), 400)


def test_only_json_and_lines_of_it_are_taken(app: Flask) -> None:
    for kind in ("text/plain", "text/csv", "application/xml", ""):
        problem(send(app, [sale(1)], kind), 415)


# -- all or nothing ----------------------------------------------------------------------------

WRONG: dict[str, tuple[object, str]] = {
    "no object": (5, ""),
    "an unknown name": (sale(1, colour="red"), ".colour"),
    "no source": (sale(1, source=None), ".source"),
    "a bad source": (sale(1, source="The till"), ".source"),
    "no id": (sale(1) | {"id": ""}, ".id"),
    "an id with a blank": (sale("1 2"), ".id"),
    "an id too long": (sale("x" * 65), ".id"),
    "an id that is a number": (sale(1) | {"id": 1}, ".id"),
    "no client": (sale(1, client=None), ".client"),
    "a client that cannot be one": (sale(1, client="C\x0017"), ".client"),
    "a client nobody knows": (sale(1, client="C-99"), ""),
    "no kind": (sale(1, kind=None), ".kind"),
    "a bad kind": (sale(1, kind="Sale"), ".kind"),
    "no date": (sale(1, date=None), ".date"),
    "date and instant": (sale(1, at="2026-06-01T12:00:00Z", date="2026-06-01"), ".date"),
    "a day that never was": (sale(1, date="2026-02-29"), ".date"),
    "a day written otherwise": (sale(1, date="20260601"), ".date"),
    "a day before all": (sale(1, date="1799-12-31"), ".date"),
    "a day after all": (sale(1, date="2300-01-01"), ".date"),
    "an instant without offset": (sale(1, at="2026-06-01T12:00:00"), ".at"),
    "an instant that is a day": (sale(1, at="2026-06-01"), ".at"),
    "an instant that never was": (sale(1, at="2026-02-29T12:00:00Z"), ".at"),
    "an instant before all": (sale(1, at="1799-12-31T12:00:00Z"), ".at"),
    "an instant at the calendar's edge": (sale(1, at="0001-01-01T00:00:00+14:00"), ".at"),
    "an instant that is a number": (sale(1, at=1780000000), ".at"),
    "an amount with pence": (sale(1, amount=1.5), ".amount"),
    "an amount as text": (sale(1, amount="100"), ".amount"),
    "an amount that is true": (sale(1, amount=True), ".amount"),
    "an amount too large": (sale(1, amount=10**15 + 1), ".amount"),
    "an amount too small": (sale(1, amount=-(10**15) - 1), ".amount"),
    "a quantity as text": (sale(1, quantity="1"), ".quantity"),
    "a quantity that is true": (sale(1, quantity=True), ".quantity"),
    "a quantity too large": (sale(1, quantity=10**15 + 1), ".quantity"),
    "a product that is blank": (sale(1, product=" "), ".product"),
    "a product with NUL": (sale(1, product="a\x00b"), ".product"),
    "a channel too long": (sale(1, channel="x" * 201), ".channel"),
    "attributes that are a list": (sale(1, attributes=[]), ".attributes"),
    "an attribute's bad name": (sale(1, attributes={"Gift": 1}), ".attributes.Gift"),
    "an attribute that is a list": (sale(1, attributes={"gift": []}), ".attributes.gift"),
    "a void of nothing": (sale(1, kind="void"), ""),
    "a sale that voids": (sale(1, voids="0"), ""),
    "a void of a bad name": (sale(1, kind="void", voids="a b"), ".voids"),
}


def test_what_is_wrong_is_said_by_index_and_none_of_a_request_is_recorded(
    company: Company, app: Flask
) -> None:
    before = numbers(company)

    for what, (item, path) in WRONG.items():
        found = errors(app, sale("good"), item, sale("better"))
        assert list(found) == [f"[1]{path}"], what
    assert numbers(company) == before


def test_all_that_is_wrong_is_said_at_once(app: Flask) -> None:
    found = errors(app, sale(1, amount="1"), sale(2), sale(3, date=None, kind="Sale"))

    assert set(found) == {"[0].amount", "[2].date", "[2].kind"}


def test_no_more_is_said_than_somebody_reads(app: Flask) -> None:
    for wrong in ({"amount": "1"}, {"client": "C-99"}):
        many = [sale(number, **wrong) for number in range(3 * MOST_PROBLEMS)]
        assert len(errors(app, *many)) == MOST_PROBLEMS


def test_what_is_at_the_bounds_is_taken(company: Company, app: Flask) -> None:
    extreme: dict[str, Any] = {"product": "x" * 200, "channel": "я" * 200}
    happened(
        app,
        sale("x" * 64, amount=10**15, quantity=10**15, **extreme),
        sale(1, amount=-(10**15), quantity=-(10**15), date="1800-01-01"),
        sale(2, amount=0, quantity=0, date="2299-12-31"),
        sale("._~-", amount=None),
    )

    assert numbers(company)[0] == 4


# -- once --------------------------------------------------------------------------------------


def test_what_is_repeated_exactly_is_known_however_it_is_written(
    company: Company, app: Flask
) -> None:
    first = sale(1, at="2026-06-01T12:00:00+02:00", quantity=1.5, attributes={"a": 1, "b": 2})
    happened(app, first, sale(2))
    before, due = numbers(company), standing(app)["decision"]

    again = b'{"attributes": {"b": 2.0, "a": 1}, "quantity": 1.50, "amount": 50000, '
    again += b'"at": "2026-06-01T10:00:00Z", "kind": "sale", "client": "C-17", "id": "1", '
    again += b'"source": "till"}'
    assert answered(send(app, b"[" + again + b"]")) == {"recorded": 0, "known": 1}
    assert happened(app, first, sale(2), sale(2)) == {"recorded": 0, "known": 3}
    assert numbers(company)[0] == before[0]
    assert numbers(company)[2] == before[2]
    assert standing(app)["decision"] == due


def test_what_is_told_twice_in_one_request_is_recorded_once(company: Company, app: Flask) -> None:
    assert happened(app, sale(1), sale(1)) == {"recorded": 1, "known": 1}
    assert numbers(company)[0] == 1


def test_another_content_under_the_same_name_is_a_conflict(company: Company, app: Flask) -> None:
    happened(app, sale(1, quantity=1, product="lamp", attributes={"gift": True}))
    before = numbers(company)
    same = {"quantity": 1, "product": "lamp", "attributes": {"gift": True}}
    others: tuple[dict[str, Any], ...] = (
        {"amount": 50001}, {"amount": None}, {"date": "2026-06-02"}, {"kind": "order"},
        {"client": "C-18"}, {"quantity": 2}, {"quantity": None}, {"product": "Lamp"},
        {"channel": "web"}, {"attributes": {"gift": 1}}, {"attributes": {}},
        {"at": "2026-06-01T12:00:00Z", "date": None},
    )  # fmt: skip

    for other in others:
        found = errors(app, sale(2), sale(1, **{**same, **other}), status=409)
        assert list(found) == ["[1]"], other
    assert numbers(company) == before
    assert happened(app, sale(1, source="web"))["recorded"] == 1


def test_of_one_request_that_contradicts_itself_nothing_is_recorded(
    company: Company, app: Flask
) -> None:
    before = numbers(company)

    assert list(errors(app, sale(1), sale(1, amount=1), status=409)) == ["[1]"]
    assert numbers(company) == before


def test_a_conflict_beside_what_is_wrong_is_wrong(app: Flask) -> None:
    happened(app, sale(1))

    assert set(errors(app, sale(1, amount=1), sale(2, client="C-99"))) == {"[0]", "[1]"}


def test_the_same_sent_by_many_at_once_is_recorded_once(company: Company, app: Flask) -> None:
    batch = [sale(number, client=f"C-{17 + number % 2}") for number in range(20)]

    found = at_once(6, lambda: answered(send(app, batch)))

    assert sorted(each["recorded"] for each in found) == [0, 0, 0, 0, 0, 20]
    assert all(each["recorded"] + each["known"] == 20 for each in found)
    assert numbers(company)[0] == 20


def test_nothing_is_recorded_of_the_erased(company: Company, app: Flask) -> None:
    happened(app, sale(1))
    with company.merit.owner.writing() as session:
        session.execute(delete(Subject).where(Subject.id.in_(select(Client.subject))))

    assert "erased" in errors(app, sale(2))["[0]"][0]


# -- voids -------------------------------------------------------------------------------------


def test_a_void_takes_an_activity_out_of_the_standing(app: Flask) -> None:
    happened(app, *map(sale, range(3)))
    assert standing(app)["tier"]["key"] == "silver"

    happened(app, void("v", 2))

    found = standing(app)
    assert (found["entitled"]["key"], found["tier"]["key"]) == ("standard", "silver")
    assert {each["condition"]: each["value"] for each in found["reasons"]}["orders"] == 2


def test_a_void_may_stand_anywhere_in_one_request_with_what_it_takes_out(app: Flask) -> None:
    batch = [void("v", 1), *map(sale, range(1, 4)), void("w", 2)]

    assert happened(app, *batch) == {"recorded": 5, "known": 0}
    assert happened(app, *batch) == {"recorded": 0, "known": 5}
    found = standing(app)
    assert {each["condition"]: each["value"] for each in found["reasons"]}["orders"] == 1


def test_a_void_that_makes_no_sense_is_refused(company: Company, app: Flask) -> None:
    happened(app, sale(1), sale(2, client="C-18"), sale(3), void("v", 3))
    before = numbers(company)

    for what, item, status in (
        ("unknown", void("w", 9), 422),
        ("of a void", void("w", "v"), 422),
        ("of itself", void("w", "w"), 422),
        ("another client's", void("w", 2), 422),
        ("another source's", void("w", 1, source="web"), 422),
        ("a second time", void("w", 3), 409),
    ):
        assert list(errors(app, sale(4), item, status=status)) == ["[1]"], what
    assert list(errors(app, void("w", 1), void("x", 1), status=409)) == ["[1]"]
    assert numbers(company) == before


def test_of_many_who_void_the_same_one_does(company: Company, app: Flask) -> None:
    happened(app, sale(1))
    names = iter(range(2, 100))

    found = at_once(5, lambda: send(app, [void(next(names), 1)]).status_code)

    assert sorted(found) == [200, 409, 409, 409, 409]
    assert numbers(company)[0] == 2


# -- days --------------------------------------------------------------------------------------

INSTANTS = {
    "2026-01-15T23:59:59.999999Z": "2026-01-15",
    "2026-01-16T01:59:59+02:00": "2026-01-15",
    "2026-01-16T02:00:00+02:00": "2026-01-16",
    "2026-01-15T19:30:00-05:00": "2026-01-16",
    "2026-06-30T22:59:59Z": "2026-06-30",
    "2026-06-30T23:00:00Z": "2026-07-01",
    "2026-07-01T00:30:00+01:00": "2026-07-01",
    "2026-07-01T00:30:00+02:00": "2026-06-30",
    "2026-07-01T12:30:00+14:00": "2026-06-30",
    "2026-03-29T00:59:59Z": "2026-03-29",
    "2026-10-24T23:30:00Z": "2026-10-25",
    "2026-10-25T23:30:00Z": "2026-10-25",
}
"""Instants, and the day in London: in winter, in summer, and on the days the clocks change."""


def test_an_instant_happens_on_its_day_where_the_company_is(company: Company, app: Flask) -> None:
    happened(app, *(sale(number, at=at) for number, at in enumerate(INSTANTS)))

    wanted = [date.fromisoformat(day) for day in INSTANTS.values()]
    assert days(company) == {str(number): day for number, day in enumerate(wanted)}


def test_what_is_dated_ahead_counts_from_its_day(company: Company, app: Flask) -> None:
    happened(app, *(sale(number, date="2026-07-03") for number in range(3)))
    tiers, made = [], []

    for _ in range(3):
        tiers.append(standing(app)["tier"]["key"])
        made.append(decisions(company))
        company.clock.advance(days=1)

    assert tiers == ["standard", "standard", "silver"]
    assert made == [1, 1, 2]


def test_the_next_answer_is_by_what_was_just_recorded(company: Company, app: Flask) -> None:
    assert standing(app)["tier"]["key"] == standing(app, "C-18")["tier"]["key"] == "standard"

    for number in range(3):
        happened(app, sale(number))
        found = standing(app)
        assert {each["condition"]: each["value"] for each in found["reasons"]}["orders"] == (
            number + 1
        )
    assert standing(app)["tier"]["key"] == "silver"
    standing(app, "C-18")
    assert decisions(company) == 2 + 3


# -- what the policy measures ------------------------------------------------------------------


def test_what_the_policy_cannot_measure_is_refused(new_company: Company) -> None:
    app = served(new_company)
    stated(app)
    happened(app, sale("before", attributes={"stars": "many"}))
    new_company.publish(
        british(
            metric("stars", "decimal", activities("average", "attribute:grade")),
            metric("pieces", "count", activities("sum", "quantity")),
            tiers=(tier("silver", entry=condition("stars", "at_least", 4)),),
        )
    )

    found = errors(
        app,
        sale(1, attributes={"grade": "good"}),
        sale(2, attributes={"grade": 4.5}, quantity=2),
        sale(3, quantity=1.5),
        sale(4, kind="order", quantity=1.5, attributes={"grade": "good"}),
        sale(5, attributes={"grade": True}),
    )

    assert set(found) == {"[0].attributes.grade", "[2].quantity", "[4].attributes.grade"}
    happened(app, sale(2, attributes={"grade": 4.5}, quantity=2))
    assert standing(app)["tier"]["key"] == "silver"
