"""``/api/openapi.json`` is a valid description, of everything there is, and it is true."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from werkzeug.test import TestResponse

from app.services.authority import Scope
from rules.document.strict_json import loads
from tests.app.asking import (
    EVALUATIONS,
    QUESTION,
    TYPES,
    answered,
    post,
    prepared,
    problem,
    served,
    service,
)
from tests.app.company import Company
from tests.rules.builders import EVERYTHING, changed, condition

UNDESCRIBED = {"/api/docs", "/api/docs/<name>", "/api/openapi.json"}
"""Pages for people, and the description itself."""

KEYLESS = {"/livez", "/readyz"}
"""What whoever watches the service may ask without a key."""


@pytest.fixture(scope="session")
def description(app: Flask) -> Any:
    return answered(app.test_client().get("/api/openapi.json"))


def operations(description: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield each operation described, with its path and method."""
    for path, found in description["paths"].items():
        for method, operation in found.items():
            if method != "parameters":
                yield path, method, operation


def _closed(node: Any) -> Any:
    """Return a copy of a description whose objects have no properties but the described."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _closed(each) for key, each in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        copy.setdefault("additionalProperties", False)
    return copy


def described(description: Any, path: str, method: str, response: TestResponse) -> None:
    """Check that a response is one the description has, and nothing beyond it."""
    found = description["paths"][path][method]["responses"][str(response.status_code)]
    if "content" not in found:
        assert response.data == b""
        return
    schema = found["content"][response.mimetype]["schema"]
    # A copy of the components beside the schema: references lead there.
    whole = {**schema, "components": description["components"]}
    jsonschema_rs.validate(
        _closed(whole), loads(response.get_data()), validate_formats=True, offline=True
    )


def test_it_is_valid_openapi_3_1(app: Flask, description: Any) -> None:
    assert description["openapi"] == "3.1.0"
    schemathesis.openapi.from_wsgi("/api/openapi.json", app).validate()


def test_every_schema_in_it_is_a_valid_json_schema(description: Any) -> None:
    for schema in description["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**schema, "components": description["components"]})


def test_its_schemas_are_those_that_are_referred_to(description: Any) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(references, node))
        if not isinstance(node, dict):
            return set()
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))

    schemas = {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}

    assert references(description) == schemas


def test_everything_there_is_is_described_with_each_of_its_methods(
    app: Flask, description: Any
) -> None:
    there_is = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule not in UNDESCRIBED
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert there_is == {(path, method) for path, method, _ in operations(description)}


def test_every_operation_says_what_it_does_and_what_it_answers(description: Any) -> None:
    for path, _, operation in operations(description):
        assert operation["summary"].endswith(".")
        assert operation["tags"]
        for status, answer in operation["responses"].items():
            assert answer["description"], (path, status)
            if status[0] in "45":
                assert list(answer["content"]) == ["application/problem+json"]


def test_every_operation_but_those_of_life_takes_a_key_with_a_scope_and_says_which(
    app: Flask, description: Any
) -> None:
    for path, method, operation in operations(description):
        [rule] = [
            each
            for each in app.url_map.iter_rules()
            if each.rule.replace("<", "{").replace(">", "}") == path
        ]
        view: Any = app.view_functions[rule.endpoint]
        scopes = getattr(getattr(view.view_class, method), "scopes", ())

        assert operation["security"] == [{"key": [scope.value]} for scope in scopes]
        assert bool(scopes) is (path not in KEYLESS)
        for scope in scopes:
            assert isinstance(scope, Scope)
            assert f"`{scope.value}`" in operation["description"]
        assert {"401", "403", "429"}.issubset(operation["responses"]) is bool(scopes)


def test_every_scope_is_good_for_something(description: Any) -> None:
    found = {
        scope
        for _, _, operation in operations(description)
        for alternative in operation["security"]
        for scope in alternative["key"]
    }

    assert found == set(Scope)


def test_the_refusal_of_who_has_no_key_is_as_described(description: Any) -> None:
    client = service(None).test_client()
    for path, method, operation in operations(description):
        if operation["security"]:
            address = path.format(reference="C-17", decision_id="0" * 32)
            response = client.open(address, method=method.upper(), headers={"Authorization": ""})
            assert problem(response, 401)["detail"]
            described(description, path, method, response)


def test_the_example_given_is_answered(app: Flask, description: Any) -> None:
    body = description["paths"][EVALUATIONS]["post"]["requestBody"]["content"]["application/json"]

    answer = answered(post(app, body["example"]))

    assert answer["client"] == body["example"]["client"]
    assert answer["tier"]["key"] == "silver"


QUESTIONS: dict[str, object] = {
    "one": QUESTION,
    "several": [QUESTION, {"facts": {}}],
    "with everything": {**QUESTION, "client": "C-17", "held": "gold", "currency": "GBP"},
    "the lowest": {"facts": {"revenue_12m": 0}, "held": "standard"},
    "the highest": {**QUESTION, "held": "platinum"},
    "no fit": {"facts": {"revenue_12m": "much"}},
    "none": [],
    "no object": 5,
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_the_answers_about_the_example_are_as_described(
    app: Flask, description: Any, question: object
) -> None:
    described(description, EVALUATIONS, "post", post(app, question))


def test_the_answer_about_every_kind_of_part_is_as_described(description: Any) -> None:
    app = service(prepared(EVERYTHING))
    full = {"revenue": 60, "private": False, "business": "hotel", "birthday": "2001-02-03"}
    for facts in ({}, full, {**full, "private": None}, {**full, "revenue": 3, "balance": 1}):
        for held in ("base", "gold"):
            response = post(app, {"facts": facts, "held": held})
            assert response.status_code == 200
            described(description, EVALUATIONS, "post", response)


def test_an_undetermined_answer_is_as_described(types: Flask, description: Any) -> None:
    response = post(types, {"facts": {"spend": 2000, "visits": 3}})

    assert answered(response)["undetermined"]
    described(description, EVALUATIONS, "post", response)


def test_an_answer_with_a_fraction_is_as_described(description: Any) -> None:
    entry = condition("visit_spend", "between", [5, 6])
    app = service(prepared(changed(TYPES, ("tiers", 1, "entry"), entry)))

    response = post(app, {"facts": {"spend": 16, "visits": 3}})

    assert '"value": 5.333333, "exact": "16/3"' in response.text
    described(description, EVALUATIONS, "post", response)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 200])
def test_the_refusal_of_what_cannot_be_read_is_as_described(
    app: Flask, description: Any, body: bytes
) -> None:
    described(description, EVALUATIONS, "post", post(app, body))


def test_the_refusal_of_what_is_no_json_or_too_large_is_as_described(
    app: Flask, description: Any
) -> None:
    for response in (post(app, "{}", "text/plain"), post(app, b" " * 9_000_000)):
        described(description, EVALUATIONS, "post", response)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/v1/policy", "/api/v1/history"])
def test_what_can_be_read_is_as_described(app: Flask, description: Any, path: str) -> None:
    described(description, path, "get", app.test_client().get(path))


def test_the_policy_with_every_kind_of_part_is_as_described(description: Any) -> None:
    app = service(prepared(EVERYTHING))

    described(description, "/api/v1/policy", "get", app.test_client().get("/api/v1/policy"))


def test_what_is_said_and_done_about_a_client_is_as_described(
    company: Company, description: Any
) -> None:
    client = served(company).test_client()
    sale = {
        "source": "till",
        "id": "1",
        "client": "C-17",
        "kind": "sale",
        "date": "2026-06-01",
        "amount": 450000,
    }
    whole = {
        "name": "Café Nord",
        "language": "fr",
        "attributes": {"trade": "hotel", "seats": 40, "rating": 4.5, "chain": False},
        "contacts": [{"key": "P-1", "name": "Ada", "level": "director", "birthday": "1980-02-29"}],
    }
    address, family = "/api/v1/clients/{reference}", "/api/v1/groups/{reference}"
    asked: list[tuple[str, str, Any, int, dict[str, str]]] = [
        (address, "put", whole, 201, {}),
        (address, "put", {}, 200, {}),
        (address, "put", {"name": 5}, 422, {}),
        (address, "put", {}, 412, {"If-None-Match": "*"}),
        (family, "put", {"members": ["C-17"], "head": "C-17", "from": "2026-07-01"}, 201, {}),
        (family, "put", {"members": []}, 200, {}),
        (family, "put", {"members": ["C-18"], "head": "C-18"}, 422, {}),
        (family, "put", {"members": []}, 412, {"If-None-Match": "*"}),
        ("/api/v1/activities", "post", [sale], 200, {"Idempotency-Key": "1"}),
        ("/api/v1/activities", "post", [sale], 200, {"Idempotency-Key": "1"}),
        ("/api/v1/activities", "post", [{**sale, "amount": 1}], 422, {"Idempotency-Key": "1"}),
        ("/api/v1/activities", "post", [{**sale, "amount": 1}], 409, {}),
        ("/api/v1/activities", "post", [{**sale, "id": "2", "client": "C-18"}], 422, {}),
        (f"{address}/standing", "get", None, 200, {}),
        (f"{address}/standing", "get", None, 200, {"Accept-Language": "uk"}),
        (f"{address}/standing", "get", None, 304, {"If-None-Match": "*"}),
        (f"{address}/measures", "get", None, 200, {}),
        (EVALUATIONS, "post", {"client": "C-17", "changed": {}}, 200, {}),
        (EVALUATIONS, "post", {"client": "C-18", "changed": {}}, 422, {}),
        ("/api/v1/history", "get", None, 200, {}),
        ("/metrics", "get", None, 200, {}),
    ]
    for path, method, body, status, headers in asked:
        response = client.open(
            path.format(reference="C-17"), method=method.upper(), json=body, headers=headers
        )
        assert response.status_code == status, (path, response.text)
        if path != "/metrics":
            described(description, path, method, response)

    decision = answered(client.get("/api/v1/clients/C-17/standing"))["decision"]
    for name, status in ((decision, 200), ("0" * 32, 404)):
        response = client.get(f"/api/v1/decisions/{name}")
        assert response.status_code == status
        described(description, "/api/v1/decisions/{decision_id}", "get", response)


@pytest.mark.parametrize(
    ("headers", "status"), [({"If-None-Match": "*"}, 304), ({"If-Match": '"other"'}, 412)]
)
def test_conditional_answers_are_as_described(
    app: Flask, description: Any, headers: dict[str, str], status: int
) -> None:
    response = app.test_client().get("/api/v1/policy", headers=headers)

    assert response.status_code == status
    described(description, "/api/v1/policy", "get", response)


@pytest.mark.parametrize(
    ("path", "method"),
    [(EVALUATIONS, "post"), ("/api/v1/policy", "get"), ("/readyz", "get")],
)
def test_the_answer_without_a_policy_is_as_described(
    description: Any, path: str, method: str
) -> None:
    response = service(None).test_client().open(path, method=method.upper(), json=QUESTION)

    assert response.status_code == 503
    described(description, path, method, response)


def test_a_description_of_other_answers_would_not_pass(app: Flask, description: Any) -> None:
    """The checks above do find what is not as described."""
    lying = deepcopy(description)
    del lying["components"]["schemas"]["Answer"]["properties"]["sentences"]

    with pytest.raises(jsonschema_rs.ValidationError):
        described(lying, EVALUATIONS, "post", post(app, QUESTION))
