"""``PUT /clients/{reference}``: the whole of what is stated, replaced at once, its past kept."""

from __future__ import annotations

from collections import Counter
from datetime import date
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from app.models import AttributeValue, Client, ContactPerson, HistoryEntry, Subject
from rules.document.strict_json import dumps, loads
from tests.app.asking import problem, served
from tests.app.company import Company
from tests.rules.builders import condition, metric, policy_document, tier

AT = "/api/v1/clients/C-17"
CONTACT = {"key": "p1", "name": "Olena", "level": "director", "birthday": "1980-02-29"}
WHOLE: dict[str, Any] = {
    "name": "Café Nord",
    "language": "uk",
    "attributes": {"rating": 4.8, "vip": True, "trade": "hotel"},
    "contacts": [CONTACT],
}


@pytest.fixture
def app(company: Company) -> Flask:
    return served(company)


def put(app: Flask, body: object, at: str = AT, **headers: str) -> TestResponse:
    data = body if isinstance(body, bytes) else dumps(body)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return app.test_client().put(at, data=data, content_type="application/json", headers=named)


def numbers(company: Company) -> tuple[int, ...]:
    """Return how much is stored: clients, statements, contact persons, entries of the history."""
    with company.merit.database.reading() as session:
        return tuple(
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Client, AttributeValue, ContactPerson, HistoryEntry)
        )


def test_a_client_is_created_replaced_and_left_as_they_are(company: Company, app: Flask) -> None:
    created = put(app, WHOLE)
    assert (created.status_code, created.headers["ETag"]) == (201, '"1"')
    stored = numbers(company)

    again = put(app, WHOLE)
    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    assert again.get_data() == created.get_data()
    assert numbers(company) == stored

    replaced = put(app, {"name": "Café Süd"})
    assert (replaced.status_code, replaced.headers["ETag"]) == (200, '"2"')
    found: Any = loads(replaced.get_data())
    assert found["name"] == "Café Süd"
    assert not found["attributes"]
    assert not found["contacts"]


def test_true_and_one_are_two_things(app: Flask) -> None:
    put(app, {"attributes": {"vip": 1}})

    assert put(app, {"attributes": {"vip": True}}).headers["ETag"] == '"2"'


def test_only_the_expected_version_is_replaced(company: Company, app: Flask) -> None:
    problem(put(app, WHOLE, If_Match='"1"'), 412)
    problem(put(app, WHOLE, If_Match="*"), 412)
    assert put(app, WHOLE, If_None_Match="*").status_code == 201
    stored = numbers(company)

    for header in ('"0"', '"2"', 'W/"1"', '"x"', '""', '"²"', '"' + "9" * 5000 + '"'):
        problem(put(app, {}, If_Match=header), 412)
    problem(put(app, {}, If_None_Match="*"), 412)
    assert numbers(company) == stored
    assert put(app, {}, If_Match='"1"').headers["ETag"] == '"2"'
    assert put(app, WHOLE, If_Match='"1", "2"').headers["ETag"] == '"3"'
    assert put(app, {}, If_Match="*").headers["ETag"] == '"4"'


WRONG: dict[str, tuple[object, str]] = {
    "no object": ([], ""),
    "an unknown name": ({"nmae": "x"}, "nmae"),
    "name null": ({"name": None}, "name"),
    "name a number": ({"name": 5}, "name"),
    "name blank": ({"name": " "}, "name"),
    "name too long": ({"name": "x" * 201}, "name"),
    "name with NUL": ({"name": "a\0b"}, "name"),
    "name with a control character": ({"name": "a\x1bb"}, "name"),
    "language unknown": ({"language": "English"}, "language"),
    "language too long": ({"language": "en-" + "-".join(["abcdefgh"] * 3)}, "language"),
    "language null": ({"language": None}, "language"),
    "attributes a list": ({"attributes": []}, "attributes"),
    "attributes null": ({"attributes": None}, "attributes"),
    "too many attributes": ({"attributes": {f"a{n}": 1 for n in range(101)}}, "attributes"),
    "an attribute's bad name": ({"attributes": {"Name": 1}}, "attributes.Name"),
    "an attribute null": ({"attributes": {"a": None}}, "attributes.a"),
    "an attribute an object": ({"attributes": {"a": {}}}, "attributes.a"),
    "an attribute empty": ({"attributes": {"a": ""}}, "attributes.a"),
    "an attribute too long": ({"attributes": {"a": "x" * 201}}, "attributes.a"),
    "an attribute with NUL": ({"attributes": {"a": "\0"}}, "attributes.a"),
    "an attribute too large": ({"attributes": {"a": 10**30}}, "attributes.a"),
    "contacts an object": ({"contacts": {}}, "contacts"),
    "too many contacts": (
        {"contacts": [{"key": f"p{n}", "name": "x"} for n in range(101)]},
        "contacts",
    ),
    "a contact null": ({"contacts": [None]}, "contacts[0]"),
    "a contact without name": ({"contacts": [{"key": "p"}]}, "contacts[0].name"),
    "a contact without key": ({"contacts": [{"name": "x"}]}, "contacts[0].key"),
    "a contact twice": ({"contacts": [CONTACT, CONTACT]}, "contacts[1].key"),
    "a contact's bad key": ({"contacts": [{**CONTACT, "key": "a/b"}]}, "contacts[0].key"),
    "a contact's bad level": ({"contacts": [{**CONTACT, "level": "Boss"}]}, "contacts[0].level"),
    "a contact's bad day": (
        {"contacts": [{**CONTACT, "birthday": "1981-02-29"}]},
        "contacts[0].birthday",
    ),
    "a contact's counterpart": (
        {"contacts": [{**CONTACT, "counterpart": 1}]},
        "contacts[0].counterpart",
    ),
}


def test_what_is_wrong_is_said_by_field_and_nothing_is_kept(company: Company, app: Flask) -> None:
    stored = numbers(company)

    for what, (body, path) in WRONG.items():
        assert path in problem(put(app, body), 422)["errors"], what
    assert numbers(company) == stored


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"name": "a", "name": "b"}', b'{"attributes": {"a": 1e400}}', b"[" * 100_000,
     b'{"name": "\\ud800"}', b'{"attributes": {"a": NaN}}', b"\xff"],
    ids=["empty", "cut", "twice", "beyond all", "deep", "half a character", "NaN", "not UTF-8"],
)  # fmt: skip
def test_what_cannot_be_read_is_no_json(app: Flask, body: bytes) -> None:
    problem(put(app, body), 400)


def test_only_json_is_taken(app: Flask) -> None:
    problem(app.test_client().put(AT, data="{}", content_type="text/plain"), 415)


@pytest.mark.parametrize("reference", ["x" * 65, "Café", "a%20b", "%00", "a%0A", "%FF"])
def test_a_reference_that_cannot_be_one_is_refused(
    company: Company, app: Flask, reference: str
) -> None:
    stored = numbers(company)

    problem(put(app, {}, f"/api/v1/clients/{reference}"), 422)
    problem(app.test_client().get(f"/api/v1/clients/{reference}/standing"), 404)
    assert numbers(company) == stored


def test_a_slash_in_a_reference_is_another_address(app: Flask) -> None:
    problem(put(app, {}, "/api/v1/clients/a%2Fb"), 404)


def test_an_attribute_that_the_policy_cannot_measure_is_refused(new_company: Company) -> None:
    document = policy_document(
        [metric("rating", "count")],
        [tier("gold", entry=condition("rating", "at_least", 5))],
        currency="GBP",
        time_zone="Europe/London",
    )
    new_company.publish(document)
    app = served(new_company)

    found = problem(put(app, {"attributes": {"rating": "good"}}), 422)

    assert list(found["errors"]) == ["attributes.rating"]
    assert put(app, {"attributes": {"rating": 5}}).status_code == 201
    answer: Any = loads(app.test_client().get(f"{AT}/standing").get_data())
    assert answer["tier"]["key"] == "gold"
    new_company.clock.advance(days=2)
    put(app, {})
    answer = loads(app.test_client().get(f"{AT}/standing").get_data())
    assert answer["tier"]["key"] == "base"


def test_what_was_stated_before_is_kept_with_its_days(company: Company, app: Flask) -> None:
    put(app, {"attributes": {"rating": 1, "vip": True}})
    company.clock.advance(days=1)
    put(app, {"attributes": {"rating": 2, "vip": True}})
    company.clock.advance(days=1)
    put(app, {"attributes": {"rating": 2}})

    with company.merit.database.reading() as session:
        rows = session.execute(
            select(AttributeValue.name, AttributeValue.day, AttributeValue.value).order_by(
                AttributeValue.id
            )
        ).all()
    assert sorted(map(tuple, rows), key=lambda row: (row[1], row[0])) == [
        ("rating", date(2026, 7, 1), 1),
        ("vip", date(2026, 7, 1), True),
        ("rating", date(2026, 7, 2), 2),
        ("vip", date(2026, 7, 3), None),
    ]


def test_nothing_more_is_stated_about_the_erased(company: Company, app: Flask) -> None:
    put(app, WHOLE)
    with company.merit.owner.writing() as session:
        session.execute(delete(Subject).where(Subject.id.in_(select(Client.subject))))

    found = problem(put(app, {}), 409)

    assert "erased" in found["detail"]


# -- at the same moment ------------------------------------------------------------------------


def at_once(app: Flask, bodies: list[object], **headers: str) -> Counter[int]:
    together, statuses = Barrier(len(bodies)), list[int]()

    def one(body: object) -> None:
        together.wait()
        statuses.append(put(app, body, **headers).status_code)

    threads = [Thread(target=one, args=(body,)) for body in bodies]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return Counter(statuses)


def test_of_many_who_state_a_new_client_one_creates_it_and_none_is_lost(
    company: Company, app: Flask
) -> None:
    statuses = at_once(app, [{"name": f"Name {number}"} for number in range(6)])

    assert statuses == {201: 1, 200: 5}
    assert put(app, {"name": "last"}).headers["ETag"] == '"7"'
    assert numbers(company)[0] == 1


def test_of_many_who_replace_the_same_version_one_does(app: Flask) -> None:
    put(app, {})

    statuses = at_once(app, [{"name": f"Name {n}"} for n in range(6)], If_Match='"1"')

    assert statuses == {200: 1, 412: 5}


def test_of_many_who_want_only_to_create_one_does(app: Flask) -> None:
    assert at_once(app, [{}] * 6, If_None_Match="*") == {201: 1, 412: 5}
