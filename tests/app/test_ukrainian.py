"""What Merit says in another language: through the API, by commands, in every part of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.app.asking import EVALUATIONS, answered, served
from tests.app.company import Company
from tests.app.dealings import CLIENT, happened, sale, stated

HEADERS = {"Accept-Language": "uk-UA, uk;q=0.9, en;q=0.5"}
LATIN = re.compile(r"[A-Za-z]{3,}")


@pytest.fixture
def app(company: Company) -> Flask:
    """The service, with a regular buyer."""
    app = served(company)
    stated(app)
    happened(app, *map(sale, range(3)))
    return app


def _told(response: TestResponse) -> Any:
    """Return a successful answer that says that it is in Ukrainian."""
    assert response.content_language.as_set() == {"uk"}
    return answered(response)


def test_a_standing_is_told_with_its_reasons_and_ways(app: Flask) -> None:
    found = _told(app.test_client().get(f"/api/v1/clients/{CLIENT}/standing", headers=HEADERS))

    assert found["sentences"][:2] == [
        "Рівень: «Срібло».",
        "Для збереження рівня «Срібло» усе виконано.",
    ]
    assert found["next_tier"]["sentence"].startswith("Щоб отримати рівень «Золото»: значення «")
    assert found["outlook"] == [
        "Рівень «Срібло» діє з 1 липня 2026 року — доти, доки виконуються критерії його збереження."
    ]
    assert [each["sentence"].replace("\xa0", " ") for each in found["reasons"]][1:2] == [
        "Кількість замовлень: 3; умова рівня «Срібло» — щонайменше 3 (виконано)."
    ]


def test_a_question_is_answered(app: Flask) -> None:
    question = {"client": CLIENT, "changed": {"revenue_12m": 500000}}

    found = _told(app.test_client().post(EVALUATIONS, json=question, headers=HEADERS))

    assert found["sentences"][0] == "Рівень: «Срібло»."
    assert not [each for each in found["sentences"] if LATIN.search(each.replace("GBP", ""))]


def test_the_policy_is_read_back(app: Flask) -> None:
    found = _told(app.test_client().get("/api/v1/policy", headers=HEADERS))

    lines = [each["text"] for each in found["sentences"]]
    assert "Критерії отримання рівня «Золото»:" in lines
    assert "не раніше ніж через 90 днів;" in lines


@pytest.mark.parametrize(
    ("method", "path", "body", "title", "detail"),
    [
        ("get", "clients/C-99/standing", None, "Не знайдено", "Клієнта C-99 немає."),
        ("get", "nothing", None, "Не знайдено", "За цією адресою нічого немає."),
        (
            "post",
            "evaluations",
            {"facts": {"orders": "many"}},
            "Факти не відповідають правилам",
            "Див. errors: для кожного поля вказано, яким має бути значення.",
        ),
    ],
)
def test_a_refusal_is_said(
    app: Flask, method: str, path: str, body: object, title: str, detail: str
) -> None:
    asking = app.test_client()
    response = asking.open(f"/api/v1/{path}", method=method, json=body, headers=HEADERS)

    assert response.json is not None
    assert (response.json["title"], response.json["detail"]) == (title, detail)


def test_what_a_field_should_be_is_said_with_its_alternatives(app: Flask) -> None:
    body = {"facts": {"glamour": 3}}

    response = app.test_client().post(EVALUATIONS, json=body, headers=HEADERS)

    assert response.json is not None
    assert response.json["errors"]["facts.glamour"] == [
        "не є показником цих правил; показники: cancellations, cancelled_share, "
        "days_since_order, orders або revenue_12m"
    ]
