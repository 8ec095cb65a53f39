"""``GET /clients/{reference}/measures``: what a front desk may know of holds and overrides."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.services.authority import Scope
from tests.app.asking import answered, problem, served
from tests.app.company import Company
from tests.app.dealings import bearing
from tests.app.granting import asked, client, ended, erase, every_phase, given
from tests.app.test_openapi import described

AT = "/api/v1/clients/C-17/measures"


@pytest.fixture
def app(company: Company) -> Flask:
    return served(company)


def listed(app: Flask) -> dict[int, Any]:
    found = answered(app.test_client().get(AT))
    return {each["measure"]: each for each in found["measures"]}


def test_what_is_asked_granted_and_over_is_listed_and_what_came_to_nothing_is_not(
    company: Company, app: Flask
) -> None:
    numbers = every_phase(company)

    found = listed(app)

    assert {number: each["state"] for number, each in found.items()} == {
        numbers["over"]: "over",
        numbers["in_force"]: "in_force",
        numbers["granted"]: "granted",
        numbers["asked"]: "asked",
        numbers["ended"]: "over",
    }
    assert list(found)[-1] == numbers["granted"]  # which begins last
    hold = {"measure": numbers["in_force"], "kind": "hold", "tier": None, "state": "in_force"}
    assert found[numbers["in_force"]] == {**hold, "first": "2026-07-01", "last": "2026-07-31"}
    override = found[numbers["ended"]]
    assert (override["tier"], override["last"]) == ("gold", "2026-07-01")


def test_no_reason_and_nobody_who_asked_or_decided_is_told(company: Company, app: Flask) -> None:
    every_phase(company)

    text = app.test_client().get(AT).text
    for said in ("flood", "news", "over.", "edith", "max", "paul", "example.com"):
        assert said not in text
    assert answered(app.test_client().get(AT))["as_of"] == "2026-07-02"


def test_a_client_without_any_has_an_empty_list_and_no_client_has_none(
    company: Company, app: Flask
) -> None:
    client(company)

    assert listed(app) == {}
    for reference in ("C-18", "%00", "c-17", "x" * 65, "%F0%9F%98%80"):
        found = problem(app.test_client().get(AT.replace("C-17", reference)), 404)
        assert found["detail"].startswith("There is no client")


def test_what_is_done_is_told_at_once_and_of_the_erased_no_more_than_before(
    company: Company, app: Flask
) -> None:
    client(company)
    number = asked(company)
    assert listed(app)[number]["state"] == "asked"
    number = given(company)
    assert listed(app)[number]["state"] == "in_force"
    ended(company, number)
    assert (listed(app)[number]["state"], listed(app)[number]["last"]) == ("over", "2026-06-30")
    before = listed(app)
    erase(company)
    assert listed(app) == before


def test_it_takes_a_key_that_may_read_standings_and_no_other(company: Company) -> None:
    client(company)

    assert bearing(company, Scope.STANDING_READ).test_client().get(AT).status_code == 200
    others = bearing(company, *(set(Scope) - {Scope.STANDING_READ}))
    assert "standing:read" in problem(others.test_client().get(AT), 403)["detail"]
    for method in ("POST", "PUT", "DELETE"):
        problem(served(company).test_client().open(AT, method=method), 405)


def test_it_answers_as_it_is_described(company: Company, app: Flask) -> None:
    every_phase(company)
    asking = app.test_client()
    description = answered(asking.get("/api/openapi.json"))

    path = "/api/v1/clients/{reference}/measures"
    for reference, status in (("C-17", 200), ("C-18", 404)):
        response = asking.get(path.format(reference=reference))
        assert response.status_code == status
        described(description, path, "get", response)
