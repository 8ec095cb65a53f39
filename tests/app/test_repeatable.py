"""``Idempotency-Key``: a POST that is sent again is answered again, and done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from app.models import Activity, Repeatable
from app.services.keys import parse
from rules.document.strict_json import dumps
from tests.app.asking import EVALUATIONS, answered, problem, served
from tests.app.company import Company

ACTIVITIES = "/api/v1/activities"
SALE = {
    "source": "till",
    "id": "1",
    "client": "C-17",
    "kind": "sale",
    "date": "2026-06-01",
    "amount": 500,
}
ASKED: dict[str, tuple[str, Any, Any]] = {
    "what if": (EVALUATIONS, {"facts": {"orders": 7}}, {"facts": {"orders": 8}}),
    "activities": (ACTIVITIES, [SALE], [{**SALE, "id": "2"}]),
}
"""By what is done: the route, a body, and another one."""

each_route = pytest.mark.parametrize(("path", "body", "other"), ASKED.values(), ids=ASKED)


@pytest.fixture
def client(company: Company) -> FlaskClient:
    client = served(company).test_client()
    client.put("/api/v1/clients/C-17", json={})
    return client


def send(client: FlaskClient, path: str, body: object, name: str = "N-1") -> TestResponse:
    return client.post(
        path,
        data=dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": name},
    )


def recorded(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(Activity)).scalar_one()


def is_replayed(response: TestResponse) -> bool:
    return response.headers.get("Idempotent-Replayed") == "true"


def died(company: Company, path: str, body: object, name: str = "N-1") -> None:
    """Leave what a process leaves that died at work on a request."""
    found = parse(company.key)
    assert found is not None
    with company.merit.database.writing() as session:
        session.add(
            Repeatable(
                key_id=found[0],
                route=path,
                idempotency_key=name,
                digest=sha256(b"application/json\n" + dumps(body).encode()).digest(),
                token="0" * 32,
                started_at=company.clock(),
            )
        )


@each_route
def test_what_is_sent_again_has_the_same_answer_and_says_so(
    client: FlaskClient, path: str, body: object, other: object
) -> None:
    del other
    first, again = send(client, path, body), send(client, path, body)

    assert answered(first) == answered(again)
    assert (is_replayed(first), is_replayed(again)) == (False, True)


def test_what_is_sent_again_is_done_once(client: FlaskClient, company: Company) -> None:
    first, again = send(client, ACTIVITIES, [SALE]), send(client, ACTIVITIES, [SALE])

    assert answered(first) == answered(again) == {"recorded": 1, "known": 0}
    assert recorded(company) == 1


@each_route
def test_a_name_stands_for_one_body(
    client: FlaskClient, company: Company, path: str, body: object, other: object
) -> None:
    send(client, path, body)
    before = recorded(company)

    assert "another request" in problem(send(client, path, other), 422)["detail"]
    assert recorded(company) == before
    assert is_replayed(send(client, path, body))


def test_a_name_is_that_of_one_route(client: FlaskClient) -> None:
    answered(send(client, ACTIVITIES, [SALE]))

    assert answered(send(client, EVALUATIONS, {"facts": {}}))


@each_route
def test_under_another_name_it_is_another_request(
    client: FlaskClient, path: str, body: object, other: object
) -> None:
    send(client, path, body)

    for again in (send(client, path, body, "N-2"), send(client, path, other, "N-3")):
        assert answered(again)
        assert not is_replayed(again)


@each_route
def test_while_it_is_worked_on_it_is_refused_and_a_minute_later_taken_over(
    client: FlaskClient, company: Company, path: str, body: object, other: object
) -> None:
    died(company, path, body)

    for seconds in (0, 59.9):
        company.clock.advance(seconds=seconds)
        assert "being worked on" in problem(send(client, path, body), 409)["detail"]
    assert recorded(company) == 0
    company.clock.advance(seconds=0.1)
    problem(send(client, path, other), 422)
    assert not is_replayed(send(client, path, body))
    assert is_replayed(send(client, path, body))


def test_who_was_taken_for_dead_does_nothing_any_more(
    client: FlaskClient, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is taken over while the request's own transaction has not yet begun."""
    acting = type(company.merit).acting

    def taken_over(*args: Any) -> Any:
        with company.merit.database.writing() as session:
            session.execute(update(Repeatable).values(token="1" * 32))
        return acting(*args)

    monkeypatch.setattr(type(company.merit), "acting", taken_over)

    problem(send(client, ACTIVITIES, [SALE]), 409)
    assert recorded(company) == 0


@pytest.mark.parametrize("name", ["", " ", "a b", "ü", "a\tb", "x" * 201])
@pytest.mark.parametrize(("path", "body"), [(EVALUATIONS, {"facts": {}}), (ACTIVITIES, [SALE])])
def test_a_name_that_is_none_is_refused(
    client: FlaskClient, company: Company, path: str, body: object, name: str
) -> None:
    assert "Idempotency-Key" in problem(send(client, path, body, name), 400)["detail"]
    assert recorded(company) == 0


def test_the_longest_name_is_one(client: FlaskClient) -> None:
    name = "~" * 200
    send(client, EVALUATIONS, {"facts": {}}, name)

    assert is_replayed(send(client, EVALUATIONS, {"facts": {}}, name))


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        (EVALUATIONS, {"facts": {"orders": "many"}}, {"facts": {"orders": 7}}),
        (ACTIVITIES, [{**SALE, "amount": "much"}], [SALE]),
        (ACTIVITIES, [{**SALE, "client": "C-18"}], [SALE]),
    ],
)
def test_a_request_that_failed_leaves_its_name_free(
    client: FlaskClient, path: str, wrong: object, right: object
) -> None:
    for _ in range(2):
        problem(send(client, path, wrong), 422)

    assert not is_replayed(send(client, path, right))
    assert is_replayed(send(client, path, right))


def test_a_client_that_was_not_there_may_come_before_it_is_sent_again(client: FlaskClient) -> None:
    body = [{**SALE, "client": "C-18"}]
    problem(send(client, ACTIVITIES, body), 422)
    client.put("/api/v1/clients/C-18", json={})

    assert answered(send(client, ACTIVITIES, body)) == {"recorded": 1, "known": 0}


@each_route
def test_of_many_at_the_same_time_one_is_done_and_the_others_wait_or_have_its_answer(
    client: FlaskClient, company: Company, path: str, body: object, other: object
) -> None:
    del other
    with ThreadPoolExecutor(6) as pool:
        found = list(
            pool.map(lambda _: send(client.application.test_client(), path, body), range(6))
        )

    done = [each for each in found if each.status_code == 200]
    assert len([each for each in done if not is_replayed(each)]) == 1
    assert len({each.text for each in done}) == 1
    for each in found:
        if each not in done:
            problem(each, 409)
    assert recorded(company) == (1 if path == ACTIVITIES else 0)
    assert is_replayed(send(client, path, body))
