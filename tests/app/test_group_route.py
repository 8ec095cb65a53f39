"""``PUT /groups/{reference}``: all members of a group, replaced at once, its past kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from app.models import Client, Group, HistoryEntry, Membership, Subject
from rules.document.strict_json import dumps, loads
from tests.app.asking import problem, served
from tests.app.company import Company
from tests.app.dealings import at_once, stated

AT = "/api/v1/groups/F-1"
ANN_AND_BEN: dict[str, Any] = {"members": ["ann", "ben"], "head": "ann"}


@pytest.fixture
def app(company: Company) -> Flask:
    found = served(company)
    for each in ("ann", "ben", "cleo"):
        stated(found, each)
    return found


def put(app: Flask, body: object, at: str = AT, **headers: str) -> TestResponse:
    data = body if isinstance(body, bytes) else dumps(body)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return app.test_client().put(at, data=data, content_type="application/json", headers=named)


def numbers(company: Company) -> tuple[int, ...]:
    """Return how much is stored: groups, memberships, entries of the history."""
    with company.merit.database.reading() as session:
        return tuple(
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Group, Membership, HistoryEntry)
        )


def test_a_group_is_founded_changed_and_left_as_it_is(company: Company, app: Flask) -> None:
    founded = put(app, ANN_AND_BEN)
    assert (founded.status_code, founded.headers["ETag"]) == (201, '"1"')
    said = {"group": "F-1", "version": 1, "members": ["ann", "ben"], "head": "ann"}
    assert loads(founded.get_data()) == said
    stored = numbers(company)

    again = put(app, {"members": ["ben", "ann"], "head": "ann"})
    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    assert again.get_data() == founded.get_data()
    assert numbers(company) == stored

    changed = put(app, {"members": ["cleo", "ben"], "head": "ben"})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    said = {"group": "F-1", "version": 2, "members": ["ben", "cleo"], "head": "ben"}
    assert loads(changed.get_data()) == said

    ended = put(app, {"members": []})
    assert loads(ended.get_data()) == {"group": "F-1", "version": 3, "members": []}


def test_only_the_expected_version_is_replaced(company: Company, app: Flask) -> None:
    problem(put(app, ANN_AND_BEN, If_Match='"1"'), 412)
    assert put(app, ANN_AND_BEN, If_None_Match="*").status_code == 201
    stored = numbers(company)

    for header in ('"0"', '"2"', 'W/"1"', '"x"'):
        problem(put(app, {"members": []}, If_Match=header), 412)
    problem(put(app, {"members": []}, If_None_Match="*"), 412)
    assert numbers(company) == stored
    assert put(app, {"members": []}, If_Match='"1"').headers["ETag"] == '"2"'


WRONG: dict[str, tuple[object, str]] = {
    "no object": ([], ""),
    "an unknown name": ({**ANN_AND_BEN, "chief": "ann"}, "chief"),
    "no members": ({"head": "ann"}, "members"),
    "members null": ({"members": None}, "members"),
    "members a text": ({"members": "ann", "head": "ann"}, "members"),
    "a member twice": ({"members": ["ann", "ann"], "head": "ann"}, "members"),
    "too many members": ({"members": [f"C{n}" for n in range(101)], "head": "C1"}, "members"),
    "a member's bad reference": ({"members": ["a b"], "head": "a b"}, "members[0]"),
    "a member null": ({"members": [None], "head": "ann"}, "members[0]"),
    "a member not known": ({"members": ["ann", "dan"], "head": "ann"}, "members[1]"),
    "no head": ({"members": ["ann"]}, "head"),
    "a head who is no member": ({"members": ["ann"], "head": "ben"}, "head"),
    "a head of nobody": ({"members": [], "head": "ann"}, "head"),
    "nobody to begin with": ({"members": []}, "members"),
    "a day that is none": ({**ANN_AND_BEN, "from": "2026-02-30"}, "from"),
    "a day ahead": ({**ANN_AND_BEN, "from": "2026-07-02"}, "from"),
}


def test_what_is_wrong_is_said_by_field_and_nothing_is_kept(company: Company, app: Flask) -> None:
    stored = numbers(company)

    for what, (body, path) in WRONG.items():
        assert path in problem(put(app, body), 422)["errors"], what
    assert numbers(company) == stored


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"members": [], "members": []}', b"\xff"],
    ids=["empty", "cut", "twice", "not UTF-8"],
)  # fmt: skip
def test_what_cannot_be_read_is_no_json(app: Flask, body: bytes) -> None:
    problem(put(app, body), 400)


def test_only_json_is_taken(app: Flask) -> None:
    problem(app.test_client().put(AT, data="{}", content_type="text/plain"), 415)


@pytest.mark.parametrize("reference", ["x" * 65, "Café", "a%20b"])
def test_a_reference_that_cannot_be_one_is_refused(
    company: Company, app: Flask, reference: str
) -> None:
    stored = numbers(company)

    problem(put(app, ANN_AND_BEN, f"/api/v1/groups/{reference}"), 422)
    assert numbers(company) == stored


def test_a_client_is_in_one_group_at_a_time(company: Company, app: Flask) -> None:
    put(app, ANN_AND_BEN)
    stored = numbers(company)

    found = problem(put(app, {"members": ["cleo", "ben"], "head": "cleo"}, f"{AT}0"), 409)

    assert "ben is in another group" in found["detail"]
    assert numbers(company) == stored
    put(app, {"members": ["ann"], "head": "ann"})
    assert put(app, {"members": ["cleo", "ben"], "head": "cleo"}, f"{AT}0").status_code == 201


def test_membership_is_stated_from_a_day_on_and_in_the_order_of_days(app: Flask) -> None:
    assert put(app, {**ANN_AND_BEN, "from": "2026-05-01"}).status_code == 201

    found = problem(put(app, {"members": [], "from": "2026-04-30"}), 422)
    assert found["errors"]["from"] == [
        "must not be before 2026-05-01, when a membership last changed"
    ]
    assert put(app, {"members": [], "from": "2026-05-01"}).status_code == 200


def test_who_has_been_erased_joins_no_group(company: Company, app: Flask) -> None:
    with company.merit.owner.writing() as session:
        ben = select(Client.subject).where(Client.reference == "ben")
        session.execute(delete(Subject).where(Subject.id.in_(ben)))

    assert "erased" in problem(put(app, ANN_AND_BEN), 409)["detail"]


def test_of_many_who_found_a_group_one_does(company: Company, app: Flask) -> None:
    assert Counter(at_once(6, lambda: put(app, ANN_AND_BEN).status_code)) == {201: 1, 200: 5}
    assert numbers(company)[:2] == (1, 2)


def test_members_of_whom_something_is_stated_at_the_same_moment_wait_for_nobody_in_vain(
    app: Flask,
) -> None:
    put(app, {"members": ["ann", "ben", "cleo"], "head": "ann"})
    bodies = iter([(name, number) for number in range(6) for name in ("ann", "ben", "cleo")])

    def some() -> None:
        for _ in range(6):
            name, number = next(bodies)
            stated(app, name, number=number)

    assert at_once(3, some) == [None] * 3


def test_of_two_groups_that_want_the_same_client_one_gets_them(app: Flask) -> None:
    bodies = iter([("F-1", "ann"), ("F-2", "cleo")])

    def one() -> int:
        group, head = next(bodies)
        body = {"members": [head, "ben"], "head": head}
        return put(app, body, f"/api/v1/groups/{group}").status_code

    assert Counter(at_once(2, one)) == {201: 1, 409: 1}
